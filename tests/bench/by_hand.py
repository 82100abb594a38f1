"""SmolLM2-135M trained and sampled by built-in steps, and by hand, in one process.

By hand is what a script with transformers and peft would do: load the model, train
a LoRA adapter with the Trainer, write answers in one batch with `generate`. Both do
as many steps on as many rows, in bfloat16, and write as many tokens.

    python tests/bench/by_hand.py MODEL   # a folder of the template's make_model.py
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

import yaml

from lineage.loop.quiet import quiet
from lineage.loop.records.shards import write_shards
from lineage.loop.spec import LoopSpec
from lineage.loop.steps.generate import generate
from lineage.loop.steps.protocol import Job
from lineage.loop.steps.train import train
from lineage.loop.templates import read

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ROWS, STEPS, BATCH, NEW = 32, 4, 4, 4
PEFT: dict[str, Any] = {
    "r": 8,
    "lora_alpha": 16,
    "target_modules": ["q_proj", "v_proj"],
}
TRAINING: dict[str, Any] = {
    "max_steps": STEPS,
    "per_device_train_batch_size": BATCH,
    "learning_rate": 2e-4,
    "save_strategy": "no",
}
SHOWN = "21 + 34 = 55\n40 + 17 = 57\n"
TEXTS = [f"{SHOWN}{10 + n} + {80 - 2 * n} = {90 - n}\n" for n in range(ROWS)]


class ByHand:
    """What a script does."""

    def __init__(self, folder: Path, place: Path) -> None:
        self.folder, self.place = folder, place
        self.model: Any = None

    def train(self) -> None:
        import torch
        from peft import LoraConfig, get_peft_model
        from transformers import (
            AutoModelForCausalLM,
            AutoTokenizer,
            Trainer,
            TrainingArguments,
            default_data_collator,
        )
        from transformers.trainer_callback import PrinterCallback

        ids = AutoTokenizer.from_pretrained(self.folder)(TEXTS)["input_ids"]
        rows: Any = [{"input_ids": row[:33], "labels": row[:33]} for row in ids]
        model: Any = AutoModelForCausalLM.from_pretrained(
            self.folder, dtype=torch.bfloat16
        )
        arguments = TrainingArguments(
            str(self.place), report_to="none", disable_tqdm=True, **TRAINING
        )
        self.model = get_peft_model(model, LoraConfig(task_type="CAUSAL_LM", **PEFT))
        trainer = Trainer(
            self.model, arguments, default_data_collator, train_dataset=rows
        )
        trainer.remove_callback(PrinterCallback)
        trainer.train()

    def generate(self) -> None:
        import torch
        from transformers import AutoTokenizer

        ids = AutoTokenizer.from_pretrained(self.folder)(TEXTS)["input_ids"]
        batch = torch.tensor([row[:29] for row in ids])
        fields = {"do_sample": True, "top_k": 0, "min_new_tokens": NEW}
        with torch.inference_mode():
            out = self.model.eval().generate(batch, max_new_tokens=NEW, **fields)
        assert out.shape == (ROWS, 29 + NEW)


class Steps:
    """What the built-in steps do, from files to files."""

    def __init__(self, folder: Path, place: Path) -> None:
        self.folder, self.place = folder, place
        spec = yaml.safe_load(read("smollm2/loop.yaml"))
        spec |= {"num_threads": 1, "training": TRAINING}
        spec["trainer"] = {"type": "sft"}
        spec["model"] |= {"model_name_or_path": str(folder), "peft": PEFT}
        sampling = {"top_k": 0, "min_new_tokens": NEW}
        sizes = {"num_samples": ROWS, "num_candidates": 1, "batch_size": ROWS}
        spec["generation"] |= {**sizes, "generation_config": sampling}
        self.spec = LoopSpec.parse(spec, place)
        rows = [{"id": str(n), "text": text} for n, text in enumerate(TEXTS)]
        write_shards(place / "human", "human", rows, ROWS)

    def train(self) -> None:
        starts = {"base": self.folder, "parent": self.folder}
        train(self._job("train", dataset=self.place / "human", **starts))

    def generate(self) -> None:
        model = self.place / "train"
        inputs = {"model": model, "base": self.folder, "human": self.place / "human"}
        generate(self._job("generate", **inputs))

    def _job(self, name: str, **inputs: Path) -> Job:
        output, scratch = self.place / name, self.place / f"{name}.tmp"
        output.mkdir()
        scratch.mkdir()
        roots = dict.fromkeys(inputs, "0" * 64)
        return Job(
            name, 1, 0, 0, self.spec, inputs, roots, output, scratch, roots=roots
        )


def seconds(work: Callable[[], None]) -> float:
    """Processor seconds of this process."""
    begun = time.process_time()
    with quiet():
        work()
    return time.process_time() - begun


def main(folder: Path) -> None:
    """Each part by hand, by the steps, and by hand again, which is what counts.

    The first round imports what both need.
    """
    import torch

    torch.set_num_threads(1)
    found: dict[str, Mapping[str, float]] = {}
    for kind in (ByHand, Steps, ByHand):
        with tempfile.TemporaryDirectory() as place:
            one = kind(folder.resolve(), Path(place))
            found[kind.__name__] = {
                "train": seconds(one.train),
                "generate": seconds(one.generate),
            }
    print("| CPU seconds | by hand | built-in steps | ratio |\n|---|---|---|---|")
    for part in ("train", "generate"):
        hand, ours = found["ByHand"][part], found["Steps"][part]
        print(f"| {part} | {hand:.1f} | {ours:.1f} | {ours / hand:.2f} |")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

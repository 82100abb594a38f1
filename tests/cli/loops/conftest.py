"""A loop without torch: its steps write what a test wants to see."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lineage.registry import Registry

STEPS = '''\
"""What is generated says which generation wrote it; a model is how often it trained."""

import json
import re

BAD = {2}


def generate(job):
    what = "bad" if job.generation in BAD and not job.attempt else "good"
    turn = job.generation
    records = [
        {"id": f"g{turn}-{n}", "text": f"record {n} of {turn} is {what}"}
        for n in range(40)
    ]
    lines = [json.dumps(record) + "\\n" for record in records]
    (job.output / "a.jsonl").write_text("".join(lines[:25]))
    (job.output / "b.jsonl").write_text("".join(lines[25:]))


def train(job):
    known = json.loads((job.inputs["parent"] / "turns.json").read_text())
    (job.output / "turns.json").write_text(json.dumps(known + 1))


def evaluate(job):
    turns = json.loads((job.inputs["model"] / "turns.json").read_text())
    perplexity = {"value": 20.0 + turns, "direction": "lower", "definition": "made up"}
    return {"metrics": {"perplexity": perplexity}}


def interrupted(job):
    raise KeyboardInterrupt


def broken(job):
    raise RuntimeError("no GPU left")
'''
CHECKS = """\
def check_record(record):
    assert "bad" not in record["text"], "it is bad"
"""
SPEC: dict[str, Any] = {
    "name": "toy",
    "num_generations": 1,
    "model": {"model_name_or_path": "seed"},
    "dataset": {"train_file": "human.txt", "origin": "human"},
    "steps": {name: f"steps:{name}" for name in ("generate", "train", "evaluate")},
}


class Toy:
    """The loop `toy` in the registry around us, which `configure` puts in a file."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.write("steps.py", STEPS)
        self.write("checks.py", CHECKS)
        self.write(
            "human.txt", "".join(f"People wrote line {n}.\n\n" for n in range(9))
        )
        self.write("seed/turns.json", "0")

    def write(self, name: str, text: str) -> Path:
        path = self.registry.root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def configure(self, file: str = "loop.yaml", **sections: Any) -> Path:
        return self.write(file, yaml.safe_dump(SPEC | sections))

    def gated(self, action: str, **sections: Any) -> Path:
        """Configure a gate that the second generation fails, at its first attempt."""
        gate = {"type": "check_record", "action": action}
        return self.configure(num_generations=3, gates=[gate], **sections)

    def steps(self, name: str, function: str) -> dict[str, str]:
        return {**SPEC["steps"], name: f"steps:{function}"}


@pytest.fixture
def transcript(
    transcript: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., str]:
    """As for all commands, on 80 columns, with every generation made in no time."""
    monkeypatch.setenv("COLUMNS", "80")

    def timeless(*commands: str) -> str:
        return re.sub(
            r"\d[\d.]* s$", "0.1 s", transcript(*commands), flags=re.MULTILINE
        )

    return timeless


@pytest.fixture
def toy(repo: Registry) -> Toy:
    """The toy loop in an empty registry."""
    return Toy(repo)


@pytest.fixture
def tiny_llama(tmp_path: Path) -> Path:
    """A save_pretrained folder as somebody else would make it: random weights."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    special = {"unk_token": "?", "bos_token": "<s>", "eos_token": "</s>"}
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400, special_tokens=list(special.values()), show_progress=False
    )
    backend.train_from_iterator([str(json.__doc__), str(pytest.__doc__)], trainer)
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, **special)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=16, intermediate_size=32,
        num_hidden_layers=1, num_attention_heads=2, max_position_embeddings=40,
        bos_token_id=1, eos_token_id=2,
    )  # fmt: skip
    folder = tmp_path / "tiny-llama"
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder

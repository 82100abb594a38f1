"""Real steps on a tiny model, called as the runner calls them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lineage.loop.records.shards import write_shards
from lineage.loop.spec import LoopSpec
from lineage.loop.steps.protocol import Job
from lineage.loop.steps.tokenizer import make_blank
from lineage.loop.steps.train import train

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

SPEC: dict[str, Any] = {
    "name": "tiny",
    "num_generations": 1,
    "seed": 3,
    "model": {
        "config": {
            "model_type": "gpt2",
            "n_layer": 1,
            "n_embd": 16,
            "n_head": 2,
            "n_positions": 24,
        },
        "tokenizer": {"vocab_size": 280},
    },
    "dataset": {"train_file": "human.txt", "block_size": 16},
    "generation": {"num_samples": 30, "shard_size": 8},
    "training": {
        "max_steps": 12,
        "per_device_train_batch_size": 4,
        "learning_rate": 5e-3,
        "save_steps": 4,
    },
}
HUMAN = [
    f"The {animal} {verb} the {thing}."
    for animal in ("fox", "owl", "bee", "cat", "naïve cow")
    for verb in ("sees", "wants", "eats")
    for thing in ("moon", "bread")
]


def spec(base: Path, **sections: Any) -> LoopSpec:
    """The tiny spec with fields of some sections replaced."""
    merged = {
        key: SPEC.get(key, {}) | value if isinstance(value, dict) else value
        for key, value in sections.items()
    }
    return LoopSpec.parse(SPEC | merged, base)


def records(folder: Path, texts: list[str], stem: str = "human") -> Path:
    """A dataset folder with a record for each text."""
    rows = [{"id": f"{stem}-{n}", "text": text} for n, text in enumerate(texts)]
    write_shards(folder, stem, rows, 20)
    return folder


def job_for(place: Path, step: str, inputs: Mapping[str, Path], **more: Any) -> Job:
    """A job whose output and scratch lie under `place`."""
    sections = more.pop("sections", {})
    for name in ("out", "scratch"):
        (place / name).mkdir(parents=True, exist_ok=True)
    given: dict[str, Any] = {
        "step": step,
        "generation": 1,
        "attempt": 0,
        "seed": 5,
        "spec": spec(place, **sections),
        "inputs": inputs,
        "ids": {role: f"id of {role}" for role in inputs},
        "roots": {role: f"root of {role}" for role in inputs},
        "output": place / "out",
        "scratch": place / "scratch",
    }
    return Job(**(given | more))


@pytest.fixture
def job(tmp_path: Path) -> Callable[..., Job]:
    """Make jobs: `job("train", {"dataset": …}, sections={…}, place="a")`."""

    def make(
        step: str, inputs: Mapping[str, Path], *, place: str = "job", **more: Any
    ) -> Job:
        return job_for(tmp_path / place, step, inputs, **more)

    return make


@pytest.fixture(scope="session")
def human(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with thirty human records."""
    return records(tmp_path_factory.mktemp("human"), HUMAN)


@pytest.fixture(scope="session")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The config and tokenizer that the tiny model starts from."""
    folder = tmp_path_factory.mktemp("blank")
    make_blank(spec(folder), HUMAN, folder)
    return folder


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory, human: Path, blank: Path) -> Path:
    """A tiny model, trained from scratch on the human records."""
    place = tmp_path_factory.mktemp("model")
    inputs = {"dataset": human, "base": blank}
    train(job_for(place, "train", inputs, generation=0))
    return place / "out"

"""What built-in steps read of `loop.yaml` is what they say, and so in their keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lineage.loop.spec import LoopSpec
from lineage.loop.spec.errors import Section
from lineage.loop.steps import find_steps

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lineage.loop.steps.protocol import Job

    MakeJob = Callable[..., Job]

# Where something is done, by whom, how much at once, and which files nobody may write
# to: it shapes no result. What stands in for a step is in the key by its code.
SHAPES_NOTHING = {
    "name",
    "model.device_map",
    "generation.batch_size",
    "dataset.train_file",
    "dataset.validation_file",
    "steps",
    "launcher",
}
SECTIONS: dict[str, Any] = {
    "generation": {"num_samples": 4, "shard_size": 8, "stop": ["zzz"]},
    "evaluation": {"measures": ["own.py:count", "own.py:weigh"]},
    "selection": {"by": "own.py:score", "keep": "above", "threshold": 0.0},
    "gates": [
        {"type": "check_record", "min_pass_rate": 0},
        {"type": "suite", "suite": "suite.jsonl", "max_new_tokens": 4},
        {"type": "tails"},
    ],
    "training": {"max_steps": 1, "per_device_train_batch_size": 4},
}
OWN = """
def score(record):
    return 1.0


def count(texts, seed):
    return len(texts)


def weigh(model, seed):
    return 1


def check_record(record):
    return True
"""


def watched(section: Any, prefix: str, seen: set[str]) -> None:
    """Let a section note which of its fields are looked at."""
    kind: Any = type(section)

    class Watched(kind):  # type: ignore[misc]
        def __getattribute__(self, name: str) -> Any:
            value = super().__getattribute__(name)
            if name in kind.model_fields and not isinstance(value, Section):
                seen.add(prefix + name)
            return value

    for name in kind.model_fields:
        value = getattr(section, name)
        if isinstance(value, Section) and isinstance(section, LoopSpec):
            watched(value, f"{name}.", seen)
    object.__setattr__(section, "__class__", Watched)


@pytest.mark.parametrize(
    "step", ["generate", "check", "mix", "train", "evaluate", "judge"]
)
def test_a_step_reads_no_more_than_it_says(
    job: MakeJob, tmp_path: Path, human: Path, model: Path, step: str
) -> None:
    """Else another loop would take over what it would not have made."""
    (tmp_path / "job").mkdir()
    for name in ("own.py", "checks.py"):
        (tmp_path / "job" / name).write_text(OWN)
    case = '{"prompt": "The fox", "expect": {"contains": "e"}}'
    (tmp_path / "job" / "suite.jsonl").write_text(case)
    given = {
        "generate": {"model": model, "human": human},
        "check": {"generated": human, "human": human, "base": model},
        "mix": {"human": human, "g001": human, "base": model},
        "train": {"dataset": human, "base": model, "parent": model},
        "evaluate": {"model": model, "held_out": human},
        "judge": {"model": model, "held_out": human, "human": human},
    }
    facts: dict[str, Any] = {"metrics": {}, "parent": {}, "zero": {}}
    task = job(step, given[step], sections=SECTIONS, facts=facts)
    found, seen = find_steps(task.spec, 0)[step], set[str]()
    task.spec.resolved()  # files are read by now, as they are in a run
    watched(task.spec, "", seen)
    found(task)
    said = found.reads or ()
    allowed = {*said, *SHAPES_NOTHING}
    assert seen
    assert {s for s in seen if not {s, s.partition(".")[0]} & allowed} == set()

"""A night of a loop: nine generations, and what can come between them."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import lineage
from lineage.errors import GateFailed, WaitingForReview
from lineage.loop.reviews.deciding import decide
from lineage.loop.reviews.standing import Reviews
from lineage.loop.running.runner import run
from lineage.verify import verify

if TYPE_CHECKING:
    from pathlib import Path

Toy = Any

# Generation 2's first try is hot: every word there is, as at a high temperature.
# Generation 5's first model is worse. In 7 the machine dies, where it is to.
NIGHT = """
import json
import os
import signal
from pathlib import Path

import steps


def generate(job):
    if (job.generation, job.attempt) != (2, 0):
        return steps.generate(job)
    words = json.loads((job.inputs["model"] / "words.json").read_text())
    lines = [json.dumps({"id": str(n), "text": " ".join(words)}) for n in range(12)]
    (job.output / "written.jsonl").write_text("\\n".join(lines) + "\\n")


def train(job):
    dies = Path(__file__).with_name("dies")
    if job.generation == 7 and dies.exists():
        dies.unlink()
        os.kill(os.getpid(), signal.SIGKILL)
    return steps.train(job)


def evaluate(job):
    worse = (job.generation, job.attempt) == (5, 0)
    gate = {"id": "worse", "verdict": "fail" if worse else "pass", "action": "stop"}
    return steps.evaluate(job) | {"gates": [gate]}
"""
CHECKS = """
def check_record(record):
    assert len(record["text"].split()) == 8, "not as long as a record is"
"""
RUN = """
import sys

import lineage
from lineage.loop.running.runner import run

run(lineage.open(sys.argv[1]), sys.argv[1] + "/loop.yaml")
"""
PERSON = [
    "approve 3",
    "stopped 5",
    "reject 6",
    "stopped 6",
    "approve 6",
    "approve 9",
]


def configure(toy: Toy) -> Path:
    toy.write("night.py", NIGHT)
    toy.write("checks.py", CHECKS)
    path: Path = toy.configure(
        num_generations=9,
        mixing={"strategy": "replace"},
        review={"every": 3},
        gates=[{"type": "check_record", "action": "retry"}],
        steps={name: f"night:{name}" for name in ("generate", "train", "evaluate")},
    )
    return path


def night(toy: Toy, *, dies: bool) -> tuple[str, list[str]]:
    """Run to the end as a person would; the head, and what they saw and did."""
    path, seen = configure(toy), list[str]()
    while True:
        if dies and seen[-1:] == ["approve 6"]:
            toy.write("dies", "")
            command = [sys.executable, "-c", RUN, str(path.parent)]
            assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
        try:
            return run(toy.registry, path, progress=toy.watch).head, seen
        except WaitingForReview:
            [waiting] = Reviews.read(toy.registry).waiting.values()
            again = f"reject {waiting.generation}" in seen
            verdict: Any = (
                "reject" if waiting.generation == 6 and not again else "approve"
            )
            decide(toy.registry, waiting.subject, verdict, "looked at it")
            seen.append(f"{verdict} {waiting.generation}")
        except GateFailed as error:
            seen.append(f"stopped {str(error).split()[1]}")


def test_a_night_ends_as_the_spec_says(toy: Toy, tmp_path: Path) -> None:
    """A bad generation is tried again, a worse model stops, a person sends one back.

    And the night in which the machine died once ends with the very same ids.
    """
    head, seen = night(toy, dies=False)
    assert seen == PERSON
    assert [(does, why) for does, _, why in toy.watch.aside] == [
        ("retry", toy.watch.aside[0][2])
    ]
    attempts = {
        commit.params["generation"]: commit.params["attempt"]
        for commit in map(toy.registry.load, toy.branch())
    }
    assert {n: a for n, a in attempts.items() if a} == {2: 1, 5: 1, 6: 1}
    assert len(attempts) == 10

    with lineage.init(tmp_path / "dying") as registry:
        assert night(type(toy)(registry), dies=True) == (head, PERSON)
        assert list(verify(registry).problems) == []
        assert registry.names("runs") == {}

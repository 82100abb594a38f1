"""A whole loop without torch: steps that count words, so that a run takes no time."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from lineage.errors import WaitingForReview
from lineage.loop.reviews.asking import place_of, question
from lineage.loop.reviews.standing import Reviews
from lineage.loop.running.progress import Activity, Finished, Progress
from lineage.loop.running.runner import LoopResult, run
from lineage.loop.spec.review import ReviewSpec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from lineage import Registry

STEPS = '''\
"""A model is how often it has seen each word."""

import json
import random
from collections import Counter


def texts(folder):
    for shard in sorted(folder.rglob("*.jsonl")):
        for line in shard.read_text().splitlines():
            yield json.loads(line)["text"]


def generate(job):
    words = json.loads((job.inputs["model"] / "words.json").read_text())
    draw = random.Random(job.seed)
    rows = [draw.choices(list(words), words.values(), k=8) for _ in range(12)]
    records = [{"id": str(n), "text": " ".join(row)} for n, row in enumerate(rows)]
    lines = map(json.dumps, records)
    (job.output / "written.jsonl").write_text("\\n".join(lines) + "\\n")
    return {"circumstances": {"tokens": 96}}


def train(job):
    words = Counter(word for t in texts(job.inputs["dataset"]) for word in t.split())
    (job.output / "words.json").write_text(json.dumps(words, sort_keys=True))


def evaluate(job):
    words = json.loads((job.inputs["model"] / "words.json").read_text())
    seen = [w in words for t in texts(job.inputs["held_out"]) for w in t.split()]
    return {"metrics": {"known": sum(seen) / len(seen)}}
'''
TEXT = "\n\n".join(
    f"The {animal} that {verb} the {thing} is {mood}."
    for animal in ("fox", "owl", "bee", "cat")
    for verb in ("sees", "wants", "eats")
    for thing in ("moon", "bread")
    for mood in ("glad", "sad")
)
SPEC: dict[str, Any] = {
    "name": "toy",
    "num_generations": 2,
    "model": {"model_name_or_path": "seed", "init_from": "parent"},
    "dataset": {"train_file": "human.txt", "block_size": 12, "origin": "human"},
    "steps": {
        "generate": "steps:generate",
        "train": "steps:train",
        "evaluate": "steps:evaluate",
    },
}


@dataclass
class Watch(Progress):
    """Keeps what a run tells."""

    did: list[str] = field(default_factory=list)
    recalled_: list[str] = field(default_factory=list)
    reused_: list[str] = field(default_factory=list)
    aside: list[tuple[str, str, str]] = field(default_factory=list)
    generations: list[Finished] = field(default_factory=list)
    fractions: list[float] = field(default_factory=list)

    def finished(self, activity: Activity, circumstances: Mapping[str, Any]) -> None:
        assert circumstances["seconds"] >= 0
        self.did.append(f"{activity.generation} {activity.step}")

    def advanced(
        self, activity: Activity, fraction: float, remaining: float | None
    ) -> None:
        assert (remaining is None) == (fraction <= 0)
        assert activity.num_generations > 0
        self.fractions.append(fraction)

    def recalled(self, activity: Activity) -> None:
        self.recalled_.append(f"{activity.generation} {activity.step}")

    def reused(self, activity: Activity, where: str) -> None:
        self.reused_.append(f"{activity.generation} {activity.step} {where}")

    def set_aside(self, activity: Activity, branch: str, reason: str) -> None:
        self.aside.append((activity.step, branch, reason))

    def generation(self, finished: Finished) -> None:
        self.generations.append(finished)


@dataclass
class Toy:
    """The toy loop in a registry, and what its last run told."""

    registry: Registry
    watch: Watch = field(default_factory=Watch)
    steps = SPEC["steps"]

    def __post_init__(self) -> None:
        self.write("steps.py", STEPS)
        self.write("human.txt", TEXT)
        self.write("seed/words.json", json.dumps({"fox": 1, "moon": 1, "glad": 1}))

    def write(self, name: str, content: str) -> Path:
        path = self.registry.root / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
        return path

    def configure(self, **sections: Any) -> Path:
        """Write `loop.yaml` with some sections replaced."""
        return self.write("loop.yaml", yaml.safe_dump(SPEC | sections))

    def run(self, **sections: Any) -> LoopResult:
        """Write `loop.yaml` with some sections replaced, and run it."""
        path = self.configure(**sections)
        self.watch = Watch()
        return run(self.registry, path, progress=self.watch)

    def pause(self, **sections: Any) -> str:
        """Run until a review is due and give the commit that it is about."""
        with pytest.raises(WaitingForReview):
            self.run(**sections)
        [subject] = Reviews.read(self.registry).waiting
        return subject

    def types(self) -> list[str]:
        """The types of all events, oldest first."""
        return [event.type for _, event in self.registry.events()][::-1]

    def review(self, subject: str, verdict: str, **more: Any) -> None:
        """Decide about a commit as `lineage review` does, asked or not."""
        ballot = Reviews.read(self.registry).ballots.get(subject)
        asked = ballot.request.data if ballot and ballot.request else None
        if asked is None:
            place, terms = place_of(self.registry, subject), ReviewSpec()
            asked = question(self.registry, subject, place, terms, on="", why="")
            self.registry.attest("review_requested", subject=subject, data=asked)
        data = {"verdict": verdict, "by": "Ada", "note": "looked at it"} | more
        data["packet"] = asked["packet"]["sha256"]
        self.registry.attest("review", subject=subject, data=data)

    def branch(self, name: str = "loop/toy") -> list[str]:
        """The ids of a branch's generations, newest first."""
        ids = [self.registry.branches()[name]]
        while before := self.registry.load(ids[-1]).ids("follows"):
            ids.append(before[0])
        return ids


@pytest.fixture
def toy(repo: Registry) -> Toy:
    """The toy loop in an empty registry."""
    return Toy(repo)


@pytest.fixture
def steps_with() -> Callable[[str, str], dict[str, Any]]:
    """The toy's `steps` section with one of them replaced."""

    def replaced(name: str, step: Any) -> dict[str, Any]:
        return {**SPEC["steps"], name: step}

    return replaced

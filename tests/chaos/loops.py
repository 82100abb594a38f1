"""Actors that run loops, without torch; and the same loops in calm, to compare."""

from __future__ import annotations

import json
from itertools import pairwise
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.chaos.world import World

GENERATIONS, NEVER_ENDS = 4, 400
SPEC = f"""
name: {{name}}
num_generations: {GENERATIONS}
seed: {{seed}}
model: {{{{model_name_or_path: seed}}}}
dataset: {{{{train_file: human.txt, block_size: 12, origin: human}}}}
mixing: {{{{strategy: accumulate}}}}
steps: {{{{generate: steps:generate, train: steps:train, evaluate: steps:evaluate}}}}
gates:
  - {{{{type: diversity, min: 0.05, max: 20, action: retry}}}}
review: {{{{every: 3}}}}
"""
STEPS = '''
"""Which word follows which: a model that is learned in no time."""

import json
import random
import time
from collections import defaultdict
from pathlib import Path


def learn(texts):
    follows = defaultdict(list)
    for text in texts:
        words = text.split()
        for word, after in zip(words, words[1:]):
            follows[word].append(after)
    return follows


def generate(job):
    follows = json.loads(Path(job.inputs["model"], "follows.json").read_text())
    draw = random.Random(job.seed)
    with Path(job.output, "new.jsonl").open("w") as file:
        for number in range(60):
            text = [draw.choice(sorted(follows))]
            while len(text) < 12 and follows.get(text[-1]):
                text.append(draw.choice(follows[text[-1]]))
            file.write(json.dumps({"text": " ".join(text) + f" {number}"}) + "\\n")
            time.sleep(0.005)


def train(job):
    texts = [
        json.loads(line)["text"]
        for path in sorted(Path(job.inputs["dataset"]).rglob("*.jsonl"))
        for line in path.read_text().splitlines()
    ]
    time.sleep(0.3)
    text = json.dumps(learn(texts), sort_keys=True)
    Path(job.output, "follows.json").write_text(text)


def evaluate(job):
    follows = json.loads(Path(job.inputs["model"], "follows.json").read_text())
    words = {"value": len(follows), "definition": "words", "version": 1}
    return {"metrics": {"words": words}}
'''
WORDS = ("one", "two", "three", "four", "five", "six", "seven", "red", "blue", "green")


def lay(folder: Path, name: str) -> None:
    """Write a loop's files; the same for the same name."""
    draw = Random(name)
    (folder / "seed").mkdir(parents=True, exist_ok=True)
    lines = [" ".join(draw.choices(WORDS, k=14)) for _ in range(300)]
    follows: dict[str, list[str]] = {}
    for line in lines[:50]:
        words = line.split()
        for word, later in pairwise(words):
            follows.setdefault(word, []).append(later)
    texts = {
        "human.txt": "\n\n".join(lines),
        "seed/follows.json": json.dumps(follows, sort_keys=True),
        "steps.py": STEPS,
        "loop.yaml": SPEC.format(name=name, seed=draw.randrange(1000)),
    }
    for path, text in texts.items():
        (folder / path).write_text(text, encoding="utf-8")


class Looper:
    """Runs a loop until it is finished, whatever comes between; then the next one."""

    def __init__(self, world: World, name: str, place: str, rng: Random) -> None:
        self.world, self.name, self.place, self.rng = world, name, place, rng
        self.number, self.tries = 0, 0
        self.loop = ""

    def act(self) -> None:
        """Run the loop, or go on with it, or decide what it waits for."""
        if not self.loop:
            name = f"{self.name}-{self.number}"
            lay(self.world.root(self.place) / "loops" / name, name)
            self.loop, self.tries = name, 0
            self.number += 1
        self.go_on()

    def go_on(self) -> bool:
        """One try; whether the loop is finished."""
        self.tries += 1
        spec = str(self.folder / "loop.yaml")
        done = self.world.lineage(self.name, self.place, "loop", "run", spec)
        if done.code == 0:
            with self.world.known.lock:
                self.world.known.loops.append((self.place, self.loop))
            self.world.journal.note("loop finished", tries=self.tries)
            self.loop = ""
            return True
        if done.code == 10:
            self.world.lineage(
                self.name,
                self.place,
                "review",
                "approve",
                self.loop,
                "--note",
                "read it",
            )
        elif self.tries > NEVER_ENDS:
            self.world.journal.find(f"{self.place}: {self.loop} never ends: {done.err}")
            self.loop = ""
        return False

    @property
    def folder(self) -> Path:
        return self.world.root(self.place) / "loops" / self.loop

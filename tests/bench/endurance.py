"""A hundred generations of one loop, and one of a hundred megabytes.

    python tests/bench/endurance.py

Steps are plain Python and take next to no time, so what grows here is the runner.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

import yaml

import lineage
from lineage.loop.running.progress import Finished, Progress
from lineage.loop.running.runner import run

GENERATIONS, MEGABYTES = 100, 100
STEPS = """
import json
import os
import random


def generate(job):
    words = json.loads((job.inputs["model"] / "words.json").read_text())
    draw = random.Random(job.seed)
    rows = [" ".join(draw.choices(words, k=8)) for _ in range(12)]
    lines = [json.dumps({"id": str(n), "text": row}) for n, row in enumerate(rows)]
    (job.output / "written.jsonl").write_text("\\n".join(lines) + "\\n")


def train(job):
    (job.output / "words.json").write_text(json.dumps(["fox", "owl", "bee"]))
    (job.output / "weights").write_bytes(os.urandom(SIZE))


def evaluate(job):
    return {"metrics": {"size": 3}}
"""
SPEC = {
    "name": "long",
    "model": {"model_name_or_path": "seed"},
    "dataset": {"train_file": "human.txt", "block_size": 12},
    "steps": {n: f"steps:{n}" for n in ("generate", "train", "evaluate")},
}


class Watch(Progress):
    """Notes the memory and the time of every generation."""

    def __init__(self) -> None:
        self.memory, self.seconds = list[int](), list[float]()
        self._last = time.monotonic()

    def generation(self, finished: Finished) -> None:
        del finished
        now = time.monotonic()
        self.seconds.append(now - self._last)
        self._last = now
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        self.memory.append(pages * 4096)


def loop(root: Path, generations: int, size: int) -> Watch:
    """Run a loop whose models have `size` bytes."""
    (root / "seed").mkdir(parents=True)
    (root / "seed" / "words.json").write_text(json.dumps(["fox", "owl"]))
    (root / "human.txt").write_text("\n\n".join(f"The fox is {n}." for n in range(40)))
    (root / "steps.py").write_text(STEPS.replace("SIZE", str(size)))
    spec = root / "loop.yaml"
    spec.write_text(yaml.safe_dump(SPEC | {"num_generations": generations}))
    watch = Watch()
    with lineage.init(root) as registry:
        run(registry, spec, progress=watch)
    return watch


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        long = loop(Path(folder) / "long", GENERATIONS, 100)
        large = loop(Path(folder) / "large", 3, MEGABYTES * 2**20)
        small = loop(Path(folder) / "small", 3, 100)
    print("| generation | seconds each, median of ten | resident MB |")
    print("|---|---|---|")
    for end in range(10, GENERATIONS + 1, 30):
        each = statistics.median(long.seconds[end - 9 : end + 1])
        print(f"| {end} | {each:.2f} | {long.memory[end] / 1e6:.0f} |")
    more = statistics.median(large.seconds[1:]) - statistics.median(small.seconds[1:])
    print(f"\nA model of {MEGABYTES} MiB adds {more:.2f} s to a generation.")


if __name__ == "__main__":
    main()

"""A hundred generations of one loop, and one of a hundred megabytes.

    python tests/bench/endurance.py

Steps are plain Python and take next to no time, so what grows here is the runner,
and with `accumulate` the training set, which has the records of all generations.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

import yaml

import lineage
from lineage.loop.running.progress import Activity, Finished, Progress
from lineage.loop.running.runner import run

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    """Notes the memory and the time of every generation, and what steps took of it."""

    def __init__(self) -> None:
        self.memory = list[int]()
        self.seconds, self.cpu, self.beside = (
            list[float](),
            list[float](),
            list[float](),
        )
        self._last, self._cpu, self._steps = time.monotonic(), cpu(), 0.0

    def finished(self, activity: Activity, circumstances: Mapping[str, Any]) -> None:
        del activity
        self._steps += circumstances["seconds"]

    def generation(self, finished: Finished) -> None:
        del finished
        now, used = time.monotonic(), cpu()
        self.seconds.append(now - self._last)
        self.cpu.append(used - self._cpu)
        self.beside.append(self.seconds[-1] - self._steps)
        self._last, self._cpu, self._steps = now, used, 0.0
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        self.memory.append(pages * 4096)


def cpu() -> float:
    """Seconds of CPU that this process and its children have had."""
    return sum(os.times()[:4])


def loop(root: Path, generations: int, size: int, strategy: str) -> Watch:
    """Run a loop whose models have `size` bytes."""
    (root / "seed").mkdir(parents=True)
    (root / "seed" / "words.json").write_text(json.dumps(["fox", "owl"]))
    (root / "human.txt").write_text("\n\n".join(f"The fox is {n}." for n in range(40)))
    (root / "steps.py").write_text(STEPS.replace("SIZE", str(size)))
    spec = root / "loop.yaml"
    spec.write_text(
        yaml.safe_dump(
            SPEC | {"num_generations": generations, "mixing": {"strategy": strategy}}
        )
    )
    watch = Watch()
    with lineage.init(root) as registry:
        run(registry, spec, progress=watch)
    return watch


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        long = {
            strategy: loop(root / strategy, GENERATIONS, 100, strategy)
            for strategy in ("replace", "accumulate")
        }
        large = loop(root / "large", 5, MEGABYTES * 10**6, "replace")
        small = loop(root / "small", 5, 100, "replace")
    print("| strategy | generations | wall each | CPU each | resident |")
    print("|---|---|---:|---:|---:|")
    for strategy, watch in long.items():
        for end in range(10, GENERATIONS + 1, 30):
            last = slice(end - 9, end + 1)
            wall, used = (
                statistics.median(each[last]) for each in (watch.seconds, watch.cpu)
            )
            print(
                f"| {strategy} | {end - 9} to {end} | {wall:.2f} s | {used:.2f} s "
                f"| {watch.memory[end] / 1e6:.0f} MB |"
            )
    more, less = (statistics.median(each.beside[1:]) for each in (large, small))
    print(
        f"\nBeside its steps a generation takes {more:.2f} s with a model of "
        f"{MEGABYTES} MB and {less:.2f} s with one of 100 bytes (medians of five)."
    )


if __name__ == "__main__":
    main()

"""Two safetensors files compared, beside numpy's sums of both from memory.

    python tests/bench/diff_tensors.py [--mb 1000] [--rounds 5] [--in DIR]

In "all tuned" every element is another, in float32 and in bfloat16, of which as many
bytes are twice as many elements. Each figure is the median of processes of their own
that take turns; peak memory is the whole process's. theta.py measures git-theta.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.measure import machine

_SIDE = 2048  # rows and columns of a matrix: 16 MB in float32

_SUMS = """
import sys, time, json, os
import numpy as np
from concurrent.futures import ThreadPoolExecutor
threads, mapped = int(sys.argv[3]), sys.argv[4] == "mapped"
load = (lambda p: np.memmap(p, "<f4", "r", offset=os.path.getsize(p) % 4)) if mapped \\
    else (lambda p: np.fromfile(p, "<f4", offset=os.path.getsize(p) % 4))
parts = [part for p in sys.argv[1:3] for part in np.array_split(load(p), threads)]
with ThreadPoolExecutor(threads) as pool, np.errstate(all="ignore"):
    list(pool.map(lambda a: a[:1].sum(), parts))
    begun = time.perf_counter()
    list(pool.map(np.sum, parts))
    spent = time.perf_counter() - begun
[peak] = [l.split()[1] for l in open("/proc/self/status") if l.startswith("VmHWM")]
print(json.dumps([spent, int(peak) * 1024]))
"""

_OURS = """
import sys, time, json
from pathlib import Path
import numpy
from lineage.diff.tensors import comparing, safe
sides = [{t.name: t for t in safe.read(Path(p), p).tensors} for p in sys.argv[1:3]]
pairs = [(a, sides[1][name]) for name, a in sides[0].items()]
begun = time.perf_counter()
found = comparing.compare(pairs, lambda _: None)
spent = time.perf_counter() - begun
[peak] = [l.split()[1] for l in open("/proc/self/status") if l.startswith("VmHWM")]
print(json.dumps([spent, int(peak) * 1024]))
"""


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the comparison of tensors.")
    parser.add_argument("--mb", type=int, default=1000, help="size of each file")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--in", dest="place", metavar="DIR")
    given = parser.parse_args()
    threads = str(len(os.sched_getaffinity(0)))
    with tempfile.TemporaryDirectory(dir=given.place) as folder:
        top = Path(folder)
        print(f"{machine(top)}. Two files of {given.mb} MB, median of {given.rounds}.")
        base, *others = _files(top, given.mb)
        brains = _brains(top, base)
        contestants: dict[str, tuple[object, ...]] = {
            "numpy sums, in memory, one thread": (_SUMS, base, others[0], "1", "held"),
            f"numpy sums, in memory, {threads} threads": (
                _SUMS, base, others[0], threads, "held"),
            f"numpy sums, mapped, {threads} threads": (
                _SUMS, base, others[0], threads, "mapped"),
        }  # fmt: skip
        ours = {f"lineage, {path.stem}": (_OURS, base, path) for path in others}
        contestants |= ours | {"lineage, all tuned, bf16": (_OURS, *brains)}
        runs: dict[str, list[list[float]]] = {name: [] for name in contestants}
        for _ in range(given.rounds):
            for name, (code, *arguments) in contestants.items():
                runs[name].append(_run(str(code), *map(str, arguments)))
        _table(runs, given.mb)


def _files(top: Path, mb: int) -> list[Path]:
    """A model, and others: a copy, one with one layer tuned, one with all."""
    import numpy as np
    from safetensors.numpy import save_file

    count, draw = max(1, mb * 10**6 // (4 * _SIDE**2)), np.random.default_rng(0)
    base = {
        f"model.layers.{i}.mlp.up_proj.weight":
        draw.standard_normal((_SIDE, _SIDE), np.float32) * np.float32(0.02)
        for i in range(count)
    }  # fmt: skip
    noise = draw.standard_normal((_SIDE, _SIDE), np.float32) * np.float32(1e-4)
    last = [*base][-1]
    models = {
        "base": base,
        "the same": base,
        "last layer tuned": {**base, last: base[last] + noise},
        "all tuned": {name: value + noise for name, value in base.items()},
    }
    for name, tensors in models.items():
        save_file(tensors, top / f"{name}.safetensors")
    return [top / f"{name}.safetensors" for name in models]


def _brains(top: Path, base: Path) -> list[Path]:
    """A model in bfloat16, each tensor twice to be as large, and one with all tuned."""
    import torch
    from safetensors.torch import load_file, save_file

    found = []
    for name, factor in (("base", 1), ("all tuned", 1 + 2**-6)):
        scaled = {key: value * factor for key, value in load_file(base).items()}
        short = {key: value.to(torch.bfloat16) for key, value in scaled.items()}
        twice = short | {f"{key}.again": v.clone() for key, v in short.items()}
        found.append(top / f"{name}, bf16.safetensors")
        save_file(twice, found[-1])
    return found


def _run(code: str, *arguments: str) -> list[float]:
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env=kept, capture_output=True, text=True, check=True,
    )  # fmt: skip
    found: list[float] = json.loads(done.stdout)
    return found


def _table(runs: dict[str, list[list[float]]], mb: int) -> None:
    print("\n| | seconds | from, to | GB/s | of memory, all threads | peak memory |")
    print("|---|---:|---:|---:|---:|---:|")
    reference = statistics.median(r[0] for r in [*runs.values()][1])
    for name, found in runs.items():
        spent = [seconds for seconds, _ in found]
        middle = statistics.median(spent)
        memory = max(memory for _, memory in found) / 1e6
        print(
            f"| {name} | {middle:.3f} | {min(spent):.3f}, {max(spent):.3f} "
            f"| {2 * mb / 1e3 / middle:.1f} | {reference / middle:.0%} "
            f"| {memory:.0f} MB |"
        )


if __name__ == "__main__":
    main()

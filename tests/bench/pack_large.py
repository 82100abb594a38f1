"""Packing files that are much larger than memory may be: seconds and peak memory.

    python tests/bench/pack_large.py [GIGABYTES] [--in DIR]

A bfloat16 model of so many GB (10) in one safetensors file, and one tuned from it: each
weight moved by about a thousandth of its size. Takes four times that on the disk.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.measure import LINEAGE, METER, environment, machine

TENSOR = 250_000_000  # weights of one tensor: 500 MB


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("gigabytes", nargs="?", type=int, default=10)
    parser.add_argument("--in", dest="place", metavar="DIR", help="a real disk")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="pack-large-", dir=given.place) as name:
        folder = Path(name)
        print(f"{machine(folder)}.\n")
        _lineage(folder, "init")
        for model, edge in (("base", ()), ("tuned", ("--fine-tuned-from", "base"))):
            write(folder / f"{model}.safetensors", given.gigabytes * 2, model != "base")
            said = ("commit", "model", f"{model}.safetensors", "--name", model, *edge)
            _lineage(folder, *said, "--branch", model)
            (folder / f"{model}.safetensors").unlink()
        _table(folder, given.gigabytes)


def write(path: Path, tensors: int, tuned: bool) -> None:  # noqa: FBT001
    """Write a model, tensor by tensor; what is drawn is the same for both."""
    import numpy as np

    sizes = {
        f"layer.{n}": (2 * TENSOR * n, 2 * TENSOR * (n + 1)) for n in range(tensors)
    }
    header = json.dumps(
        {
            name: {"dtype": "BF16", "shape": [TENSOR], "data_offsets": at}
            for name, at in sizes.items()
        }
    ).encode()
    with path.open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        for seed in range(tensors):
            drawn = np.random.default_rng(seed)
            for _ in range(10):
                weights = drawn.standard_normal(TENSOR // 10, np.float32)
                weights *= np.float32(0.02)
                moved = drawn.standard_normal(TENSOR // 10, np.float32)
                if tuned:
                    weights *= 1 + np.float32(1e-3) * moved
                file.write((weights.view(np.uint32) >> 16).astype(np.uint16).data)


def _table(folder: Path, gigabytes: int) -> None:
    print("|  | wall | MB a second | CPU | peak memory | bytes of the store |")
    print("|---|---:|---:|---:|---:|---:|")
    for words in (("pack", "all()"), ("get", "tuned", "out"), ("unpack", "--all")):
        wall, cpu, peak = _lineage(folder, *words)
        whole = 1e3 * gigabytes * (1 if words[0] == "get" else 2)
        cache = folder / ".dvc" / "cache"
        found = [file.stat() for file in cache.rglob("*") if file.is_file()]
        stored = sum({each.st_ino: each.st_size for each in found}.values())
        print(
            f"| `lineage {' '.join(words)}` | {wall:.0f} s | {whole / wall:.0f} "
            f"| {cpu:.0f} s | {peak / 1e6:.0f} MB | {stored / 1e9:.2f} GB |",
            flush=True,
        )


def _lineage(folder: Path, *words: str) -> tuple[float, float, float]:
    """Wall and CPU seconds of a command, and bytes at its peak."""
    with tempfile.NamedTemporaryFile("r") as told:
        command = [sys.executable, METER, told.name, LINEAGE, "-q", *words]
        subprocess.run(
            command,
            cwd=folder,
            env=environment(),
            check=True,
            stdout=subprocess.DEVNULL,
        )
        wall, cpu, peak, code = map(float, told.read().split())
    if code:
        sys.exit(f"lineage {words[0]} ended with {code:.0f}")
    return wall, cpu, peak


if __name__ == "__main__":
    main()

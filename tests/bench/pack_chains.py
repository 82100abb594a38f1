"""What ADR 0040 was decided by: how long chains may be, and what reading them takes.

    python tests/bench/pack_chains.py [--mb 32] [FILE.safetensors...]

The files are generations of one model, the oldest first; without any, bfloat16 weights
of which every one moves a little each time. Chains of at most so many bases go on from
their root, or end with a plain block.

Times are CPU seconds over two, as if two cores had nothing else to do: a busy machine
disturbs them less than it does a clock.
"""

from __future__ import annotations

import argparse
import hashlib
import resource
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, BinaryIO, cast

sys.path.insert(0, str(Path(__file__).parents[2]))

from lineage.store.packed import writer as writing
from lineage.store.packed.format import BLOCK
from lineage.store.packed.packs import Packs
from lineage.store.packed.split import extents
from lineage.store.packed.writer import Piece, Writer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

GENERATIONS = 11
BOUNDS = (1, 2, 3, 4, 6, 8)


class WithoutRoots(Writer):
    """A writer that ends a full chain with a plain block."""

    def _root(self, *_: object) -> None:
        return None


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure chains of blocks.")
    parser.add_argument("--mb", type=int, default=32)
    parser.add_argument("files", nargs="*", type=Path)
    given = parser.parse_args()
    with TemporaryDirectory() as folder:
        files = given.files or list(drifting(Path(folder), given.mb << 20))
        print("| bases | kept | ends plain | pack MB/s | unpack MB/s | deepest MB/s |")
        print("|---|---|---|---|---|---|")
        for bound in BOUNDS:
            row(Path(folder), files, bound)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    print(f"\nmemory: {peak} MiB")


def row(folder: Path, files: Sequence[Path], bound: int) -> None:
    """Print what one bound costs and saves."""
    writing.CHAIN = bound
    packs = Packs(folder, str(bound))
    begun = clock()
    kept = packed(packs, folder, files, Writer)
    took = clock() - begun
    plain = packed(Packs(folder, f"{bound}p"), folder, files, WithoutRoots)
    whole = sum(path.stat().st_size for path in files)
    speeds = [whole / took, *unpacked(packs, files, bound)]
    cells = [f"{100 * size / whole:.1f} %" for size in (kept, plain)]
    cells += [f"{speed / 1e6:.0f}" for speed in speeds]
    print("|", " | ".join([str(bound), *cells]), "|", flush=True)


def packed(
    packs: Packs, folder: Path, files: Sequence[Path], kind: type[Writer]
) -> int:
    """Pack a chain of files; the size of the pack."""
    base: dict[tuple[str, int], bytes] = {}
    with kind(packs, folder / "pack") as writer:
        for path in files:
            md5, sha256 = digests(path)
            cuts = list(cut(path))
            pieces = (
                Piece(data, width, base.get((name, at)))
                for name, at, data, width in cuts
            )
            added = writer.add(md5, sha256, pieces)
            named = zip(cuts, added.segments, strict=True)
            base = {(name, at): part.block for (name, at, *_), part in named}
        name = writer.finish()
    return packs.publish(folder / "pack", name).size


def unpacked(packs: Packs, files: Sequence[Path], bound: int) -> Iterator[float]:
    """Read all files, and the one with the longest chain, in bytes a second."""
    oids = [digests(path)[0] for path in files]
    for chosen in (oids, oids[bound : bound + 1]):
        size, begun = 0, clock()
        for oid in chosen:
            fresh = Packs(packs.folder.parents[2], packs.folder.name)
            with cast("BinaryIO", fresh.open(oid)) as file:
                while chunk := file.read(1 << 20):
                    size += len(chunk)
        yield size / (clock() - begun)


def drifting(folder: Path, size: int) -> Iterator[Path]:
    """Write generations of one model."""
    import numpy as np

    rng = np.random.default_rng(0)
    weights = rng.standard_normal(size // 2, dtype=np.float32) / 50
    for number in range(GENERATIONS):
        path = folder / f"{number}.bf16"
        path.write_bytes((weights.view(np.uint32) >> 16).astype("<u2").tobytes())
        yield path
        weights += rng.standard_normal(weights.size, dtype=np.float32) / 5000


def cut(path: Path) -> Iterator[tuple[str, int, bytes, int]]:
    """The blocks of a file: name of the tensor, offset in it, bytes and width."""
    with path.open("rb") as file:
        for part in extents(file):
            for at in range(0, part.size, BLOCK):
                file.seek(part.start + at)
                data = file.read(min(BLOCK, part.size - at))
                yield part.name, at, data, part.width or 2


def digests(path: Path) -> tuple[str, str]:
    data = path.read_bytes()
    md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
    return md5, hashlib.sha256(data).hexdigest()


def clock() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return (used.ru_utime + used.ru_stime) / 2


if __name__ == "__main__":
    main()

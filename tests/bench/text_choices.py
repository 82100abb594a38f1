"""What ADR 0039 was decided by: sizes of pieces, levels of zstd, bases, dictionaries.

    python tests/bench/text_choices.py [--mb 10]

Two versions of each case; what the second takes beside the first, of its size. `cut`
is what cuts at the same places save; `like` has for each piece the most similar one of
the first version as dictionary.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[2]))

from lineage.store.packed import cutting
from lineage.store.packed.frames import deflated
from tests.bench.text_cases import datasets

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lineage.store.packed.cutting import Piece

GAPS = (1 << 13, 1 << 15, 1 << 17, 1 << 19)
LEVELS = (3, 6)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure how to pack text.")
    parser.add_argument("--mb", type=float, default=10)
    given = parser.parse_args()
    cases = {
        name: [text.encode() for text in versions]
        for name, versions in datasets(int(given.mb * 1e6), 2)
    }
    old = cases["accumulate"][0]
    begun = time.perf_counter()
    cutting.cut(old)
    print(f"cutting: {_rate(old, begun)}\n")
    print("| pieces | level | whole | speed | cut / like: " + " | ".join(cases), "|")
    for gap in GAPS:
        _cut_into(gap)
        for level in LEVELS:
            _row(cases, old, level)
    _dictionaries(old)


def _row(cases: Mapping[str, Sequence[bytes]], old: bytes, level: int) -> None:
    pieces = _pieces(old)
    begun = time.perf_counter()
    whole = sum(len(deflated(piece.data, level)) for piece in pieces)
    speed = _rate(old, begun)
    cells = [
        f"{_taken(new, pieces, level, like=False):.2%} / "
        f"{_taken(new, pieces, level, like=True):.2%}"
        for _, new in cases.values()
    ]
    mean = len(old) / len(pieces) / 1024
    row = (f"{mean:.0f} KiB", str(level), f"{whole / len(old):.1%}", speed, *cells)
    print(f"| {' | '.join(row)} |", flush=True)


def _taken(new: bytes, old: Sequence[Piece], level: int, *, like: bool) -> float:
    """What a text takes beside another one."""
    known = {trait: piece.data for piece in old for trait in piece.traits}
    seen = {hashlib.sha256(piece.data).digest() for piece in old}
    total = 0
    for piece in _pieces(new):
        if hashlib.sha256(piece.data).digest() not in seen:
            found = [known[trait] for trait in piece.traits if trait in known]
            base = max(found, key=found.count) if found and like else b""
            total += len(deflated(piece.data, level, base))
    return total / len(new)


def _dictionaries(old: bytes) -> None:
    """What a trained dictionary would save."""
    import zstandard

    _cut_into(GAPS[-1])
    data = [piece.data for piece in _pieces(old)]
    samples: list[bytes | bytearray | memoryview] = [
        each[at : at + 4096] for each in data for at in range(0, len(each), 1 << 16)
    ]
    trained = zstandard.train_dictionary(112_640, samples)
    held = zstandard.ZstdCompressionDict(trained.as_bytes())
    made = zstandard.ZstdCompressor(3, dict_data=held)
    total = sum(len(made.compress(each)) for each in data) + len(trained)
    print(f"\ntrained dictionary of 110 KiB, level 3: {total / len(old):.1%} of whole")


def _cut_into(gap: int) -> None:
    """Let pieces be of about one and a half times `gap`, eight times at most."""
    cutting.GAP, cutting.LEAST = gap, gap // 2
    vars(cutting).update(BLOCK=gap * 8, MOST=gap * 8 - cutting.LINE)


def _pieces(data: bytes) -> list[Piece]:
    return list(cutting.pieces(io.BytesIO(data)))


def _rate(data: bytes, begun: float) -> str:
    return f"{len(data) / 1e6 / (time.perf_counter() - begun):.0f} MB/s"


if __name__ == "__main__":
    main()

"""Blocks of a pack, decoded by each method: whatever is in them, they do not grow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lineage.errors import LineageError
from lineage.store.packed.codec import decode, encode, encode_text
from tests.store.packed.making import chain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

RUNS: Sequence[str] = ()
TRIES = 120
KEPT: Sequence[bytes] = ()
SIZE = 1600
BASE, NEXT = chain(2, count=SIZE // 4)
HEAD = 2  # bytes of an input that say how the rest is coded


def seeds(folder: Path) -> Sequence[bytes]:
    del folder
    text = encode_text(b"one two three " * 110)
    made = [encode(NEXT, 4, BASE), encode(NEXT, 2), encode(bytes(SIZE), 4), text]
    return [bytes([each.method, each.width]) + bytes(each.data) for each in made]


def attack(data: bytes, folder: Path) -> None:
    del folder
    method, width = (*data[:HEAD], 0, 0)[:2]
    for size in (SIZE, SIZE - 3, 14 * 110):
        for base in (BASE[:size], None):
            try:
                found = decode(data[HEAD:], method, width, size, base)
            except LineageError:
                continue
            assert len(found) == size

"""Where text is cut: at places that its content names, so that an edit moves few.

A cut lies where a hash of the 64 bytes before it is high, at the end of that line.
Where a piece ends depends on its own bytes alone: what follows an edit falls into the
same pieces again, which many versions then share. Cuts save space; nobody needs to
know them to read. The highest hashes in a piece also tell which others are like it.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from lineage.store.packed.format import BLOCK

if TYPE_CHECKING:
    from lineage.store.packed.codec import Data

Bytes = np.ndarray[tuple[int], np.dtype[np.uint8]]
Places = np.ndarray[tuple[int], np.dtype[np.int64]]
Hashes = np.ndarray[tuple[int], np.dtype[np.uint64]]

LEAST = 1 << 18  # bytes of a piece, but for the last one
LINE = 1 << 12  # bytes after a mark in which the end of its line is looked for
MOST = BLOCK - LINE
GAP = 1 << 19  # bytes from one mark where a piece may end to the next, on average
TRAITS = 32  # hashes of a piece by which it is known, at most

_READ = 8 << 20
_WINDOW = 64  # bytes that are hashed
_PART = 1 << 20  # bytes hashed in one go: what fits into a processor's cache
_FACTOR = 0xC4CEB9FE1A85EC53  # odd; runs of one byte do not get far with it
_FACTORS = np.uint64(_FACTOR) * np.arange(1, _WINDOW // 4, 2, dtype=np.uint64)
_OFTEN = 256  # one window in so many is worth hashing whole


class Piece(NamedTuple):
    """A piece of a text, and its highest hashes."""

    data: bytes
    traits: list[int]


def pieces(file: BinaryIO) -> Iterator[Piece]:
    """The pieces of what is left of `file`, which is read bit by bit.

    What fits into a block is one: whatever moved in it, its next version finds it.
    """
    rest, more = _read(file, BLOCK + 1), True
    if len(rest) <= BLOCK:
        yield from [Piece(rest, traits(rest))] if rest else ()
        return
    while more:
        data = file.read(_READ)
        more, rest = bool(data), rest + data
        marks = _Marks(rest)
        start = 0
        for end in marks.ends():
            if more and len(rest) - start < MOST + LINE:
                break  # what comes next may change where this one ends
            yield Piece(rest[start:end], marks.traits(start, end))
            start = end
        rest = rest[start:]


def _read(file: BinaryIO, size: int) -> bytes:
    """That many bytes, fewer where the file ends."""
    data = bytearray()
    while more := file.read(size - len(data)):
        data += more
    return bytes(data)


def cut(data: "Data") -> list[int]:
    """The lengths, in bytes, of the pieces of `data`, be it as long as it may."""
    return [end - start for start, end in pairwise([0, *_Marks(data).ends()])]


def traits(data: "Data") -> list[int]:
    """The highest hashes in `data`."""
    return _Marks(data).traits(0, len(data))


class _Marks:
    """Windows of some bytes: after how many bytes they end, and their hashes."""

    def __init__(self, data: "Data") -> None:
        self._data = memoryview(data).cast("B")
        numbers = np.frombuffer(self._data, np.uint8)
        found = [(np.zeros(0, np.int64), np.zeros(0, np.uint64))]
        for start in range(0, max(0, numbers.size - _WINDOW + 1), _PART):
            places, hashes = _windows(numbers[start : start + _PART + _WINDOW - 1])
            found.append((places + (start + _WINDOW), hashes))
        self._places = np.concatenate([places for places, _ in found])
        self._hashes = np.concatenate([hashes for _, hashes in found])

    def ends(self) -> Iterator[int]:
        """Where the pieces end."""
        high = np.uint64(2**64 - 2**64 * _OFTEN // GAP)
        marks = self._places[self._hashes >= high]
        end = 0
        while end < len(self._data):
            mark = marks.searchsorted(end + LEAST)
            end = int(min([end + MOST, *marks[mark : mark + 1]]))
            line = bytes(self._data[end : end + LINE]).find(b"\n") + 1
            end = min(end + line, len(self._data))
            yield end

    def traits(self, start: int, end: int) -> list[int]:
        """The highest hashes of windows from byte `start` to byte `end`."""
        first, last = self._places.searchsorted([start + _WINDOW, end + 1])
        hashes: list[int] = np.sort(self._hashes[first:last])[-TRAITS:].tolist()
        return hashes


def _windows(data: Bytes) -> tuple[Places, Hashes]:
    """Where the windows of `data` begin that are worth hashing, and their hashes.

    Worth it are those whose last eight bytes, times a factor, give a high number; to
    look at them first is what makes this fast.
    """
    high = np.uint64(2**64 - 2**64 // _OFTEN)
    found = []
    for start in range(min(8, data.size - _WINDOW + 1)):
        ends = data[start + _WINDOW - 8 :]
        words = ends[: ends.size // 8 * 8].view("<u8") * np.uint64(_FACTOR)
        found.append(np.flatnonzero(words >= high) * 8 + start)
    places = np.sort(np.concatenate(found))
    words = sliding_window_view(data, _WINDOW)[places].view("<u8")
    return places, (words * _FACTORS).sum(axis=1, dtype=np.uint64)

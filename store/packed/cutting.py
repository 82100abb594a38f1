"""Where text is cut: at places that its content names, so that an edit moves few.

A cut lies where a hash of the 64 bytes before it is high, at the end of that line.
Where a piece ends depends on its own bytes alone: what follows an edit falls into the
same pieces again, which many versions then share. Cuts save space; nobody needs to
know them to read.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

if TYPE_CHECKING:
    from lineage.store.packed.codec import Data

Bytes = np.ndarray[tuple[int], np.dtype[np.uint8]]
Places = np.ndarray[tuple[int], np.dtype[np.int64]]
Hashes = np.ndarray[tuple[int], np.dtype[np.uint64]]

LEAST = 1 << 16  # bytes of a piece, but for the last one
MOST = 1 << 20
LINE = 1 << 12  # bytes after a mark in which the end of its line is looked for
GAP = 1 << 17  # bytes from one mark to the next, on average

_READ = 8 << 20
_WINDOW = 64  # bytes that are hashed
_PART = 1 << 20  # bytes hashed in one go: what fits into a processor's cache
_FACTOR = 0xC4CEB9FE1A85EC53  # odd; runs of one byte do not get far with it
_FACTORS = np.uint64(_FACTOR) * np.arange(1, _WINDOW // 4, 2, dtype=np.uint64)
_OFTEN = 256  # one window in so many is worth hashing whole


def cut(data: "Data") -> list[int]:
    """The lengths, in bytes, of the pieces of `data`."""
    view = memoryview(data).cast("B")
    marks = _marks(np.frombuffer(view, np.uint8))
    ends = [0]
    while ends[-1] < len(view):
        ends.append(_end(view, marks, ends[-1]))
    return [end - start for start, end in pairwise(ends)]


def pieces(file: BinaryIO) -> Iterator[bytes]:
    """The pieces that `cut` makes of what is left of `file`, in little memory."""
    rest = b""
    while data := file.read(_READ):
        rest += data
        start = 0
        for length in cut(rest):
            if len(rest) - start < MOST + LINE:
                break  # with more to read, it might not end there
            yield rest[start : start + length]
            start += length
        rest = rest[start:]
    for length in cut(rest):
        yield rest[:length]
        rest = rest[length:]


def _end(view: memoryview, marks: Places, start: int) -> int:
    """Where the piece ends that begins at `start`."""
    next_mark = marks.searchsorted(start + LEAST)
    end = int(min([start + MOST, *marks[next_mark : next_mark + 1]]))
    line = bytes(view[end : end + LINE]).find(b"\n") + 1
    return min(end + line, len(view))


def _marks(data: Bytes) -> Places:
    """After how many bytes a piece may end, in order."""
    found = [np.zeros(0, np.int64)]
    for start in range(0, data.size, _PART):
        places, hashes = features(data[start : start + _PART + _WINDOW - 1])
        high = np.uint64(2**64 - 2**64 * _OFTEN // GAP)
        found.append(places[hashes >= high] + (start + _WINDOW))
    return np.concatenate(found)


def features(data: Bytes) -> tuple[Places, Hashes]:
    """Where the windows of `data` begin that are worth hashing, and their hashes.

    These are those whose last eight bytes, times a factor, are among the highest.
    To look at them first is what makes this fast.
    """
    places = _worth_hashing(data)
    if not places.size:
        return places, np.zeros(0, np.uint64)
    words = sliding_window_view(data, _WINDOW)[places].view("<u8")
    return places, (words * _FACTORS).sum(axis=1, dtype=np.uint64)


def _worth_hashing(data: Bytes) -> Places:
    high = np.uint64(2**64 - 2**64 // _OFTEN)
    found = []
    for start in range(min(8, max(0, data.size - _WINDOW + 1))):
        ends = data[start + _WINDOW - 8 :]
        words = ends[: ends.size // 8 * 8].view("<u8")
        found.append(np.flatnonzero(words * np.uint64(_FACTOR) >= high) * 8 + start)
    return np.sort(np.concatenate([np.zeros(0, np.int64), *found]))

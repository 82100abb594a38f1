"""Runs of lines that two files share, found by comparing their bytes.

Most files that are compared are an older and a newer one of the same data. Two places
are moved along together, block by block, and past what differs to the next line that
both have; that a line is in a run says that it is in both, byte for byte. Where too
little is shared nothing more is looked for.
"""

import mmap
from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lineage.records.source import Bytes, Source, mapped

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Rows = NDArray[np.int64]

_BLOCK = 1 << 16  # bytes compared at once
_WINDOWS = (8, 64, 512)  # lines in which to look for one that both have
_LEAST = 1 << 15  # bytes that a run has on average, or it is not worth it
_FIRST = 100  # runs of any length
_PASSED = 1 << 25  # bytes of a file that stay in memory once they were looked at


@dataclass(frozen=True, slots=True)
class Runs:
    """The runs of two files: where each begins on either side, and how long it is.

    All count lines from 0; `lines` are how many the files have.
    """

    a: "Rows"
    b: "Rows"
    n: "Rows"
    lines: tuple[int, int]

    def headed(self) -> "Runs | None":
        """Those of the lines after the first; None where that is not the same."""
        import numpy as np

        first = np.zeros(1, np.int64)
        lines = self.lines[0] - 1, self.lines[1] - 1
        same = self.pair(first, first)[0]
        return Runs(self.a - 1, self.b - 1, self.n, lines) if same else None

    def pair(self, a: "Rows", b: "Rows") -> "NDArray[np.bool_]":
        """Whether lines of either file are the same one of a run."""
        import numpy as np

        if not len(self.a):
            return np.zeros(len(a), bool)
        at = np.maximum(np.searchsorted(self.a, a, "right") - 1, 0)
        into = a - self.a[at]
        inside = (into >= 0) & (into < self.n[at])
        return np.asarray(inside & (b - self.b[at] == into))


def align(old: Path, new: Path) -> Runs:
    """The runs of lines that two files share.

    Raises:
        StoreError: when one cannot be read.
    """
    import numpy as np

    with mapped(Source(old, old.name)) as a, mapped(Source(new, new.name)) as b:
        found, lines = _Aligned(a, b).runs()
    columns = np.array(found, np.int64).reshape(-1, 3)
    return Runs(columns[:, 0], columns[:, 1], columns[:, 2], lines)


class _Aligned:
    """Two places that move on together; `at` are bytes, `line` numbers of lines."""

    def __init__(self, a: Bytes, b: Bytes) -> None:
        self._data = a, b
        self._at = [0, 0]
        self._line = [0, 0]
        self._forgotten = [0, 0]

    def runs(self) -> tuple[list[tuple[int, int, int]], tuple[int, int]]:
        """The runs, and how many lines the files have."""
        found: list[tuple[int, int, int]] = []
        shared, going = 0, True
        while going:
            size, lines = self._same()
            if lines:
                found.append((self._line[0], self._line[1], lines))
                self._move(size, lines)
                shared += size
            going = len(found) < _FIRST + shared / _LEAST and self._skip()
        rest = (self._rest(side) for side in (0, 1))
        return found, (self._line[0] + next(rest), self._line[1] + next(rest))

    def _same(self) -> tuple[int, int]:
        """How many bytes are the same from here on, in whole lines, and the lines."""
        (a, b), (i, j) = self._data, self._at
        size = lines = counted = 0
        while True:
            x, y = a[i + size : i + size + _BLOCK], b[j + size : j + size + _BLOCK]
            same = len(x) if x == y else _common(x, y)
            end = x.rfind(b"\n", 0, same) + 1
            if end:
                lines += x.count(b"\n", 0, end)
                counted = size + end
            size += same
            for side in (0, 1):
                self._forget(side, self._at[side] + size)
            if same < _BLOCK:
                return counted, lines

    def _move(self, size: int, lines: int) -> None:
        for side in (0, 1):
            self._at[side] += size
            self._line[side] += lines
            self._forget(side, self._at[side])

    def _forget(self, side: int, at: int) -> None:
        """Let go of what was looked at, which else counts as this process's memory."""
        data = self._data[side]
        if at - self._forgotten[side] > _PASSED and isinstance(data, mmap.mmap):
            data.madvise(mmap.MADV_DONTNEED, 0, at // mmap.PAGESIZE * mmap.PAGESIZE)
            self._forgotten[side] = at

    def _skip(self) -> bool:
        """Step to the next line that both have; False where none is near."""
        for most in _WINDOWS:
            old, new = (self._ahead(side, most) for side in (0, 1))
            where = {line: (n, at) for n, (at, line) in reversed([*enumerate(new)])}
            for n, (at, line) in enumerate(old):
                if line in where:
                    m, there = where[line]
                    self._at = [at, there]
                    self._line[0] += n
                    self._line[1] += m
                    return True
        return False

    def _ahead(self, side: int, most: int) -> Iterator[tuple[int, bytes]]:
        """The next whole lines of a side, and where each begins."""
        data, at = self._data[side], self._at[side]
        for _ in range(most):
            end = data.find(b"\n", at) + 1
            if not end:
                return
            yield at, data[at:end]
            at = end

    def _rest(self, side: int) -> int:
        """How many lines there are from here on."""
        data, at = self._data[side], self._at[side]
        lines = 0
        for each in range(at, len(data), _BLOCK):
            lines += data[each : each + _BLOCK].count(b"\n")
            self._forget(side, each)
        open_end = len(data) > at and data[len(data) - 1 : len(data)] != b"\n"
        return lines + open_end


def _common(x: bytes, y: bytes) -> int:
    """How many bytes of two are the same from their beginning."""
    least = min(len(x), len(y))
    return bisect(range(1, least + 1), 0, key=lambda n: int(x[:n] != y[:n]))

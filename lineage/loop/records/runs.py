"""Runs of words that two sets of texts share: their share, and the longest.

Words are numbered; a run is known by a polynomial of its numbers modulo 2 ** 64 (Karp
and Rabin 1987, IBM J. Res. Dev. 31:249), so all runs of a length are found at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lineage.loop.measuring.measures import words

if TYPE_CHECKING:
    from collections.abc import Iterable

_BASE = 0x9E3779B97F4A7C15  # odd; 2 ** 64 over the golden ratio


class Numbered:
    """Texts as numbers of words, one after the other.

    Texts that are to be compared share their `numbers`.
    """

    def __init__(self, texts: Iterable[str], numbers: dict[str, int]) -> None:
        import numpy as np

        rows = [
            [numbers.setdefault(word, len(numbers) + 1) for word in words([text])]
            for text in texts
        ]
        self.longest = max(map(len, rows), default=0)
        self._row = np.repeat(
            np.arange(len(rows)), np.array([len(row) for row in rows], np.intp)
        )
        ids = np.array([number for row in rows for number in row], np.uint64)
        self._sums = np.zeros(len(ids) + 1, np.uint64)
        powers = _powers(len(ids) + 1)
        np.cumsum(ids * powers[: len(ids)], out=self._sums[1:])
        self._inverse = _powers(len(ids) + 1, pow(_BASE, -1, 2**64))

    def runs(self, size: int) -> tuple[Any, Any]:
        """A hash of each run of `size` words inside a text, and which text it is in."""
        count = max(len(self._row) - size + 1, 0)
        hashes = self._sums[size : size + count] - self._sums[:count]
        hashes = hashes * self._inverse[:count]
        row = self._row[:count]
        inside = row == self._row[size - 1 : size - 1 + count]
        return hashes[inside], row[inside]


def _powers(count: int, base: int = _BASE) -> Any:
    """1, b, b², … modulo 2 ** 64."""
    import numpy as np

    factors = np.full(count, base, np.uint64)
    factors[:1] = 1
    return np.cumprod(factors, dtype=np.uint64)


@dataclass(frozen=True, slots=True)
class Shared:
    """What texts share with known ones: `new` of `runs` runs are in none of those.

    `longest` words in a row, in the text `row`, stand in a known one as they are.
    """

    runs: int
    new: int
    longest: int
    row: int

    @property
    def novelty(self) -> float | None:
        """The share of runs that are new."""
        return self.new / self.runs if self.runs else None


def novelty(texts: Iterable[str], known: Iterable[str], size: int) -> float | None:
    """The share of runs of `size` words of texts that no known one has."""
    numbers: dict[str, int] = {}
    theirs, ours = Numbered(known, numbers), Numbered(texts, numbers)
    found, _ = _found(ours, theirs, size)
    return 1 - float(found.mean()) if len(found) else None


def shared(texts: Iterable[str], known: Iterable[str], size: int) -> Shared:
    """Compare texts with known ones by their runs of `size` words."""
    numbers: dict[str, int] = {}
    theirs, ours = Numbered(known, numbers), Numbered(texts, numbers)
    found, _ = _found(ours, theirs, size)
    longest, row = _longest(ours, theirs)
    return Shared(len(found), len(found) - int(found.sum()), longest, row)


def _found(ours: Numbered, theirs: Numbered, size: int) -> tuple[Any, Any]:
    """Which runs are known, and the texts that they are in."""
    import numpy as np

    hashes, rows = ours.runs(size)
    return np.isin(hashes, theirs.runs(size)[0]), rows


def _longest(ours: Numbered, theirs: Numbered) -> tuple[int, int]:
    """By halving: where a run of n words is shared, one of n - 1 is as well."""
    least, most, where = 0, min(ours.longest, theirs.longest), -1
    while least < most:
        size = (least + most + 1) // 2
        known, rows = _found(ours, theirs, size)
        if known.any():
            least, where = size, int(rows[known.argmax()])
        else:
            most = size - 1
    return least, where

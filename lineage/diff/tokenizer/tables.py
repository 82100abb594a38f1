"""Numbered tables side by side: a vocabulary by ids, merges by ranks, pieces by scores.

All is exact. In a vocabulary every number counts: it is a row of the embedding. Of
merges only the order does, so one that is put in at the front moves no other: moved
are the fewest that, left out, leave the rest in the same order on both sides.
"""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass

Number = int | float


@dataclass(frozen=True, slots=True)
class Entry:
    """A token or merge with its old and new number, None where it is missing."""

    token: str
    a: Number | None
    b: Number | None


@dataclass(frozen=True, slots=True)
class Table:
    """How a table of `a` entries became one of `b`.

    `added` and `removed` are in the order of their numbers, `moved` have other numbers
    (a vocabulary, scores) or stand elsewhere in the order (merges).
    """

    a: int = 0
    b: int = 0
    added: tuple[Entry, ...] = ()
    removed: tuple[Entry, ...] = ()
    moved: tuple[Entry, ...] = ()

    def __bool__(self) -> bool:
        """Whether anything differs."""
        return bool(self.added or self.removed or self.moved)


def numbered(old: Mapping[str, Number], new: Mapping[str, Number]) -> Table:
    """What was added, removed, and has another number."""
    both = [Entry(token, n, new[token]) for token, n in old.items() if token in new]
    return _table(old, new, [entry for entry in both if entry.a != entry.b])


def ordered(old: Mapping[str, int], new: Mapping[str, int]) -> Table:
    """What was added, removed, and stands elsewhere in the order of the rest."""
    common = sorted((t for t in old if t in new), key=old.__getitem__)
    kept = set(_longest_rising([new[token] for token in common]))
    moved = [
        Entry(token, old[token], new[token])
        for place, token in enumerate(common)
        if place not in kept
    ]
    return _table(old, new, moved)


def _table(
    old: Mapping[str, Number], new: Mapping[str, Number], moved: list[Entry]
) -> Table:
    added = (Entry(token, None, n) for token, n in new.items() if token not in old)
    removed = (Entry(token, n, None) for token, n in old.items() if token not in new)
    return Table(
        len(old),
        len(new),
        tuple(sorted(added, key=lambda e: (e.b or 0, e.token))),
        tuple(sorted(removed, key=lambda e: (e.a or 0, e.token))),
        tuple(sorted(moved, key=lambda e: (e.a or 0, e.token))),
    )


def _longest_rising(numbers: list[int]) -> list[int]:
    """The places of a longest rising subsequence of distinct numbers.

    Fredman 1975, On computing the length of longest increasing subsequences: for each
    length the place where the lowest end is, and from each place the one before it.
    """
    ends: list[int] = []
    places: list[int] = []
    before: list[int] = []
    for place, number in enumerate(numbers):
        length = bisect_left(ends, number)
        before.append(places[length - 1] if length else -1)
        ends[length : length + 1] = [number]
        places[length : length + 1] = [place]
    found = []
    place = places[-1] if places else -1
    while place >= 0:
        found.append(place)
        place = before[place]
    return found

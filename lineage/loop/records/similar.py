"""Texts that repeat an earlier one but for a few words: exact, without comparing all.

A text is the set of its runs of `size` words, its shingles (Broder 1997, On the
resemblance and containment of documents); two texts resemble each other by the
Jaccard index of their sets. Which pairs reach a threshold t is found by prefixes
(Chaudhuri et al. 2006, ICDE; Bayardo et al. 2007, WWW): two sets of that index share
one of the |x| - ceil(t |x|) + 1 rarest shingles of each, so a text is only compared
with those that do. Unlike MinHash, which estimates, this misses none and needs no
seed. A shingle is known by 64 bits of a hash: among ten million, two differ and look
alike once in 400,000 runs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lineage.loop.measuring.measures import words

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_SLACK = 1e-9  # for 0.55 * 100, which is a little more than 55
_BASE = 0x9E3779B97F4A7C15  # odd; 2 ** 64 over the golden ratio


@dataclass(frozen=True, slots=True)
class Repeat:
    """A text resembles an earlier one: which, and how much."""

    of: int
    jaccard: float


def repeats(
    texts: Sequence[str], *, known: int = 0, threshold: float = 0.8, size: int = 3
) -> dict[int, Repeat]:
    """Which texts repeat one of the first `known`, or an earlier one that is kept.

    Args:
        texts: those that are known, then the new ones, in order.
        known: how many are only there to be repeated.
        threshold: the Jaccard index from which on a text is a repetition.
        size: words per shingle.
    """
    rows = _by_rarity(_shingles(texts, size))
    index: dict[int, list[int]] = {}
    seen: set[bytes] = set()
    found: dict[int, Repeat] = {}
    for number, row in enumerate(rows):
        new = number >= known
        repeat = _first(number, rows, index, threshold) if new else None
        if repeat:
            found[number] = repeat
        elif new or row.tobytes() not in seen:
            for shingle in row[: _prefix(len(row), threshold)].tolist():
                index.setdefault(shingle, []).append(number)
            seen.add(row.tobytes())
    return found


def _prefix(length: int, threshold: float) -> int:
    return length - math.ceil(threshold * length - _SLACK) + 1


def _first(
    number: int, rows: Sequence[Any], index: dict[int, list[int]], threshold: float
) -> Repeat | None:
    """The first indexed text that a text resembles enough."""
    row = rows[number]
    prefix = row[: _prefix(len(row), threshold)].tolist()
    near = {other for shingle in prefix for other in index.get(shingle, ())}
    ours = frozenset(row.tolist())
    least, most = threshold * len(row) - _SLACK, len(row) / threshold + _SLACK
    for other in sorted(near):
        if least <= len(rows[other]) <= most:
            both = len(ours.intersection(rows[other].tolist()))
            jaccard = both / (len(row) + len(rows[other]) - both)
            if jaccard >= threshold:
                return Repeat(other, jaccard)
    return None


def _shingles(texts: Iterable[str], size: int) -> list[Any]:
    """Of each text the hashes of its shingles, once each; of a short text one."""
    import numpy as np

    numbers: dict[str, int] = {}
    rows = []
    for text in texts:
        found = list(words([text])) or text.split()
        ids = np.array([numbers.setdefault(w, len(numbers) + 1) for w in found])
        ids = ids.astype(np.uint64)
        runs = max(len(ids) - size + 1, 1)
        hashes = np.zeros(runs, np.uint64)
        for start in range(min(size, len(ids))):
            hashes = hashes * np.uint64(_BASE) + ids[start : start + runs]
        rows.append(np.unique(hashes))
    return rows


def _by_rarity(rows: Sequence[Any]) -> list[Any]:
    """Each text's shingles numbered from the rarest on, in that order."""
    import numpy as np

    if not rows:
        return []
    _, place, counts = np.unique(
        np.concatenate(rows), return_inverse=True, return_counts=True
    )
    rank = np.empty(len(counts), np.int64)
    rank[np.argsort(counts, kind="stable")] = np.arange(len(counts))
    ends = np.cumsum([len(row) for row in rows])[:-1]
    return [np.sort(part) for part in np.split(rank[place], ends)]

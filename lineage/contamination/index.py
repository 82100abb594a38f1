"""An evaluation set as an index that training texts are looked up in, many at once.

The set is small and the training data are not: of the set every run of words is kept,
of a training text nothing but what is found. Words are numbered by the set; a window
of words that it has not is dropped before anything is looked up. What a hash finds is
compared word by word, so nothing is found that is not there.

Near duplicates are found by prefixes, as in `lineage.loop.records.similar`: a text
with a Jaccard index of at least t has one of the |e| - ceil(t |e|) + 1 shingles of
the evaluation record that are rarest in the set (Chaudhuri et al. 2006, ICDE; Bayardo
et al. 2007, WWW). None is missed, and no seed is needed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from lineage.contamination.windows import Postings, Words, hashes, numpy, unbroken

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

RUN = 13  # words that two texts have in a row by copying, not by chance
WHOLE = 8  # words of a record that is looked for in other than the same words
NEAR = 0.6  # the Jaccard index from which on two texts are near duplicates
COMMON = 10  # evaluation records that share a run before it is none of theirs
SIZE = 3  # words per shingle
_SLACK = 1e-9  # for 0.55 * 100, which is a little more than 55

KINDS = ("exact", "contained", "near", "part")  # the strongest first


@dataclass(frozen=True, slots=True)
class Match:
    """A training text has an evaluation record in it, or one that is like it.

    `record` counts the evaluation records, `text` the training texts of the batch. A
    `share` of 1 is all of the record's words, for `near` it is the Jaccard index.
    `start` and `end` are the words of the training text that it is about.
    """

    record: int
    text: int
    kind: str
    share: float
    start: int
    end: int


class Index:
    """The records of an evaluation set, by which training texts are looked through."""

    def __init__(self, records: Sequence[Sequence[str]]) -> None:
        np = numpy()

        numbers: dict[str, int] = {}
        self._numbers = numbers
        self.records = [
            np.array([numbers.setdefault(w, len(numbers) + 1) for w in row], np.int64)
            for row in records
        ]
        self._exact: dict[bytes, list[int]] = {}
        for number, row in enumerate(self.records):
            if len(row):
                self._exact.setdefault(row.tobytes(), []).append(number)
        self._runs = {size: self._postings(size) for size in self._sizes()}
        self._shingles = [frozenset(_shingles(row.tolist())) for row in self.records]
        self._prefixes = self._rarest()

    def _sizes(self) -> set[int]:
        return {min(len(row), RUN) for row in self.records if len(row) >= WHOLE}

    def _postings(self, size: int) -> Postings:
        """Where the runs of `size` words stand of the records that have such."""
        chosen = [
            (number, row)
            for number, row in enumerate(self.records)
            if min(len(row), RUN) == size >= WHOLE
        ]
        return Postings.of(chosen, size, most=COMMON)

    def _rarest(self) -> Postings:
        """The shingles of each record by which its near duplicates are found."""
        import numpy as np

        rows = [(n, row) for n, row in enumerate(self.records) if len(row) >= WHOLE]
        found = [np.unique(hashes(row, SIZE)) for _, row in rows]
        if not found:
            return Postings.of([], SIZE)
        all_, counts = np.unique(np.concatenate(found), return_counts=True)
        keys, owners = [], []
        for (number, _), own in zip(rows, found, strict=True):
            order = np.lexsort((own, counts[np.searchsorted(all_, own)]))
            prefix = len(own) - math.ceil(NEAR * len(own) - _SLACK) + 1
            keys.append(own[order[:prefix]])
            owners.append(np.full(len(keys[-1]), number))
        return Postings(np.concatenate(keys), np.concatenate(owners))

    def matches(self, texts: Sequence[Sequence[str]]) -> Iterator[Match]:
        """What the evaluation set and each text, as words, have in common.

        At most one match for a record and a text: the strongest.
        """
        batch = Words.of(texts, self._numbers)
        best: dict[tuple[int, int], Match] = {}
        for match in chain(
            self._same(batch), self._inside(batch), self._alike(batch, texts)
        ):
            pair = match.record, match.text
            if pair not in best or stronger(match, best[pair]):
                best[pair] = match
        yield from best.values()

    def _same(self, batch: Words) -> Iterator[Match]:
        for text in batch.known_texts():
            row = batch.row(text)
            for record in self._exact.get(row.tobytes(), ()):
                yield Match(record, text, "exact", 1.0, 0, len(row))

    def _inside(self, batch: Words) -> Iterator[Match]:
        """Records whole inside a text, and runs of words that both have."""
        found: dict[tuple[int, int], list[tuple[int, int, int]]] = {}
        for size, postings in self._runs.items():
            places, keys = unbroken(batch, size)
            for place, record, start in postings.look_up(places, keys):
                text = int(batch.owners[place])
                at = place - int(batch.starts[text])
                row = batch.row(text)[at : at + size]
                if (self.records[record][start : start + size] == row).all():
                    found.setdefault((record, text), []).append((start, at, size))
        for (record, text), hits in found.items():
            yield self._placed(record, text, batch.row(text), hits)

    def _placed(
        self, record: int, text: int, row: Any, hits: list[tuple[int, int, int]]
    ) -> Match:
        """How much of a record is in a text, by the runs that both have."""
        own = self.records[record]
        for begin in {at - start for start, at, _ in hits if at >= start}:
            part = row[begin : begin + len(own)]
            if len(part) == len(own) and (part == own).all():
                return Match(record, text, "contained", 1.0, begin, begin + len(own))
        covered = {n for start, _, size in hits for n in range(start, start + size)}
        first = min(at for _, at, _ in hits)
        last = max(at + size for _, at, size in hits)
        return Match(record, text, "part", len(covered) / len(own), first, last)

    def _alike(self, batch: Words, texts: Sequence[Sequence[str]]) -> Iterator[Match]:
        """Texts whose shingles are nearly those of a record."""
        places, keys = unbroken(batch, SIZE)
        found = self._prefixes.pairs(batch.owners[places], keys)
        seen: dict[int, frozenset[tuple[int, ...]]] = {}
        for text, record in found:
            if text not in seen:
                seen[text] = frozenset(_shingles(self._private(texts[text])))
            ours, theirs = self._shingles[record], seen[text]
            if NEAR * len(ours) - _SLACK <= len(theirs) <= len(ours) / NEAR + _SLACK:
                both = len(ours & theirs)
                jaccard = both / (len(ours) + len(theirs) - both)
                if jaccard >= NEAR:
                    yield Match(record, text, "near", jaccard, 0, len(texts[text]))

    def _private(self, text: Sequence[str]) -> list[int]:
        """The numbers of a text's words; those that the set has not get their own."""
        own: dict[str, int] = {}
        return [self._numbers.get(w) or own.setdefault(w, -1 - len(own)) for w in text]


def stronger(one: Match, other: Match) -> bool:
    """Whether `one` says more of its record than `other`."""
    ranks = (KINDS.index(one.kind), -one.share), (KINDS.index(other.kind), -other.share)
    return ranks[0] < ranks[1]


def _shingles(row: Sequence[int]) -> Iterator[tuple[int, ...]]:
    return zip(*(row[start:] for start in range(SIZE)), strict=False)

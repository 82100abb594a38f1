"""How much of one commit, the source, reached each commit that came of it.

A dose is counted in a descendant's own records: those of its training data, or of the
dataset that it is. They are the source's **own records**, which came along edges of
`RECORDS` with no model between, or records **written** by models that the source had
reached in any way; the rest has nothing to do with the source. Shares are exact
fractions of counts. Where a share is missing, a dose is the lowest and the highest that
any split would give, and a part of a dataset counts as made like the whole of it.

Beside a model that wrote all of a dataset, what the dataset is derived from without a
share is either its raw form, if the same model wrote that, or the prompts: these shape
every record and are none of them.

Commits are numbers that are greater than those of their parents, so one pass in order
knows every parent before its children.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple, TypeAlias

from lineage.descent.roles import CHOICE, FLOW, RECORDS, SETUP, WEIGHTS, WRITING

REACHING = FLOW | CHOICE | SETUP
"""Along these a source reaches a commit, be it without records of its own."""

_NONE, _ALL = Fraction(0), Fraction(1)
_NOBODY: frozenset[int] = frozenset()
_fraction = lru_cache(maxsize=1 << 14)(Fraction)


class Bounds(NamedTuple):
    """The lowest and the highest that a share can be; the same where it is known."""

    low: Fraction
    high: Fraction


class Dose(NamedTuple):
    """What of a source is in a commit.

    `records` is the share of its records that are the source's own, `written` of those
    that models wrote which the source had reached; None where it has no records.
    `whole` is how many records it has, where an edge says so. `weights`: whether it
    has its weights from a model that the source reached. `turns` is the least number
    of times that a model wrote, on a way from the source.
    """

    records: Bounds | None
    written: Bounds | None
    whole: int | None
    weights: bool
    turns: int


Row: TypeAlias = tuple[int, str, int, int | None, int | None]
"""An edge: child, role, parent, and the share as part and whole, or None twice."""

NOTHING, EVERYTHING = Bounds(_NONE, _NONE), Bounds(_ALL, _ALL)
_Pair: TypeAlias = tuple[Bounds, Bounds]  # own records, and written


def doses(
    source: int, kind_of: Callable[[int], str], rows: Iterable[Row]
) -> dict[int, Dose]:
    """The dose of `source` in everything that it reached, itself included.

    `rows` are the edges of the graph, sorted by child; those of commits before the
    source need not be among them.
    """
    known = _Doses(source, kind_of)
    for child, edges in groupby(rows, key=itemgetter(0)):
        known.commit(child, [row for row in edges if row[1] in REACHING])
    return known.found


def measured(rows: Iterable[Row], reached: Collection[int]) -> set[int]:
    """What was measured on any of `reached` and is not among them."""
    return {
        child
        for child, role, parent, *_ in rows
        if role == "evaluated_on" and parent in reached and child not in reached
    }


class _Doses:
    """The doses that are known, and the source where it is a model."""

    def __init__(self, source: int, kind_of: Callable[[int], str]) -> None:
        self.kind_of = kind_of
        self.writer = source if kind_of(source) == "model" else None
        own = EVERYTHING if self.writer is None else NOTHING
        self.found = {source: Dose(own, NOTHING, None, weights=False, turns=0)}
        self.writers: dict[int, set[int]] = {}

    def commit(self, child: int, links: Sequence[Row]) -> None:
        """Find the dose of a commit by its edges, unless none of them reaches it."""
        kind, found = self.kind_of(child), self.found
        if kind == "dataset":
            self.writers[child] = {row[2] for row in links if row[1] in WRITING}
        reaching = [row for row in links if row[2] in found]
        if not reaching or child in found:
            return
        if kind == "dataset":
            found[child] = self._dataset(links, reaching)
        elif kind == "generation":
            found[child] = self._generation(links, _turns(reaching, found))
        else:
            found[child] = self._model(links, reaching)

    def _model(self, links: Sequence[Row], reaching: Sequence[Row]) -> Dose:
        """A model, by its training data; or a config, which has no records."""
        turns = _turns(reaching, self.found)
        weights = any(row[1] in WEIGHTS for row in reaching)
        parts = [row for row in links if row[1] in RECORDS]
        if not parts:
            return Dose(None, None, None, weights, turns)
        whole = _whole(parts) or self._only([row[2] for row in parts])
        return Dose(*self._mix(parts), whole, weights, turns)

    def _dataset(self, links: Sequence[Row], reaching: Sequence[Row]) -> Dose:
        parts = [row for row in links if row[1] in RECORDS or row[1] in WRITING]
        prompts = self._prompts(parts)
        turns = _turns(reaching, self.found, prompts)
        mixed = [row for row in parts if row not in prompts]
        return Dose(*self._mix(mixed), _whole(mixed), weights=False, turns=turns)

    def _prompts(self, parts: Sequence[Row]) -> list[Row]:
        """What records were written from, where models wrote all that has no share."""
        wrote = {row[2] for row in parts if row[1] in WRITING and not row[4]}
        if not wrote:
            return []
        derived = (row for row in parts if row[1] not in WRITING and not row[4])
        return [r for r in derived if not wrote & self.writers.get(r[2], _NOBODY)]

    def _generation(self, links: Sequence[Row], turns: int) -> Dose:
        """A generation is what its model is or, without one, its datasets."""
        parts = [row[2] for row in links if row[1] == "includes"]
        weights = any(p in self.found and self.found[p].weights for p in parts)
        for kind in ("model", "dataset"):
            chosen = [part for part in parts if self.kind_of(part) == kind]
            if chosen:
                held = map(self._held, chosen)
                records, written = map(_either, zip(*held, strict=True))
                return Dose(records, written, self._only(chosen), weights, turns)
        return Dose(None, None, None, weights, turns)

    def _mix(self, parts: Sequence[Row]) -> _Pair:
        """What comes together along edges that bring records, each with its share."""
        if len(parts) == 1 and not parts[0][4]:
            return self._along(parts[0])
        records = written = NOTHING
        left = _ALL
        for row in parts:
            if row[4]:
                share = _fraction(row[3], row[4])
                left -= share
                more = self._along(row)
                records = _plus(records, _times(share, more[0]))
                written = _plus(written, _times(share, more[1]))
        unknown = [row for row in parts if not row[4]]
        if left > 0 and unknown:
            split = map(self._along, unknown)
            own, theirs = map(_either, zip(*split, strict=True))
            records = _plus(records, _times(left, own))
            written = _plus(written, _times(left, theirs))
        return records, written

    def _along(self, row: Row) -> _Pair:
        """Of what comes along an edge: the source's own, and what it had a part in."""
        _, role, parent, *_ = row
        if role not in WRITING:
            return self._held(parent)
        if parent == self.writer:
            return EVERYTHING, NOTHING
        return NOTHING, EVERYTHING if parent in self.found else NOTHING

    def _held(self, parent: int) -> _Pair:
        dose = self.found.get(parent)
        if dose is None:
            return NOTHING, NOTHING
        return dose.records or NOTHING, dose.written or NOTHING

    def _only(self, parts: Sequence[int]) -> int | None:
        """How many records the one part has."""
        dose = self.found.get(parts[0]) if len(parts) == 1 else None
        return dose and dose.whole


def _turns(
    reaching: Iterable[Row], found: Mapping[int, Dose], prompts: Collection[Row] = ()
) -> int:
    """The fewest turns along any edge; a model wrote what it was prompted with, too."""
    return min(
        found[row[2]].turns + (row[1] in WRITING or row in prompts) for row in reaching
    )


def _whole(parts: Iterable[Row]) -> int | None:
    """How many records there are, where a share says so."""
    return next((row[4] for row in parts if row[4]), None)


def _either(bounds: Iterable[Bounds]) -> Bounds:
    """What holds whichever of some it is."""
    several = list(bounds)
    if len(several) == 1:
        return several[0]
    return Bounds(min(b.low for b in several), max(b.high for b in several))


def _plus(one: Bounds, other: Bounds) -> Bounds:
    if one is NOTHING or other is NOTHING:
        return other if one is NOTHING else one
    low = min(one.low + other.low, _ALL)
    if one.low is one.high and other.low is other.high:
        return Bounds(low, low)
    return Bounds(low, min(one.high + other.high, _ALL))


def _times(share: Fraction, bounds: Bounds) -> Bounds:
    if bounds is NOTHING or share is _ALL:
        return bounds
    if bounds is EVERYTHING:
        return Bounds(share, share)
    if bounds.low is bounds.high:
        both = share * bounds.low
        return Bounds(both, both)
    return Bounds(share * bounds.low, share * bounds.high)

"""How much of one commit, the source, reached each commit that came of it.

A dose is counted in a descendant's own records: those of its training data, or of the
dataset that it is. They are the source's **own records**, which came along edges of
`RECORDS` with no model between, or records **written** by models that the source had
reached in any way; the rest has nothing to do with the source. Shares are exact
fractions of counts. Where a share is missing, a dose is the lowest and the highest that
any split would give, and a part of a dataset counts as made like the whole of it.
Shares that add up to more than the whole count nothing: it may be any of what they are
of.

What a dataset says of its own origin makes nothing smaller. It may be where the records
came from that nobody counted, so it takes the lowest dose down and leaves the highest.

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
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from lineage.descent.parcels import Share
from lineage.descent.roles import (
    REACHING,
    RECORDS,
    WEIGHTS,
    WRITING,
)

_BRINGING = RECORDS | WRITING
_NONE, _ALL = Fraction(0), Fraction(1)
_NOBODY: frozenset[int] = frozenset()
_fraction = lru_cache(maxsize=1 << 14)(Fraction)


class Dose(NamedTuple):
    """What of a source is in a commit.

    `records` is the share of its records that are the source's own, `written` of those
    that models wrote which the source had reached; None where it has no records, the
    former also where the source has none: it is a config.
    `whole` is how many records it has, where an edge says so. `weights`: whether it
    has its weights from a model that the source reached. `turns` is the least number
    of times that a model wrote, on a way from the source.
    """

    records: Share | None
    written: Share | None
    whole: int | None
    weights: bool
    turns: int


Row: TypeAlias = tuple[int, str, int, int | None, int | None]
"""An edge: child, role, parent, and the share as part and whole, or None twice."""

NOTHING, EVERYTHING = Share(_NONE, _NONE), Share(_ALL, _ALL)
_Pair: TypeAlias = tuple[Share, Share]  # own records, and written


def doses(
    source: int,
    kind_of: Callable[[int], str],
    rows: Iterable[Row],
    stated: Mapping[int, str] = MappingProxyType({}),
) -> dict[int, Dose]:
    """The dose of `source` in everything that it reached, itself included.

    `rows` are the edges of the graph, sorted by child; those of commits before the
    source need not be among them. `stated` are the origins that datasets say.
    """
    known = _Doses(source, kind_of, stated)
    for child, edges in groupby(rows, key=itemgetter(0)):
        known.commit(child, [row for row in edges if row[1] in REACHING])
    if kind_of(source) == "config":
        return {n: dose._replace(records=None) for n, dose in known.found.items()}
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

    def __init__(
        self, source: int, kind_of: Callable[[int], str], stated: Mapping[int, str]
    ) -> None:
        self.kind_of, self.stated = kind_of, stated
        self.writer = source if kind_of(source) == "model" else None
        own = EVERYTHING if self.writer is None else NOTHING
        self.found = {source: Dose(own, NOTHING, None, weights=False, turns=0)}
        self.writers: dict[int, set[int]] = {}  # of datasets that they wrote all of

    def commit(self, child: int, links: Sequence[Row]) -> None:
        """Find the dose of a commit by its edges, unless none of them reaches it."""
        kind, found = self.kind_of(child), self.found
        if kind == "dataset":
            wrote = {row[2] for row in links if row[1] in WRITING}
            if wrote and not any(row[4] for row in links if row[1] in _BRINGING):
                self.writers[child] = wrote
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
        parts = [row for row in links if row[1] in _BRINGING]
        prompts = self._prompts(parts)
        turns = _turns(reaching, self.found, prompts)
        told = self._uncounted(parts) if self.writer is not None else prompts
        mixed = [row for row in parts if row not in told] if told else parts
        own = self._may_be_own(links[0][0], mixed)
        return Dose(
            *self._mix(mixed, own=own), _whole(mixed), weights=False, turns=turns
        )

    def _may_be_own(self, child: int, parts: Sequence[Row]) -> bool:
        """Whether what was not counted may be of the origin that a dataset states.

        An edge says that a model wrote it: only one who says otherwise objects.
        """
        said = self.stated.get(child)
        if said in (None, "human", "mixed"):
            return said is not None
        return not any(row[1] in WRITING and not row[4] for row in parts)

    def _prompts(self, parts: Sequence[Row]) -> list[Row]:
        """What records were written from: no raw form of theirs."""
        wrote = {row[2] for row in parts if row[1] in WRITING and not row[4]}
        uncounted = self._uncounted(parts)
        return [r for r in uncounted if not wrote & self.writers.get(r[2], _NOBODY)]

    @staticmethod
    def _uncounted(parts: Sequence[Row]) -> list[Row]:
        """What has no share beside models that wrote all that has none.

        Of who wrote the records it says nothing that the models' edges do not.
        """
        if not any(row[1] in WRITING and not row[4] for row in parts):
            return []
        return [row for row in parts if row[1] not in WRITING and not row[4]]

    def _generation(self, links: Sequence[Row], turns: int) -> Dose:
        """A generation is what its model is or, without one, its datasets."""
        parts = [row[2] for row in links if row[1] == "includes"]
        weights = self.writer in parts or any(
            p in self.found and self.found[p].weights for p in parts
        )
        for kind in ("model", "dataset"):
            chosen = [part for part in parts if self.kind_of(part) == kind]
            if chosen:
                pair = _any_of([self._held(part) for part in chosen])
                return Dose(*pair, self._only(chosen), weights, turns)
        return Dose(None, None, None, weights, turns)

    def _mix(self, parts: Sequence[Row], *, own: bool = False) -> _Pair:
        """What comes together along edges that bring records, each with its share.

        `own`: what was not counted may be the commit's own instead.
        """
        unknown = [self._along(row) for row in parts if not row[4]]
        if len(unknown) == len(parts) == 1 and not own:
            return unknown[0]
        records = written = NOTHING
        counted = [row for row in parts if row[4]]
        if is_exceeded(counted):
            some = [*map(self._along, filter(itemgetter(3), counted)), *unknown]
            return _any_of([*some, (NOTHING, NOTHING)] if own else some)
        for row in counted:
            share, more = _fraction(row[3], row[4]), self._along(row)
            records = _plus(records, _times(share, more[0]))
            written = _plus(written, _times(share, more[1]))
        left = _left(counted) if unknown else _NONE
        if left:
            more = _any_of([*unknown, (NOTHING, NOTHING)] if own else unknown)
            records = _plus(records, _times(left, more[0]))
            written = _plus(written, _times(left, more[1]))
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
        [found[r[2]].turns + (r[1] in WRITING or r in prompts) for r in reaching]
    )


def _whole(parts: Iterable[Row]) -> int | None:
    """How many records there are, where a share says so."""
    return next((row[4] for row in parts if row[4]), None)


def is_exceeded(counted: Sequence[Row]) -> bool:
    """Whether shares add up to more than the whole."""
    return len(counted) > 1 and _left(counted) < 0


def _left(counted: Sequence[Row]) -> Fraction:
    """What the shares leave over: nearly always all are of one whole."""
    wholes = {whole for *_, whole in counted}
    if len(wholes) == 1:
        [whole] = wholes
        given = sum(part or 0 for *_, part, _ in counted)
        return _fraction((whole or 1) - given, whole)
    shares = (_fraction(part, whole) for *_, part, whole in counted)
    return _ALL - sum(shares, _NONE)


def _any_of(pairs: Sequence[_Pair]) -> _Pair:
    """What holds whichever of some it is."""
    if len(pairs) == 1:
        return pairs[0]
    return _either([own for own, _ in pairs]), _either([theirs for _, theirs in pairs])


def _either(several: Sequence[Share]) -> Share:
    return Share(min(b.low for b in several), max(b.high for b in several))


def _plus(one: Share, other: Share) -> Share:
    if other is NOTHING:
        return one
    if one is NOTHING:
        return other
    low = min(one.low + other.low, _ALL)
    if one.low is one.high and other.low is other.high:
        return Share(low, low)
    return Share(low, min(one.high + other.high, _ALL))


def _times(share: Fraction, bounds: Share) -> Share:
    if bounds is NOTHING or share is _ALL:
        return bounds
    if bounds is EVERYTHING:
        return Share(share, share)
    if bounds.low is bounds.high:
        both = share * bounds.low
        return Share(both, both)
    return Share(share * bounds.low, share * bounds.high)

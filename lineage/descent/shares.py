"""What records are made of: exact shares of human, machine and unknown origin.

All sums are of fractions of counts. Where nobody counted how much came from each of
several parents, a share is a range: its least is what there is of it in the parent
with the least, its most in the parent with the most. Every commit may choose its
parent by itself, so both ends can be reached, and the ranges are as narrow as what is
recorded allows. Written by a human and by a machine are each other's opposite: what
is certainly neither is the width of both ranges, and is called unknown.
"""

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property

from lineage.descent.ancestry import Ancestry
from lineage.descent.parcels import ALL, NONE, Parcel, Parcels, Share, Source, parcels


@dataclass(frozen=True, slots=True)
class Composition:
    """How much of some records is certainly human and certainly machine-written."""

    human: Fraction
    machine: Fraction

    @property
    def unknown(self) -> Fraction:
        """What may be either."""
        return ALL - self.human - self.machine

    def range(self, origin: str) -> Share:
        """Between what share is ``human`` or ``machine``."""
        low = self.human if origin == "human" else self.machine
        return Share(low, low + self.unknown)


class Shares:
    """The shares of one unit, records or tokens, in everything of an ancestry."""

    def __init__(self, ancestry: Ancestry, unit: str) -> None:
        self.unit = unit
        self._order = {id_: place for place, id_ in enumerate(ancestry.commits)}
        self._ids = ancestry.order
        commits = ancestry.commits
        self.parcels = {id_: parcels(id_, commits, unit) for id_ in commits}
        kinds = ("dataset", "generation")  # a model's records are not those in it
        self._holders = {
            id_
            for id_, step in self.parcels.items()
            if step and commits[id_].kind in kinds
        }

    @cached_property
    def compositions(self) -> Mapping[str, Composition]:
        """What the records of every commit that has some are made of."""
        found: dict[str, Composition] = {}
        for id_, step in self.parcels.items():
            if step:
                found[id_] = self._composed(step, found)
        return found

    def _composed(self, step: Parcels, known: Mapping[str, Composition]) -> Composition:
        """The sum over what was counted, and the least over what was not."""
        human, machine = NONE, NONE
        for parcel in step.counted:
            part, of = parcel.share or NONE, self._composition(parcel, known)
            human, machine = human + part * of.human, machine + part * of.machine
        if step.open:
            choices = [self._composition(parcel, known) for parcel in step.open]
            human += step.rest * min(of.human for of in choices)
            machine += step.rest * min(of.machine for of in choices)
        return Composition(human, machine)

    def _composition(
        self, parcel: Parcel, known: Mapping[str, Composition]
    ) -> Composition:
        source = self.end(parcel)
        return _PURE[source.origin] if source else known[parcel.parent]

    def sources(self, id_: str) -> dict[Source, Share]:
        """Every source that a commit's records may come from, and how much of them."""
        return _ends(*self._spread({id_: ALL}), self._splits)

    @cached_property
    def _splits(self) -> Mapping[str, dict[Source, Share]]:
        """The ranges of every commit that somebody did not count, parents first."""
        found: dict[str, dict[Source, Share]] = {}
        for id_, step in self.parcels.items():
            if step.open:
                found[id_] = _between([self._of(each, found) for each in step.open])
        return found

    def _of(
        self, parcel: Parcel, splits: Mapping[str, dict[Source, Share]]
    ) -> dict[Source, Share]:
        source = self.end(parcel)
        if source:
            return {source: Share(ALL, ALL)}
        return _ends(*self._spread({parcel.parent: ALL}), splits)

    def end(self, parcel: Parcel) -> Source | None:
        """The source of a parcel; what leads to no records ends in the unknown."""
        if parcel.source or parcel.parent in self._holders:
            return parcel.source
        return Source("unknown", parcel.parent)

    def _spread(
        self, weights: dict[str, Fraction]
    ) -> tuple[dict[Source, Fraction], dict[str, Fraction]]:
        """What the counted shares lead to: sources, and commits nobody counted.

        Weights go down from children to parents, so what many came from is met once.
        """
        sources: dict[Source, Fraction] = {}
        splits: dict[str, Fraction] = {}
        ahead = [-self._order[id_] for id_ in weights]
        while ahead:
            id_ = self._ids[-heapq.heappop(ahead)]
            weight, step = weights[id_], self.parcels[id_]
            if step.open:
                splits[id_] = weight * step.rest
            for parcel in step.counted:
                if not parcel.share:
                    continue
                part = weight * parcel.share
                source = self.end(parcel)
                if source:
                    sources[source] = sources.get(source, NONE) + part
                elif parcel.parent in weights:
                    weights[parcel.parent] += part
                else:
                    weights[parcel.parent] = part
                    heapq.heappush(ahead, -self._order[parcel.parent])
        return sources, splits


def _ends(
    sources: Mapping[Source, Fraction],
    splits: Mapping[str, Fraction],
    known: Mapping[str, Mapping[Source, Share]],
) -> dict[Source, Share]:
    """The counted shares, with the ranges of what was not counted added to them."""
    found = {source: Share(share, share) for source, share in sources.items()}
    for id_, weight in splits.items():
        for source, more in known[id_].items():
            low, high = found.get(source, Share(NONE, NONE))
            found[source] = Share(low + weight * more.low, high + weight * more.high)
    return {source: share for source, share in found.items() if share.high}


def _between(choices: Sequence[Mapping[Source, Share]]) -> dict[Source, Share]:
    """The ranges of something that is any one of `choices`, or any mix of them."""
    found: dict[Source, list[Share]] = {}
    for choice in choices:
        for source, share in choice.items():
            found.setdefault(source, []).append(share)
    ranges = {}
    for source, shares in found.items():
        everywhere = len(shares) == len(choices)
        low = min(share.low for share in shares) if everywhere else NONE
        ranges[source] = Share(low, max(share.high for share in shares))
    return ranges


_PURE = {
    "human": Composition(ALL, NONE),
    "machine": Composition(NONE, ALL),
    "unknown": Composition(NONE, NONE),
}

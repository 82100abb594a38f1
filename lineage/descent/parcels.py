"""Where the records of one commit come from, one step up.

A commit's records are cut into parcels: what came along an edge, what a model wrote,
what the commit brought itself. docs/trace.md has the rules with an example.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import partial
from typing import NamedTuple

from lineage.descent.roles import CONTAINS, RECORDS, WRITING
from lineage.store.objects import Commit, Edge

UNITS = ("records", "tokens")
NONE, ALL = Fraction(0), Fraction(1)


class Share(NamedTuple):
    """A fraction that lies between two; where they are equal it is exact."""

    low: Fraction
    high: Fraction

    @property
    def exact(self) -> bool:
        return self.low == self.high


class Source(NamedTuple):
    """Where a trail ends: a human dataset, the model that wrote, or the unknown.

    `id` is the dataset, the model, or the commit whose records nobody can place.
    """

    origin: str
    id: str


class Parcel(NamedTuple):
    """Part of a commit's records: from a `source`, or like those of a `parent`.

    `share` is None where nobody counted; `edge` is None for what the commit says of
    itself.
    """

    share: Fraction | None
    edge: Edge | None = None
    source: Source | None = None
    parent: str = ""


@dataclass(frozen=True, slots=True)
class Parcels:
    """All the records of a commit.

    The `counted` ones have a share each; the `open` ones, two or more, have the
    `rest` between them. `left` is the counted part that no edge speaks of, and
    `excess` says that the shares are more than the whole.
    """

    counted: tuple[Parcel, ...] = ()
    open: tuple[Parcel, ...] = ()
    rest: Fraction = NONE
    left: Fraction = NONE
    excess: bool = False

    def __iter__(self) -> Iterator[Parcel]:
        """Those that may hold something."""
        yield from (parcel for parcel in self.counted if parcel.share)
        yield from self.open

    def __bool__(self) -> bool:
        """Whether there are records at all: a merged model was trained on none."""
        return bool(self.counted or self.open)


def parcels(id_: str, commits: Mapping[str, Commit], unit: str) -> Parcels:
    """Where the records of a commit come from; `unit` is what shares count.

    Of a model these are its training records, of a generation those of its datasets.
    """
    commit = commits[id_]
    if commit.kind == "dataset":
        stated = str(commit.origin["type"]) if commit.origin else None
        own = _own(id_, stated)
        known = _along(commit, WRITING | {"derived_from"})
        return _divided(known, unit, own, partial(_takers, own=own, stated=stated))
    if commit.kind == "model":
        known = _trained(commit)
        if not known and commit.ids("merged_from", "quantized_from"):
            return Parcels()
        return _divided(known, unit, _own(id_), list)
    parts = _along(commit, CONTAINS)
    data = [p for p in parts if p.parent in commits and _is_data(commits[p.parent])]
    return _divided(data, unit, _own(id_), list) if data else Parcels()


def share(edge: Edge, unit: str) -> Fraction | None:
    """How much of the child came along an edge; None where nobody counted.

    All of one unit, or none of it, is all or none of the others.
    """
    counted = {name: Fraction(*pair) for name, pair in (edge.share or {}).items()}
    if unit in counted:
        return counted[unit]
    return next((found for found in counted.values() if found in (NONE, ALL)), None)


def total(commit: Commit, unit: str) -> int | None:
    """How many records or tokens a commit has, where its edges agree on it."""
    shares = (e.share or {} for e in commit.edges if e.role in RECORDS | WRITING)
    totals = {pair[unit][1] for pair in shares if unit in pair}
    return totals.pop() if len(totals) == 1 else None


def _own(id_: str, stated: str | None = None) -> Parcel:
    """What a commit brought itself, and what it says of that."""
    origin = stated if stated in ("human", "machine") else "unknown"
    return Parcel(None, source=Source(origin, id_))


def _along(commit: Commit, roles: Collection[str]) -> list[Parcel]:
    """What may have come along the edges of some roles."""
    edges = (edge for edge in commit.edges if edge.role in roles)
    return [
        Parcel(None, edge, source=Source("machine", edge.id))
        if edge.role in WRITING
        else Parcel(None, edge, parent=edge.id)
        for edge in edges
    ]


def _trained(commit: Commit) -> list[Parcel]:
    """What a model was trained on; a teacher beside data gave targets, no records."""
    data, written = _along(commit, {"trained_on"}), _along(commit, WRITING)
    if data:
        written = [each for each in written if each.edge and each.edge.share]
    return [*data, *written]


def _is_data(commit: Commit) -> bool:
    return commit.kind == "dataset"


def _takers(plain: list[Parcel], own: Parcel, stated: str | None) -> list[Parcel]:
    """Who shares what was not counted of a dataset, of those without any share."""
    wrote = [parcel for parcel in plain if parcel.source]
    if wrote and stated in ("human", "mixed"):
        return [*wrote, own]  # an edge says that a model wrote it, a person does not
    if wrote:
        return wrote  # what it was derived from gave prompts, or was filtered
    if stated == "machine":
        return [own]
    return [*plain, own] if stated else plain


def _divided(
    known: list[Parcel],
    unit: str,
    own: Parcel,
    takers: Callable[[list[Parcel]], list[Parcel]],
) -> Parcels:
    """The counted ones, and the rest for those that were not."""
    counted, parts, plain = _sorted(known, unit)
    rest = ALL - sum((parcel.share or NONE for parcel in counted), NONE)
    if rest < 0:
        some = (parcel for parcel in counted if parcel.share)
        return Parcels((), (*some, *parts, *takers(plain)), ALL, excess=True)
    if not rest:
        return Parcels(tuple(counted))
    if parts:
        others = parts + ((takers(plain) or [own]) if _leave_some(known) else [])
    else:
        others = takers(plain)
    if len(others) > 1:
        return Parcels(tuple(counted), tuple(others), rest)
    left = rest if counted and not others else NONE
    [taker] = others or [own]
    return Parcels((*counted, taker._replace(share=rest)), left=left)


def _sorted(
    known: Iterable[Parcel], unit: str
) -> tuple[list[Parcel], list[Parcel], list[Parcel]]:
    """The counted, those that only another unit counts, and those that nobody did."""
    counted, parts, plain = [], [], []
    for parcel in known:
        assert parcel.edge is not None
        part = share(parcel.edge, unit)
        if part is not None:
            counted.append(parcel._replace(share=part))
        elif parcel.edge.share:
            parts.append(parcel)
        else:
            plain.append(parcel)
    return counted, parts, plain


def _leave_some(known: Iterable[Parcel]) -> bool:
    """Whether no unit says that these edges are the whole."""
    sums: dict[str, Fraction] = {}
    for parcel in known:
        for unit, pair in ((parcel.edge and parcel.edge.share) or {}).items():
            sums[unit] = sums.get(unit, NONE) + Fraction(*pair)
    return all(found < 1 for found in sums.values())

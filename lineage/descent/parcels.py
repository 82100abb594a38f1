"""Where the records of one commit come from, one step up.

A commit's records are cut into parcels: what came along an edge, what a model wrote,
what the commit brought itself. docs/trace.md has the rules with an example.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from lineage.descent.roles import RECORDS, WRITING
from lineage.store.objects import Commit, Edge

UNITS = ("records", "tokens")
NONE, ALL = Fraction(0), Fraction(1)


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
        return _dataset(id_, commit, unit)
    if commit.kind == "model":
        return _model(id_, commit, unit)
    parts = (edge for edge in commit.edges if edge.role == "includes")
    data = [e for e in parts if e.id in commits and commits[e.id].kind == "dataset"]
    found = [_from(edge, unit) for edge in data]
    return _divided(found, found, _own(id_)) if found else Parcels()


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


def _dataset(id_: str, commit: Commit, unit: str) -> Parcels:
    written = [_from(edge, unit) for edge in commit.edges if edge.role in WRITING]
    derived = [
        _from(edge, unit) for edge in commit.edges if edge.role == "derived_from"
    ]
    stated = str(commit.origin["type"]) if commit.origin else None
    own = _own(id_, stated)
    wrote = [parcel for parcel in written if parcel.share is None]
    if wrote and stated in ("human", "mixed"):
        takers = [*wrote, own]  # one says that a model wrote it, the other does not
    elif wrote:
        takers = wrote
    elif stated == "machine":
        takers = [own]
    else:
        takers = [parcel for parcel in derived if parcel.share is None]
        takers += [own] if stated else []
    return _divided([*written, *derived], takers, own)


def _model(id_: str, commit: Commit, unit: str) -> Parcels:
    trained = [_from(edge, unit) for edge in commit.edges if edge.role == "trained_on"]
    written = [_from(edge, unit) for edge in commit.edges if edge.role in WRITING]
    if trained:  # then a teacher without a share gave targets, not records
        written = [parcel for parcel in written if parcel.share is not None]
    known = [*trained, *written]
    if not known and commit.ids("merged_from", "quantized_from"):
        return Parcels()
    takers = [parcel for parcel in known if parcel.share is None]
    return _divided(known, takers, _own(id_))


def _own(id_: str, stated: str | None = None) -> Parcel:
    """What a commit brought itself, and what it says of that."""
    origin = stated if stated in ("human", "machine") else "unknown"
    return Parcel(None, source=Source(origin, id_))


def _from(edge: Edge, unit: str) -> Parcel:
    if edge.role in WRITING:
        return Parcel(share(edge, unit), edge, source=Source("machine", edge.id))
    return Parcel(share(edge, unit), edge, parent=edge.id)


def _divided(known: Iterable[Parcel], takers: list[Parcel], own: Parcel) -> Parcels:
    """The counted ones, and the rest for those that were not."""
    known = list(known)
    counted = tuple(parcel for parcel in known if parcel.share is not None)
    rest = ALL - sum((parcel.share or NONE for parcel in counted), NONE)
    if rest < 0:
        some = (parcel for parcel in counted if parcel.share)
        return Parcels((), (*some, *takers), ALL, excess=True)
    if not rest:
        return Parcels(counted)
    if takers and own not in takers and _are_part(parcel.edge for parcel in known):
        takers = [*takers, own]
    if len(takers) > 1:
        return Parcels(counted, tuple(takers), rest)
    left = rest if counted and not takers else NONE
    [taker] = takers or [own]
    return Parcels((*counted, taker._replace(share=rest)), left=left)


def _are_part(edges: Iterable[Edge | None]) -> bool:
    """Whether another unit says that these edges are less than the whole."""
    sums: dict[str, Fraction] = {}
    for edge in edges:
        if edge is None or not edge.share:
            return False
        for unit, pair in edge.share.items():
            sums[unit] = sums.get(unit, NONE) + Fraction(*pair)
    return any(found < 1 for found in sums.values())

"""Paths along which something came: how many machine turns, and how well known.

An edge that no record came along, such as from a dataset that only gave prompts, is
no part of a path.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from lineage.descent.ancestry import Ancestry
from lineage.descent.parcels import Source
from lineage.descent.roles import CONTAINS, WEIGHTS, WRITING
from lineage.descent.shares import Shares
from lineage.evidence import GRADES
from lineage.store.objects import Edge

Along = Callable[[str], Iterable[Edge]]


class Distance(NamedTuple):
    """Machine turns to human data, on the shortest path and on the longest.

    `certain` says whether anything came along one of these paths, however all that
    nobody counted was mixed.
    """

    shortest: int
    longest: int
    certain: bool


class Link(NamedTuple):
    """An edge of a path, and how well it is known."""

    child: str
    role: str
    parent: str
    grade: str


@dataclass(frozen=True, slots=True)
class Trail:
    """A path down to a commit: its last link, and the path before that."""

    last: Link
    before: "Trail | None"
    weakest: Link
    length: int

    def links(self) -> tuple[Link, ...]:
        """The path from the subject on."""
        found: list[Link] = []
        trail: Trail | None = self
        while trail:
            found.append(trail.last)
            trail = trail.before
        return tuple(reversed(found))

    def is_better(self, other: "Trail | None") -> bool:
        """Whether it is better known than another path or, of two alike, shorter."""
        return other is None or self.worth > other.worth

    @property
    def worth(self) -> tuple[int, int]:
        return GRADES.index(self.weakest.grade), -self.length


def flow(ancestry: Ancestry, shares: Shares) -> Along:
    """The edges along which anything came to a commit."""

    def edges(id_: str) -> Iterator[Edge]:
        carried = {parcel.edge for parcel in shares.parcels[id_]}
        commit = ancestry.commits[id_]
        along = WEIGHTS if commit.kind == "model" else CONTAINS
        for edge in commit.edges:
            if edge in carried or edge.role in along:
                yield edge

    return edges


def distances(ancestry: Ancestry, shares: Shares) -> Mapping[str, Distance]:
    """Of every commit that a path leads from to human data."""
    found: dict[str, Distance] = {}
    along = flow(ancestry, shares)
    for id_ in ancestry.order:
        steps: dict[Edge | None, Distance] = {
            edge: _further(found[edge.id], edge)
            for edge in along(id_)
            if edge.id in found
        }
        own = Source("human", id_)
        if any(parcel.source == own for parcel in shares.parcels[id_]):
            steps[None] = Distance(0, 0, certain=True)
        if steps:
            found[id_] = Distance(
                min(step.shortest for step in steps.values()),
                max(step.longest for step in steps.values()),
                _is_certain(steps, [p.edge for p in shares.parcels[id_].open]),
            )
    return found


def _further(known: Distance, edge: Edge) -> Distance:
    """The distance from the other end of an edge."""
    turn = edge.role in WRITING
    return Distance(known.shortest + turn, known.longest + turn, known.certain)


def _is_certain(
    steps: Mapping[Edge | None, Distance], perhaps: Sequence[Edge | None]
) -> bool:
    """Whether one of the steps that were counted leads there, or all of the others."""
    sure = {edge for edge, step in steps.items() if step.certain}
    return bool(sure.difference(perhaps) or (perhaps and sure.issuperset(perhaps)))


def trails(
    ancestry: Ancestry, along: Along, start: str, before: Trail | None = None
) -> Mapping[str, Trail | None]:
    """The best-known path to each commit that `along` leads to from `start`.

    `before` is the path to `start` itself, None where that is the subject.
    """
    found = {start: before}
    for id_ in reversed(ancestry.order):
        if id_ not in found:
            continue
        for edge in along(id_):
            trail = extended(ancestry, found[id_], id_, edge)
            if edge.id != start and trail.is_better(found.get(edge.id)):
                found[edge.id] = trail
    return found


def source_trails(
    ancestry: Ancestry, shares: Shares, start: str, before: Trail | None = None
) -> Mapping[Source, Trail | None]:
    """The best-known path along records to every source of those of `start`."""
    steps = shares.parcels

    def along(child: str) -> Iterator[Edge]:
        return (p.edge for p in steps[child] if p.edge and p.parent in steps)

    ends: dict[Source, Trail | None] = {}
    for child, trail in trails(ancestry, along, start, before).items():
        for parcel in steps[child]:
            end = shares.end(parcel)
            if end is None:
                continue
            path = trail
            if parcel.edge:
                path = extended(ancestry, trail, child, parcel.edge)
            if end not in ends or (path and path.is_better(ends[end])):
                ends[end] = path
    return ends


def extended(ancestry: Ancestry, before: Trail | None, child: str, edge: Edge) -> Trail:
    """A path and one edge more."""
    link = Link(child, edge.role, edge.id, ancestry.grade(child, edge))
    if before is None:
        return Trail(link, None, link, 1)
    return Trail(link, before, weaker(before.weakest, link), before.length + 1)


def weaker(one: Link, other: Link) -> Link:
    """Of two links the one that is known less well; of two alike, the first."""
    worse = GRADES.index(other.grade) < GRADES.index(one.grade)
    return other if worse else one

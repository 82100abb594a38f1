"""Whether a dataset's records are those of the datasets that it was made from.

Every record is looked up in every parent by its identity (`lineage.records`). A record
that no parent holds was transformed on the way, or came from elsewhere: bytes do not
tell which, so it may have come along any edge. What is left is counting: can each
record be given to a parent that holds it so that every parent gives what its share
says? If not, the shares are false, whatever happened to the records that were not
found.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from lineage.evidence.checked import CONTRADICTED, UNDECIDED, VERIFIED, Checked
from lineage.evidence.flows import fits
from lineage.evidence.lookup import Lookup
from lineage.records import rows
from lineage.registry import Registry
from lineage.store.objects import Edge
from lineage.store.reading import Progress

METHOD = "record identities"


@dataclass(frozen=True)
class Found:
    """What was looked up: `groups` of records that the same `edges` lead to."""

    edges: Sequence[Edge]
    groups: Mapping[frozenset[int], int]
    records: int

    def within(self, number: int) -> int:
        """Records that this parent holds."""
        return sum(count for group, count in self.groups.items() if number in group)

    def only(self, number: int) -> int:
        """Records that this parent holds and no other."""
        return self.groups.get(frozenset({number}), 0)

    @property
    def nowhere(self) -> int:
        """Records that no parent holds."""
        return self.groups.get(frozenset(), 0)

    def share(self, number: int) -> tuple[int, int] | None:
        """How many of how many records came along this edge, as it says."""
        part, whole = (self.edges[number].share or {}).get("records") or (0, 0)
        return (part, whole) if whole else None

    @cached_property
    def possible(self) -> bool:
        """Whether all shares can be so: what is left over may be from anywhere."""
        every = frozenset(range(len(self.edges)))
        return self._fits(lambda group: (group or every) | {len(every)})

    @cached_property
    def exact(self) -> bool:
        """Whether all shares are so: what is left over is from parents without one."""
        shared = {n for n in range(len(self.edges)) if self.share(n)}
        rest = frozenset({len(self.edges)})
        return self._fits(lambda g: g & shared | (rest if g - shared else frozenset()))

    def _fits(self, reach: Callable[[frozenset[int]], frozenset[int]]) -> bool:
        shares = [self.share(number) for number in range(len(self.edges))]
        takes = [pair[0] if pair else 0 for pair in shares]
        groups: dict[frozenset[int], int] = {}
        for group, count in self.groups.items():
            reached = reach(group)
            groups[reached] = groups.get(reached, 0) + count
        rest = self.records - sum(takes)
        return rest >= 0 and fits(groups, [*takes, rest])


def check(
    registry: Registry, child: str, edges: Sequence[Edge], progress: Progress
) -> Iterator[Checked]:
    """Look at the edges of the dataset `child` to the datasets that it is made from.

    Raises:
        LineageError: when records of any of them cannot be read.
    """
    lookup = Lookup(row.identity for row in rows(registry, child, progress=progress))
    for edge in edges:
        there = rows(registry, edge.id, progress=progress)
        lookup.find(row.identity for row in there)
    found = Found(edges, lookup.groups(), lookup.records)
    for number in range(len(edges)):
        yield judge(found, number)


def judge(found: Found, number: int) -> Checked:
    """What the counts say of one edge."""
    verdict, why = _verdict(found, number)
    figures: dict[str, Any] = {
        "records": found.records,
        "found": found.within(number),
        "only_here": found.only(number),
        "nowhere": found.nowhere,
    }
    if share := found.share(number):
        figures["share"] = list(share)
    return Checked(found.edges[number], verdict, METHOD, why, figures)


def _verdict(found: Found, number: int) -> tuple[str, str]:
    share, records = found.share(number), found.records
    within, nowhere = found.within(number), found.nowhere
    seen = f"{within:,} of its {records:,} records are in it"
    if share is None:
        if not nowhere and within:
            return VERIFIED, f"{seen}; every record is in a parent"
        return UNDECIDED, f"{seen}, {nowhere:,} in no parent"
    part, whole = share
    said = f"its share says {part:,} of {whole:,}"
    if impossible := _impossible(found, number, part, whole):
        return CONTRADICTED, f"{said}; {impossible}"
    if found.exact or found.only(number) == within == part:
        return VERIFIED, f"{seen}; {said}"
    return UNDECIDED, f"{said}; {seen}, {nowhere:,} in no parent"


def _impossible(found: Found, number: int, part: int, whole: int) -> str:
    """Why a share cannot be so; empty where it can."""
    most = found.within(number) + found.nowhere
    if whole != found.records:
        return f"it has {found.records:,} records"
    if part > most:
        return f"{most:,} can be from it{' at most' * bool(found.nowhere)}"
    if not found.possible:
        held = f"{found.within(number):,} are in it, {found.only(number):,} only there"
        return f"{held}: the shares cannot all be so"
    return ""

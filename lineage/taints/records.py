"""Where tainted records went: counted in the bytes of what is derived from theirs.

A dataset that is derived from one with tainted records has those that are found in it,
by their identity. Records of it that none of its parents has may be tainted ones that
were changed on the way: they count as perhaps. So a dataset of which every record is
in a parent, and none is tainted, was not reached. Where bytes are not here, shares say
how many there can be at most.
"""

import heapq
from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

from lineage.errors import LineageError
from lineage.records import rows
from lineage.registry import Registry
from lineage.search import children
from lineage.store.objects import Commit
from lineage.store.reading import Progress
from lineage.taints import Taint, known, standing
from lineage.taints.sightings import Sighting, Sightings

_BYTES = 16  # of an identity: enough to tell records of a few datasets apart
_DERIVED = "derived_from"


class Seen(NamedTuple):
    """How many of a taint's records the dataset `id` has."""

    id: str
    sighting: Sighting


def look(registry: Registry, progress: Progress) -> dict[str, list[Seen]]:
    """Where the records of every standing taint went, by the taint's event.

    What was read is written down, and not read again.
    """
    seen = Sightings.read(registry.home)
    before = seen.count
    found = {
        one.event: list(_Search(registry, seen, one, progress).run())
        for one in standing(registry)
        if one.records is not None
    }
    if seen.count != before:
        seen.write(registry.home)
        known.forget(registry.home)
    return found


class _Search:
    """Follows the records of one taint from dataset to dataset."""

    def __init__(
        self, registry: Registry, seen: Sightings, one: Taint, progress: Progress
    ) -> None:
        self._registry = registry
        self._seen = seen
        self._taint = one
        self._bad = {bytes.fromhex(id_)[:_BYTES] for id_ in one.records or ()}
        self._progress = progress
        self._held: dict[str, Sighting] = {}

    def run(self) -> Iterator[Seen]:
        """Every dataset that the records may have come to, parents first."""
        ahead = [(0, self._taint.subject)]
        queued = {self._taint.subject}
        while ahead:
            _, id_ = heapq.heappop(ahead)
            found = self._sighting(id_)
            yield Seen(id_, found)
            if found.high == 0:
                continue
            self._held[id_] = found
            for child in children(self._registry, [id_], {_DERIVED}) - queued:
                if self._registry.load(child).kind == "dataset":
                    queued.add(child)
                    heapq.heappush(ahead, (self._registry.ids.get(child).number, child))

    def _sighting(self, id_: str) -> Sighting:
        """What is known of a dataset, or seen now."""
        event = self._taint.event
        known_ = self._seen.of(event, id_)
        if known_:
            return known_
        commit = self._registry.load(id_)
        try:
            found = self._counted(id_, commit)
        except LineageError:
            found = self._bounded(commit)
            if found.high != 0:
                return found  # bytes may come, and say more
        self._seen.add(event, id_, found)
        return found

    def _counted(self, id_: str, commit: Commit) -> Sighting:
        """How many there are, by the bytes; what no parent has may be changed ones."""
        if id_ == self._taint.subject:
            low = sum(self._source[one] for one in self._bad)
            return Sighting(low, low, self._source.total())
        rest = Counter(self._identities(id_))
        of = rest.total()
        low = sum(rest.pop(one, 0) for one in self._bad)
        for parent in commit.ids(_DERIVED):
            ours = parent == self._taint.subject
            for one in self._source if ours else self._identities(parent):
                rest.pop(one, None)
        return Sighting(low, low + rest.total(), of)

    @cached_property
    def _source(self) -> Counter[bytes]:
        """The records of the tainted dataset, from which others are derived."""
        return Counter(self._identities(self._taint.subject))

    def _identities(self, id_: str) -> Iterator[bytes]:
        for row in rows(self._registry, id_, progress=self._progress):
            yield bytes.fromhex(row.identity)[:_BYTES]

    def _bounded(self, commit: Commit) -> Sighting:
        """How many there can be, by the shares of the parents that have some."""
        most, whole = 0, 0
        for edge in commit.edges:
            part, of = (edge.share or {}).get("records") or (None, 0)
            whole = max(whole, of)
            if edge.role == _DERIVED and edge.id in self._held:
                if part is None:
                    return Sighting(0, None, None)
                most += part
        return Sighting(0, min(most, whole), whole)

"""Walking the registry: commits newest first, with who recorded them and when."""

import heapq
from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import NamedTuple
from weakref import WeakKeyDictionary

from lineage.measured import metrics
from lineage.registry import Registry
from lineage.releases import live_in
from lineage.store.objects import Commit, Metric


class Entry(NamedTuple):
    """A commit with what the log knows of it: who recorded it first, and when.

    `metrics` are those that it records and those that were attested later; `live` are
    the environments that it is live in.
    """

    id: str
    git: str
    commit: Commit
    time: str
    author: Mapping[str, str]
    message: str
    branches: tuple[str, ...]
    tags: tuple[str, ...]
    generation: int
    number: int
    metrics: Mapping[str, Metric]
    path: str | None = None
    live: tuple[str, ...] = ()


class Names(NamedTuple):
    """Branches and tags by the git oid that they name; what is live, by its id."""

    branches: dict[str, tuple[str, ...]]
    tags: dict[str, tuple[str, ...]]
    live: dict[str, tuple[str, ...]]

    @classmethod
    def of(cls, registry: Registry) -> "Names":
        """The names as of the newest event, kept at hand until there is another."""
        tip = registry.events_log.tip()
        if registry not in _kept or _kept[registry][0] != tip:
            heads, tags = (_by_oid(registry, space) for space in ("heads", "tags"))
            _kept[registry] = tip, cls(heads, tags, live_in(registry))
        return _kept[registry][1]


_kept: WeakKeyDictionary[Registry, tuple[str | None, Names]] = WeakKeyDictionary()


def _by_oid(registry: Registry, space: str) -> dict[str, tuple[str, ...]]:
    pairs = sorted((oid, n) for n, oid in registry.events_log.names(space).items())
    groups = groupby(pairs, key=lambda pair: pair[0])
    return {oid: tuple(name for _, name in group) for oid, group in groups}


def entry(registry: Registry, id_: str, names: Names) -> Entry:
    """The commit `id_` with its first event and its names."""
    record = registry.ids.get(id_)
    event = registry.events_log.brief(record.event)
    return Entry(
        id=id_,
        git=record.git,
        commit=registry.load(id_),
        time=event.time,
        author=event.actor,
        message=event.message,
        branches=names.branches.get(record.git, ()),
        tags=names.tags.get(record.git, ()),
        generation=record.generation,
        number=record.number,
        metrics=metrics(registry, id_),
        path=event.data.get("path"),
        live=names.live.get(id_, ()),
    )


def walk(registry: Registry, starts: Iterable[str]) -> Iterator[Entry]:
    """`starts` and everything that they came from, newest first.

    A commit is recorded after those that it names, so going by the order of
    recording shows children before parents, whatever the clocks said.
    """
    names = Names.of(registry)
    seen = set(starts)
    queue = [(-registry.ids.get(id_).number, id_) for id_ in seen]
    heapq.heapify(queue)
    while queue:
        found = entry(registry, heapq.heappop(queue)[1], names)
        yield found
        for parent in found.commit.ids():
            if parent not in seen:
                seen.add(parent)
                heapq.heappush(queue, (-registry.ids.get(parent).number, parent))

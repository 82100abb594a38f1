"""The index of a registry: where it is, how far it has come, making it anew."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lineage.repository import Repository

if TYPE_CHECKING:
    from lineage.store.index import Index
    from lineage.store.index_asking import Ask


@dataclass(frozen=True, slots=True)
class IndexStatus:
    """What the index holds; `rows` counts by table, those of other clones too.

    `left_out` are this clone's commits that cannot be read, each with the reason.
    """

    place: str
    current: bool
    commits: int
    clones: int
    rows: dict[str, int]
    left_out: dict[str, str]


def index_of(registry: Repository) -> "Index":
    """The index: ``index.url`` where that is set, else a file of this clone's own.

    Raises:
        StoreError: when the URL is none, or its driver is missing.
    """
    from lineage.store.index import Index

    url = registry.settings.get("index.url")
    clone = registry.uuid() if url else "own"
    return Index(registry.git, registry.events_log, registry.home, url=url, clone=clone)


def by_then(registry: Repository, ids: Iterable[str]) -> Iterator[str]:
    """Those of `ids` that the registry has: rows are of now, it may be of the past."""
    if registry.events_log.at is None:
        return iter(ids)
    return (id_ for id_ in ids if id_ in registry.ids)


def index_status(registry: Repository) -> IndexStatus:
    """Where the index is and what it holds, as it stands: nothing is caught up.

    Raises:
        StoreError: when the database cannot be used.
    """
    with index_of(registry) as index:
        return _status(registry, index)


def rebuild_index(registry: Repository) -> IndexStatus:
    """Make this clone's rows anew from the event log; those of other clones stay.

    Raises:
        StoreError: when the database cannot be used.
    """
    with index_of(registry) as index:
        index.rebuild()
        return _status(registry, index)


def _status(registry: Repository, index: "Index") -> IndexStatus:
    from lineage.store.index_query import census

    def question(ask: "Ask") -> IndexStatus:
        found = census(ask)
        return IndexStatus(place, current, *found)

    place, tip = index.place, index.stored_tip()
    current = tip is not None and tip == registry.events_log.tip()
    if tip is None:
        return IndexStatus(place, current, 0, 0, {}, {})
    return index.look(question)

"""Commits as a report knows them: the manifest, what recorded it, its names."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from lineage.descent.ancestry import loaded
from lineage.history import Names
from lineage.keys.signatures import Signature, Signatures
from lineage.registry import Registry
from lineage.store.event_reading import Logged
from lineage.store.lookup import Record
from lineage.store.objects import Commit, Event
from lineage.tombstones import tombstones


def actor(who: Mapping[str, Any]) -> str:
    """A person as the report writes them."""
    name, email = who.get("name", ""), who.get("email", "")
    return f"{name} <{email}>" if email else str(name)


class Signed(NamedTuple):
    """An event and what its signature is worth."""

    event: Event
    signature: Signature


@dataclass(frozen=True, slots=True)
class Known:
    """A commit with the event that first recorded it, and its signature.

    `erased` is the event that erased files of it, `left` how many others it has.
    """

    id: str
    git: str
    commit: Commit
    generation: int
    number: int
    event: Event
    signature: Signature
    branches: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    erased: Event | None = None
    left: int = 0


class Library:
    """The commits of a registry, each read once, and many with few waits for git."""

    def __init__(self, registry: Registry, signatures: Signatures) -> None:
        self._registry = registry
        self._signatures = signatures
        self._names = Names.of(registry)
        self._gone = tombstones(registry)
        self._commits: dict[str, Commit] = {}
        self._records: dict[str, Record] = {}

    def read(self, ids: Iterable[str]) -> None:
        """Read the manifests of many commits."""
        new = [id_ for id_ in dict.fromkeys(ids) if id_ not in self._commits]
        self._commits.update(loaded(self._registry, list(map(self._record, new))))

    def commit(self, id_: str) -> Commit:
        """What the manifest of a commit says."""
        if id_ not in self._commits:
            self._commits[id_] = self._registry.load(id_)
        return self._commits[id_]

    def number(self, id_: str) -> int:
        """The place of a commit in the order of recording."""
        return self._record(id_).number

    def _record(self, id_: str) -> Record:
        if id_ not in self._records:
            self._records[id_] = self._registry.ids.get(id_)
        return self._records[id_]

    def known(self, ids: Iterable[str]) -> dict[str, Known]:
        """Everything about some commits, in the order of recording."""
        chosen = sorted(ids, key=self.number)
        self.read(chosen)
        log = self._registry.events_log
        oids = [self._record(id_).event for id_ in chosen]
        events = {one.git: one for one in log.many(list(dict.fromkeys(oids)))}
        self._signatures.many(events.values())
        pairs = zip(chosen, oids, strict=True)
        return {id_: self._known(id_, events[oid]) for id_, oid in pairs}

    def _known(self, id_: str, recorded: Logged) -> Known:
        record = self._record(id_)
        oid = self._gone.stripped.get(id_)
        return Known(
            id=id_,
            git=record.git,
            commit=self.commit(id_),
            generation=record.generation,
            number=record.number,
            event=recorded.event,
            signature=self._signatures.of(recorded),
            branches=self._names.branches.get(record.git, ()),
            tags=self._names.tags.get(record.git, ()),
            erased=self._registry.events_log.whole.event(oid) if oid else None,
            left=self._left(id_) if oid else 0,
        )

    def _left(self, id_: str) -> int:
        files = (f for f in self._registry.files(id_) if not f.is_directory)
        return sum(1 for file in files if file.sha256 not in self._gone.erased)

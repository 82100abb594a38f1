"""Commits as a report knows them: the manifest, what recorded it, its names."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from lineage.audit.signatures import Signature, Signatures
from lineage.history import Names
from lineage.registry import Registry
from lineage.store.events import Logged
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
    """The commits of a registry, each read once."""

    def __init__(self, registry: Registry, signatures: Signatures) -> None:
        self._registry = registry
        self._signatures = signatures
        self._names = Names.of(registry)
        self._gone = tombstones(registry)
        self._known: dict[str, Known] = {}

    def __call__(self, id_: str) -> Known:
        if id_ not in self._known:
            self._known[id_] = self._read(id_)
        return self._known[id_]

    def _read(self, id_: str) -> Known:
        record = self._registry.ids.get(id_)
        log = self._registry.events_log
        event = log.event(record.event)
        oid = self._gone.stripped.get(id_)
        return Known(
            id=id_,
            git=record.git,
            commit=self._registry.load(id_),
            generation=record.generation,
            number=record.number,
            event=event,
            signature=self._signatures.of(Logged(record.event, event)),
            branches=self._names.branches.get(record.git, ()),
            tags=self._names.tags.get(record.git, ()),
            erased=log.whole.event(oid) if oid else None,
            left=self._left(id_) if oid else 0,
        )

    def _left(self, id_: str) -> int:
        files = (f for f in self._registry.files(id_) if not f.is_directory)
        return sum(1 for file in files if file.sha256 not in self._gone.erased)

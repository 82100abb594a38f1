"""What a report is held to: the commits and events of the bundle, by id."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

from lineage.bundle_check.commits import Commits
from lineage.bundle_check.log import Log
from lineage.bundle_check.people import People
from lineage.keys.ring import Keys, Standing
from lineage.store.events import EventLog
from lineage.store.files import FileEntry
from lineage.store.git import GitRepository
from lineage.store.objects import Commit, Edge, Event

# Not those of `store.generations`: what counts anew must not make the same mistake.
_APART = ("evaluated_on", "configured_by", "revises")  # no generation comes along these
_NEXT = ("generated_by", "distilled_from")


@dataclass(frozen=True)
class Source:
    """Sound commits and events; `names` are the branches and tags by git oid."""

    log: Log
    commits: Mapping[str, Commit]
    events: Mapping[str, Event]
    standings: Mapping[str, Standing | None]
    keys: Keys
    files: Mapping[str, list[FileEntry]]
    branches: Mapping[str, tuple[str, ...]]
    tags: Mapping[str, tuple[str, ...]]
    _read: dict[str, Any] = field(default_factory=dict)
    _generations: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of(cls, git: GitRepository, log: Log, commits: Commits, people: People) -> Self:
        """All that the checks before this one found sound."""
        names = EventLog(git, git.root / "none").names
        return cls(
            log,
            commits.known,
            log.ids,
            people.standings,
            people.keys,
            commits.files,
            _by_oid(names("heads")),
            _by_oid(names("tags")),
        )

    @cached_property
    def erasures(self) -> tuple[Event, ...]:
        return tuple(event for event in self.events.values() if event.type == "erase")

    def event(self, id_: object) -> Event | None:
        return self.events.get(id_) if isinstance(id_, str) else None

    def manifest(self, id_: object) -> Any:
        """The manifest of a commit as plain data; None where there is none."""
        commit = self.commits.get(id_) if isinstance(id_, str) else None
        return self._plain(str(id_), commit.manifest) if commit else None

    def encoded(self, id_: object) -> Any:
        """The same of an event."""
        event = self.event(id_)
        return self._plain(str(id_), event.encoded) if event else None

    def turn(self, id_: str) -> int:
        """The turn of a loop that a commit came of: as the loop counted, if it did."""
        commit = self.commits[id_]
        own = commit.params.get("generation") if commit.kind == "generation" else None
        return own if type(own) is int and own >= 0 else self._generation(id_)

    def _generation(self, id_: str) -> int:
        """The same as FORMAT.md counts it, along edges."""
        waiting = [id_]
        while waiting:
            edges = self._counted(waiting[-1])
            left = [edge.id for edge in edges if edge.id not in self._generations]
            if left:
                waiting += left
                continue
            turns = (self._generations[e.id] + (e.role in _NEXT) for e in edges)
            self._generations[waiting.pop()] = max(turns, default=0)
        return self._generations[id_]

    def _counted(self, id_: str) -> list[Edge]:
        commit = self.commits.get(id_)
        return [e for e in commit.edges if e.role not in _APART] if commit else []

    def _plain(self, id_: str, data: bytes) -> Any:
        if id_ not in self._read:
            self._read[id_] = json.loads(data)
        return self._read[id_]


def _by_oid(names: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for name, oid in names.items():
        found[oid] = (*found.get(oid, ()), name)
    return found


def person(event: Event) -> str:
    """Who made an event, as reports write it."""
    name, email = event.actor["name"], event.actor["email"]
    return f"{name} <{email}>" if email else name

"""Walking a log along its first parents: the few newest events, and the own ones."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache

from lineage.store.event_commit import parse_parents
from lineage.store.git import GitRepository
from lineage.store.objects import Event

_RECENT = 32  # events
_KEPT = 1024  # of which what comes before them is kept at hand


class Chains(ABC):
    """What of a log is read without all of its events."""

    def __init__(self, git: GitRepository) -> None:
        self._git = git
        self._parents = lru_cache(maxsize=_KEPT)(self._read_parents)

    @abstractmethod
    def tip(self) -> str | None:
        """The git oid of the newest event."""

    @abstractmethod
    def event(self, oid: str) -> Event:
        """The event that the git commit `oid` holds."""

    def recent(self, tip: str, since: str) -> list[str] | None:
        """The few events between two of one chain, without starting a process."""
        oids = [tip]
        while len(oids) <= _RECENT:
            parents = self._parents(oids[-1])
            if len(parents) != 1:
                return None
            if parents[0] == since:
                return oids
            oids.append(parents[0])
        return None

    def _read_parents(self, oid: str) -> list[str]:
        found = self._git.read(oid)
        return parse_parents(found[1].data) if found else []

    def chain(self, before: int | None = None) -> Iterator[tuple[str, int]]:
        """The own events, newest first: git oid, and time in whole seconds.

        Own are the newest event and those before it along first parents: the events
        that other logs brought are no history of the names here. `before` leaves out
        those of later seconds. Git is asked for few at first, and then for more.
        """
        limit = [] if before is None else [f"--before={before}"]
        start, count, known = self.tip(), _RECENT, 0
        while start is not None:
            words = ("--first-parent", "--timestamp", f"--max-count={count}")
            skip = f"--skip={known}"
            listed = self._git.run("rev-list", *words, skip, *limit, start)
            pairs = [line.split(" ") for line in listed.decode().splitlines()]
            yield from ((oid, int(seconds)) for seconds, oid in pairs)
            if len(pairs) < count:
                return
            start, count, known = pairs[-1][1], count * 8, 1

    def is_own(self, event: str) -> bool:
        """Whether `event` is one of the own events."""
        return any(oid == event for oid, _ in self.chain())

    def newest(self, moment: str) -> str | None:
        """The newest of the own events whose own time is `moment` or before it."""
        second = int(datetime.fromisoformat(moment).timestamp())
        for oid, seconds in self.chain(second):
            if seconds < second or self.event(oid).time <= moment:
                return oid
        return None

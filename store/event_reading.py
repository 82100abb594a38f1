"""Reading a log: single events, those about a commit, those that came since.

Git looks through messages and parents; whole events are read many at a time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from lineage.errors import StoreError
from lineage.store.event_chains import Chains
from lineage.store.git import GitRepository
from lineage.store.git_graph import is_ancestor
from lineage.store.objects import Event

_KEPT = 8  # events; one that imported commits may be large
_BRIEF = 1024  # events without those


class Logged(NamedTuple):
    """An event with the git commit that holds it."""

    git: str
    event: Event


class Reading(Chains):
    """What can be read of a log that ends at `tip`."""

    def __init__(self, git: GitRepository) -> None:
        super().__init__(git)
        self._event = lru_cache(maxsize=_KEPT)(self._read)
        self.brief = lru_cache(maxsize=_BRIEF)(self._shortened)

    def event(self, oid: str) -> Event:
        """The event that the git commit `oid` holds; the last ones are kept at hand."""
        return self._event(oid)

    def _read(self, oid: str) -> Event:
        data = self._git.blob(f"{oid}:event.json")
        if data is None:
            raise StoreError(f"the event {oid} is missing", hint=self._git.mend())
        return Event.parse(data)

    def _shortened(self, oid: str) -> Event:
        """The event `oid` without the commits that came with it."""
        return replace(self.event(oid), commits=())

    def about(self, id_: str, first: str) -> Iterator[Logged]:
        """The events that speak of the commit `id_`, newest first.

        `first` is the one that brought it. Git looks through the messages of it and
        those after it, so that nobody reads the whole log for a few events.
        """
        told = ("--topo-order", "--fixed-strings", f"--grep=Lineage-Id: {id_}")
        tip = self.tip() or first
        listed = self._git.run("rev-list", *told, tip, f"^{first}^@")
        found = (Logged(oid, self.event(oid)) for oid in listed.decode().split())
        return (logged for logged in found if logged.event.subject == id_)

    def iterate(
        self,
        *,
        tip: str | None = None,
        since: str | None = None,
        oldest_first: bool = False,
    ) -> Iterator[Logged]:
        """All events up to `tip` (default: the newest), newest first.

        Those that `since` does not know, if given.
        """
        oids = self.since(since, tip)
        if oldest_first:
            oids.reverse()
        yield from self.many(oids)

    def since(self, event: str | None, tip: str | None = None) -> list[str]:
        """The git oids of the events that `event` does not know, newest first."""
        tip = tip or self.tip()
        if tip is None or tip == event:
            return []
        few = self.recent(tip, event) if event else None
        if few is not None:
            return few
        limits = [f"^{event}"] if event else []
        listed = self._git.run("rev-list", "--topo-order", tip, *limits)
        return listed.decode().split()

    def many(self, oids: Sequence[str]) -> Iterator[Logged]:
        """The events that these git commits hold, with few waits for git."""
        blobs = self._git.read_many(f"{oid}:event.json" for oid in oids)
        for oid, found in zip(oids, blobs, strict=True):
            if found is None:
                raise StoreError(f"the event {oid} is missing", hint=self._git.mend())
            yield Logged(oid, Event.parse(found[1].data))

    def follows(self, event: str) -> bool:
        """Whether the newest event is `event` or came after it."""
        tip = self.tip()
        if tip is None:
            return False
        if tip == event or self.recent(tip, event):
            return True
        return is_ancestor(self._git, event, tip)

    def find(self, prefix: str) -> list[Logged]:
        """The events whose id or git oid starts with `prefix`."""
        tip = self.tip()
        if tip is None:
            return []
        oids: list[str] = []
        if len(prefix) <= len(tip):
            named = self._git.run("rev-parse", f"--disambiguate={prefix}")
            oids += filter(self.holds, named.decode().split())
        if len(prefix) != len(tip):  # a whole git oid is no prefix of an id
            told = f"--grep=^Lineage-Event: {prefix}"
            oids += self._git.run("rev-list", told, tip).decode().split()
        found = [Logged(oid, self.event(oid)) for oid in dict.fromkeys(oids)]
        return [e for e in found if f" {prefix}" in f" {e.git} {e.event.id}"]

    def holds(self, oid: str) -> bool:
        """Whether `oid` is the git oid of an event of this log."""
        found = self._git.read(oid)
        if found is None or found[1].kind != "commit":
            return False
        return self._git.blob(f"{oid}:event.json") is not None and self.follows(oid)

    def later(self, event: str) -> frozenset[str]:
        """The git oids of the events that came after `event`, or beside it."""
        tip = self.tip()
        if tip is None:
            return frozenset()
        return frozenset(self._git.run("rev-list", tip, f"^{event}").decode().split())

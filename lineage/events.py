"""Questions to the log: which events a person wants to see."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import time
from functools import cached_property

from lineage.errors import StoreError
from lineage.moments import moment_of
from lineage.registry import Registry
from lineage.store.event_reading import Logged
from lineage.store.objects import Event
from lineage.store.order import in_order

_FEW, _MANY = 64, 1024  # events that git lists at once


@dataclass(frozen=True)
class Wanted:
    """What an event must be to be shown; everything that is given must hold.

    `types` are its types, one of them; `ref` is a name that it moved, with its space
    (``heads/a``) or without (``a``); `author` a part of "name <email>" in any case;
    `since` and `until` are moments (see `lineage.moments`), both included.

    Raises:
        UsageError: at once, for a moment that is none.
    """

    types: tuple[str, ...] = ()
    ref: str | None = None
    author: str | None = None
    since: str | None = None
    until: str | None = None

    def __post_init__(self) -> None:
        _ = self._times

    @cached_property
    def _times(self) -> tuple[str, str]:
        """The first and the last time; every text is before ``~``."""
        first = moment_of(self.since, time.min) if self.since else ""
        return first, moment_of(self.until, time.max) if self.until else "~"

    def accepts(self, event: Event) -> bool:
        """Whether `event` is one of these."""
        first, last = self._times
        author = "{name} <{email}>".format(**event.actor)
        return (
            (not self.types or event.type in self.types)
            and (not self.ref or self._moved(event))
            and (not self.author or self.author.casefold() in author.casefold())
            and first <= event.time <= last
        )

    def _moved(self, event: Event) -> bool:
        refs = (change.ref for change in event.refs)
        return any(self.ref in (ref, ref.partition("/")[2]) for ref in refs)


def backwards(
    registry: Registry, seen: int = 0, *, tip: str | None = None
) -> Iterator[Logged]:
    """The events newest first, without the first `seen`; only those are read.

    `tip` is the git oid of the one to start from, by default the newest. Git is asked
    for few at first, and then for more.
    """
    log, count = registry.events_log, _FEW
    tip = tip or log.tip()
    while tip is not None:
        limits = (f"--skip={seen}", f"--max-count={count}")
        listed = registry.git.run("rev-list", "--topo-order", *limits, tip)
        oids = listed.decode().split()
        yield from log.many(oids)
        if len(oids) < count:
            return
        seen, count = seen + count, min(count * 8, _MANY)


def some(
    registry: Registry,
    wanted: Wanted,
    limit: int,
    *,
    seen: int = 0,
    tip: str | None = None,
    looked: int | None = None,
) -> tuple[list[Logged], int | None]:
    """At most `limit` events that are wanted, of those behind the first `seen`.

    With how many were gone through by then, None where that was all. No more than
    `looked` of the log are gone through, if given.
    """
    found: list[Logged] = []
    for place, logged in enumerate(backwards(registry, seen, tip=tip), start=seen):
        if len(found) == limit or place - seen == looked:
            return found, place
        if wanted.accepts(logged.event):
            found.append(logged)
    return found, None


def about(registry: Registry, id_: str, *, indexed: bool = False) -> list[Logged]:
    """The events that speak of a commit, newest first: the same in every clone.

    `indexed`: they are looked up where the index is current; else git goes through
    the log from the commit on.
    """
    log = registry.events_log
    oids = _indexed(registry, id_) if indexed and not log.at else None
    if oids is None:
        found = list(log.about(id_, registry.ids.get(id_).event))
    else:
        found = [Logged(oid, log.event(oid)) for oid in oids]
    return in_order(registry.git, found[::-1])[::-1]


def _indexed(registry: Registry, id_: str) -> list[str] | None:
    """What the index has of it; None where it is behind, or of no use."""
    from lineage.indexing import index_of
    from lineage.store.index_events import speaking_of

    with suppress(StoreError), index_of(registry) as index:
        return index.at_hand(lambda ask: speaking_of(ask, id_))
    return None


def events(registry: Registry, wanted: Wanted) -> Iterator[Logged]:
    """The events that are wanted, newest first."""
    return (e for e in registry.events_log.iterate() if wanted.accepts(e.event))

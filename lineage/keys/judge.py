"""Judging the signatures of a log: each as of the time when it was made.

The rules stand in `lineage.keys.ring` and FORMAT.md. Here the events are read: which
key events come before one and which after it, its signature, its time.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

from lineage.keys.log import Keyed, around
from lineage.keys.ring import Change, Keys, Seen, Standing, founds, read_change
from lineage.store.event_commit import KEY, parse_parents, unsigned
from lineage.store.event_reading import Logged
from lineage.store.objects import Event
from lineage.store.signing import NAMESPACE
from lineage.store.sshsig import Signature

_NONE: frozenset[str] = frozenset()
_BATCH = 1024  # events
_NEAR = 64  # events; for one further back the whole log is gone through


class Judge:
    """Judges the events of one registry, as its newest event has the keys."""

    def __init__(self, registry: Keyed) -> None:
        self._registry = registry
        self._log = registry.events_log
        self._time: dict[str, str] = {}
        self._seen_up_to: str | None = None
        oids = registry.key_log.oids()
        self._all = frozenset(oids)
        self._before, self._after = (
            around(registry.git, oids, oids) if oids else ({}, {})
        )
        self.changes = list(self._read(oids))
        self.keys = Keys(self.changes, self._root())

    def standing(self, logged: Logged) -> Standing | None:
        """What an event's signature is worth; None before there were keys."""
        if self.keys.root is None:
            return None
        [seen] = self._seen([logged])
        return self.keys.standing(seen)

    def hear(self, times: Mapping[str, str]) -> None:
        """Take over the times of events, by git oid: events are judged by them."""
        self._time.update(times)

    def many(self, logged: Sequence[Logged]) -> Iterator[Standing | None]:
        """What the signatures of many events are worth, with few waits for git."""
        if self.keys.root is None:
            yield from [None] * len(logged)
            return
        if len(logged) > _NEAR:
            self._read_graph()
        yield from map(self.keys.standing, self._seen(logged))

    def standings(self) -> Iterator[tuple[Logged, Standing | None]]:
        """All events with what their signatures are worth, oldest first."""
        self._read_graph()
        log = self._log.iterate(oldest_first=True)
        while batch := list(islice(log, _BATCH)):
            for logged, seen in zip(batch, self._seen(batch), strict=True):
                yield logged, self.keys.standing(seen)

    def _seen(self, events: Sequence[Logged]) -> Iterator[Seen]:
        """Events with all that they are judged by."""
        self._time.update((git, event.time) for git, event in events)
        commits = self._registry.git.read_many(git for git, _ in events)
        for logged, found in zip(events, list(commits), strict=True):
            assert found is not None  # its event.json was read through it
            yield self._one(*logged, found[1].data)

    def _one(self, git: str, event: Event, commit: bytes) -> Seen:
        if git not in self._before:
            self._place(git)
        message, armored = unsigned(commit)
        signature = Signature.read(armored)
        return Seen(
            git,
            event,
            max([event.time, *self._times(parse_parents(commit))]),
            self._before.get(git, _NONE),
            self._after.get(git, _NONE),
            signature,
            signature is not None and signature.holds(message, NAMESPACE),
            armored is not None,
        )

    def _place(self, git: str) -> None:
        """See which key events are before one that no key event came after.

        All are, if it is among the newest and nothing is beside it.
        """
        oid = self._log.tip()
        for _ in range(_NEAR):
            found = self._registry.git.read(oid) if oid else None
            parents = parse_parents(found[1].data) if found else []
            if oid == git:
                self._before[git] = self._all
                return
            if len(parents) != 1:
                break
            oid = parents[0]
        self._read_graph()

    def _read_graph(self) -> None:
        """Go through the whole log once: which key events are before which events?"""
        tip, oids = self._log.tip(), list(self._all)
        if tip and oids and tip != self._seen_up_to:
            self._before, self._after = around(self._registry.git, [tip], oids)
            self._seen_up_to = tip

    def _times(self, oids: list[str]) -> Iterator[str]:
        for oid in oids:
            yield self._time.get(oid) or self._log.event(oid).time

    def _read(self, oids: Iterable[str]) -> Iterator[Change]:
        """The key events: those before others first, those beside by time."""
        chosen = [Logged(oid, self._log.event(oid)) for oid in oids]
        seen = [*self._seen([one for one in chosen if one.event.type == KEY])]
        seen.sort(key=lambda one: (len(one.before), one.event.time, one.event.id))
        return map(read_change, seen)

    def _root(self) -> str | None:
        """The key event that trust starts from, by its git oid.

        It is the first one that can be, on this registry's own chain; with a pinned
        anchor, the one of that key.
        """
        anchor = self._registry.settings.get("signing.anchor")
        able = [change for change in self.changes if founds(change)]
        if anchor:
            able = [c for c in able if c.key and c.key.fingerprint == anchor]
        gits = {change.seen.git for change in able}
        first = [c.seen.git for c in able if not c.seen.before & gits]
        return self._earliest(first) if len(first) > 1 else next(iter(first), None)

    def _earliest(self, gits: list[str]) -> str:
        """Of several that did not know of each other, the first that came here."""
        self._read_graph()
        tip = self._log.tip()
        assert tip
        chain = self._registry.git.run("rev-list", "--first-parent", "--reverse", tip)
        for oid in chain.decode().split():
            here = self._before[oid] | {oid}
            if found := [git for git in gits if git in here]:
                return found[0]
        return gits[0]

"""Judging the signatures of a log: each as of the time when it was made.

The rules stand in `lineage.keys.ring` and FORMAT.md. Here the events are read: which
key events come before one and which after it, its signature, its time.
"""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from lineage.keys.log import around
from lineage.keys.ring import Change, Keys, Seen, Standing, founds, read_change
from lineage.store.event_commit import KEY, parse_parents, unsigned
from lineage.store.events import Logged
from lineage.store.signing import NAMESPACE
from lineage.store.sshsig import Signature

if TYPE_CHECKING:
    from lineage.registry import Registry

_NONE: frozenset[str] = frozenset()


class Judge:
    """Judges the events of one registry, as its newest event has the keys."""

    def __init__(self, registry: "Registry") -> None:
        self._registry = registry
        self._log = registry.events_log
        oids = registry.key_log.oids()
        tip = self._log.tip()
        self._before, self._after = (
            around(registry.git, tip, oids) if oids and tip else ({}, {})
        )
        self.changes = list(self._read(oids))
        self.keys = Keys(self.changes, self._root())

    def standing(self, logged: Logged) -> Standing | None:
        """What an event's signature is worth; None before there were keys."""
        if self.keys.root is None:
            return None
        return self.keys.standing(self.seen(logged))

    def seen(self, logged: Logged) -> Seen:
        """An event with all that it is judged by."""
        git, event = logged
        found = self._registry.git.read(git)
        assert found is not None  # its event.json was read through it
        commit = found[1].data
        message, armored = unsigned(commit)
        signature = _parsed(armored)
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

    def _times(self, oids: list[str]) -> Iterator[str]:
        return (self._log.event(oid).time for oid in oids)

    def _read(self, oids: Iterable[str]) -> Iterator[Change]:
        """The key events: those before others first, those beside by time."""
        chosen = (Logged(oid, self._log.event(oid)) for oid in oids)
        seen = [self.seen(logged) for logged in chosen if logged.event.type == KEY]
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
        tip = self._log.tip()
        assert tip
        chain = self._registry.git.run("rev-list", "--first-parent", "--reverse", tip)
        for oid in chain.decode().split():
            here = self._before[oid] | {oid}
            if found := [git for git in gits if git in here]:
                return found[0]
        return gits[0]


def _parsed(armored: bytes | None) -> Signature | None:
    try:
        return Signature.parse(armored) if armored else None
    except ValueError:
        return None

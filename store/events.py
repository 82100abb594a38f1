"""The append-only log: every change of the registry, and the view after it.

An event is a git commit on ``refs/lineage/events`` whose tree holds
``event.json`` and ``view/``: every head, tag and run as a gitlink to its git
commit. The event ref is the commit point. Mirror refs under ``refs/lineage/``
(heads, tags, runs) move just before it, so that git's own gc never meets an
event whose commits nothing else keeps; what a crash left between the two is
rolled to the tip's view by the next writer. Readers trust only the view.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from lineage.errors import NotAllowed, StoreError, VerificationError
from lineage.store import names
from lineage.store.disk import locked, write_atomically
from lineage.store.event_chains import Chains
from lineage.store.event_commit import event_commit, signed
from lineage.store.git import GitRepository
from lineage.store.git_objects import GitObject, TreeEntry, tree
from lineage.store.guards import Guards
from lineage.store.mirrors import Step, mirrored, stale
from lineage.store.objects import Event
from lineage.store.views import BLOB, TREE, Move, Views

_KEPT = 8  # events; one that imported commits may be large
_BRIEF = 1024  # events without those
_OID = re.compile(r"[0-9a-f]{40}")


Signer = Callable[[Event, bytes], bytes | None]
"""Gives a signature of an event's commit, or None; raises where it must not be made."""


class Logged(NamedTuple):
    """An event with the git commit that holds it."""

    git: str
    event: Event


class EventLog(Chains):
    """The log of one registry, and the names as of its newest event.

    With `at`, the git oid of an event, it ends there: what came later is not seen,
    and nothing can be written. `signer` signs what is written.
    """

    def __init__(
        self,
        git: GitRepository,
        home: Path,
        at: str | None = None,
        signer: Signer = lambda _, __: None,
    ) -> None:
        super().__init__(git)
        self.at = at
        self._home = home
        self._signer = signer
        self._views = Views(git)
        self._event = lru_cache(maxsize=_KEPT)(self._read)
        self.brief = lru_cache(maxsize=_BRIEF)(self._shortened)
        self._guards = Guards(git, self._views)
        self._marker = home / "rolled"
        self._lock = home / "lock"
        self.catch_up: Callable[[int], None] = lambda _: None  # first, under the lock

    # reading

    def tip(self) -> str | None:
        """The git oid of the newest event, or None in an empty registry."""
        return self.at or self._git.ref(names.EVENTS)

    @property
    def whole(self) -> "EventLog":
        """This log without an end of its own."""
        if self.at is None:
            return self
        return EventLog(self._git, self._home, signer=self._signer)

    def ending(self, event: str) -> "EventLog":
        """This log as it ended with `event`."""
        return EventLog(self._git, self._home, event, self._signer)

    def event(self, oid: str) -> Event:
        """The event that the git commit `oid` holds; the last ones are kept at hand."""
        return self._event(oid)

    def _read(self, oid: str) -> Event:
        data = self._git.blob(f"{oid}:event.json")
        if data is None:
            raise StoreError(f"the event {oid} is missing", hint="run `git fsck`")
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
                raise StoreError(f"the event {oid} is missing", hint="run `git fsck`")
            yield Logged(oid, Event.parse(found[1].data))

    def follows(self, event: str) -> bool:
        """Whether the newest event is `event` or came after it."""
        tip = self.tip()
        if tip is None:
            return False
        if tip == event or self.recent(tip, event):
            return True
        try:
            self._git.run("merge-base", "--is-ancestor", event, tip)
        except StoreError:
            return False
        return True

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

    def lookup(self, ref: str, *, at: str | None = None) -> str | None:
        """The git oid that a name such as ``heads/model/tutor`` has in the view."""
        return self._views.lookup(at or self.tip(), ref)

    def names(self, space: str, *, at: str | None = None) -> dict[str, str]:
        """All names of ``heads``, ``tags`` or ``runs`` with their git oids, sorted."""
        return self._views.names(at or self.tip(), space)

    # writing

    @contextmanager
    def locked(self, *, wait: bool = True) -> Iterator[int]:
        """Hold the registry's write lock; yields the lock's descriptor.

        Raises:
            NotAllowed: when the log ends at a point in the past.
            BlockingIOError: when `wait` is False and somebody else holds it.
        """
        self.check_writable()
        with locked(self._lock, wait=wait) as lock:
            self.catch_up(lock)
            yield lock

    def check_writable(self) -> None:
        """Nothing is written into the past.

        Raises:
            NotAllowed: when the log ends at a point in the past.
        """
        if self.at is not None:
            message = f"this is the registry as of event {self.event(self.at).id[:12]}"
            hint = "what was is only read: leave out --at to change what is"
            raise NotAllowed(message, hint=hint)

    def append(
        self,
        event: Event,
        moves: Iterable[Move],
        objects: Iterable[GitObject],
        *,
        lock: int,
        merged: Sequence[str] = (),
        alone: Iterable[str] = (),
    ) -> Logged:
        """Write `objects`, move names and append `event`, as one step.

        `event.prev` and `event.refs` are filled in here; `merged` are the git oids of
        events of other logs that it comes after too, `alone` those of commits that no
        name reaches: the attic keeps them. Call it under `lock`.

        Raises:
            Conflict: when a name is not at its move's `before`, or somebody wrote past
                the lock; the registry is unchanged.
            NotAllowed: when a tag or a protected branch must not move so.
        """
        moves, objects = list(moves), list(objects)
        self.check_writable()
        self.roll_forward(lock)
        tip = self.tip()
        event, made = self.draft(event, moves, objects, merged)
        self._marker.unlink(missing_ok=True)
        self._git.write([*objects, *made])
        oid = made[-1].oid
        mirror = mirrored(moves)
        kept = {f"{names.ROOT}attic/{one}": (None, one) for one in alone}
        self._git.update_refs(kept, mirror, {names.EVENTS: (tip or "", oid)}, lock=lock)
        with suppress(OSError):  # it is recorded: the next writer makes this good
            write_atomically(self._marker, oid.encode())
        return Logged(oid, event)

    def draft(
        self,
        event: Event,
        moves: Sequence[Move],
        objects: Sequence[GitObject] = (),
        merged: Sequence[str] = (),
    ) -> tuple[Event, list[GitObject]]:
        """The event as it follows the newest one, and its git objects, signed.

        Raises:
            Conflict, NotAllowed: as `append`.
        """
        tip = self.tip()
        parents = [*([tip] if tip else []), *merged]
        event = replace(
            event,
            prev=tuple(self.event(oid).id for oid in parents),
            refs=tuple(move.change() for move in moves),
        )
        made = self.objects(event, moves, parents)
        if not merged:  # what becomes of names where logs meet, the rules of that say
            self.check(event, moves, objects)
        if signature := self._signer(event, made[-1].data):
            made[-1] = signed(made[-1], signature)
        return event, made

    def check(
        self, event: Event, moves: Sequence[Move], objects: Sequence[GitObject] = ()
    ) -> None:
        """Let `moves` pass if the newest event's names may move so in `event`.

        Raises:
            NotAllowed: when a tag or a protected branch must not move so.
        """
        self._guards.check(self.tip(), event, moves, objects)

    def roll_forward(self, lock: int, *, again: bool = False) -> None:
        """Make the mirror refs what the newest event says, after a crash.

        Raises:
            VerificationError: when the log has lost events that this clone has seen.
        """
        if self.is_rolled() and not again:
            return
        self.check_whole()
        self._git.sweep()
        tip = self.tip()
        if tip is None:
            return
        self._git.update_refs(self.stale_mirrors(), lock=lock)
        write_atomically(self._marker, tip.encode())

    def is_rolled(self) -> bool:
        """Whether the mirrors were last seen to be those of the newest event."""
        tip = self.tip()
        return tip is not None and _text(self._marker) == tip

    def check_whole(self) -> None:
        """Let nothing be written, or cleaned, on top of a log that was cut.

        Raises:
            VerificationError: when the log has lost events that this clone has seen.
        """
        if noted := self.cut():
            message = f"the log has lost the event {noted}, which was its newest"
            hint = "run `lineage verify --repair` before anything else is written"
            raise VerificationError(message, hint=hint)

    def cut(self) -> str | None:
        """The event that this clone noted as the newest, if the log lacks it now.

        A note that differs from the newest event in a single digit is itself damaged.
        """
        noted, tip = _text(self._marker), self.tip()
        if noted is None or tip is None or not _OID.fullmatch(noted):
            return None
        differing = sum(a != b for a, b in zip(noted, tip, strict=True))
        return None if differing <= 1 or self.follows(noted) else noted

    def stale_mirrors(self) -> Step:
        """What has to move so that the mirrors are what the newest event says."""
        wanted = {
            names.ref(f"{space}/{name}"): oid
            for space in names.SPACES
            for name, oid in self.names(space).items()
        }
        return stale(self._git, wanted)

    def objects(
        self, event: Event, moves: Iterable[Move], parents: Sequence[str]
    ) -> list[GitObject]:
        """The blob, the changed trees and, last, the commit of one event.

        `parents` are the git oids of the events before it; the names move from where
        the first one has them.

        Raises:
            Conflict: when a name is not at its move's `before`.
        """
        blob = GitObject("blob", event.encoded)
        view, changed = self._views.moved(parents[0] if parents else None, moves)
        root = {"event.json": TreeEntry(BLOB, blob.oid)}
        if view:
            changed.append(tree(view))
            root["view"] = TreeEntry(TREE, changed[-1].oid)
        top = tree(root)
        return [blob, *changed, top, event_commit(event, top.oid, parents)]


def _text(path: Path) -> str | None:
    try:
        return path.read_text(errors="replace")
    except FileNotFoundError:
        return None


def now() -> str:
    """The time, as events hold it: RFC 3339, UTC, microseconds."""
    stamp = datetime.now(UTC).isoformat(timespec="microseconds")
    return stamp.replace("+00:00", "Z")

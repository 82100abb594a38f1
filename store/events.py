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
from pathlib import Path

from lineage.errors import NotAllowed, VerificationError
from lineage.store import names
from lineage.store.disk import held, locked, write_atomically
from lineage.store.event_commit import event_commit, signed
from lineage.store.event_reading import Logged, Reading
from lineage.store.git import GitRepository
from lineage.store.git_objects import GitObject, TreeEntry, tree
from lineage.store.guards import Guards
from lineage.store.mirrors import Step, kept, mirrored, stale
from lineage.store.objects import Event
from lineage.store.views import BLOB, TREE, Move, Views

_MARKER = "rolled"  # the file that notes the newest event
_OID = re.compile(r"[0-9a-f]{40}")


Signer = Callable[[Event, bytes], bytes | None]
"""Gives a signature of an event's commit, or None; raises where it must not be made."""


class EventLog(Reading):
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
        self._guards = Guards(git, self._views)
        self._marker = home / _MARKER
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
        last = {names.EVENTS: (tip or "", oid)}
        self._git.update_refs(kept(alone), mirrored(moves), last, lock=lock)
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
        return tip is not None and noted(self._home) == tip

    def check_whole(self) -> None:
        """Let nothing be written, or cleaned, on top of a log that was cut.

        Raises:
            VerificationError: when the log has lost events that this clone has seen.
        """
        if lost := self.cut():
            message = f"the log has lost the event {lost}, which was its newest"
            hint = "run `lineage verify --repair` before anything else is written"
            raise VerificationError(message, hint=hint)

    def cut(self) -> str | None:
        """The event that this clone noted as the newest, if the log lacks it now.

        A note that differs from the newest event in a single digit is itself damaged.
        """
        seen, tip = noted(self._home), self.tip()
        if seen is None or tip is None or not _OID.fullmatch(seen):
            return None
        differing = sum(a != b for a, b in zip(seen, tip, strict=True))
        return None if differing <= 1 or self.follows(seen) else seen

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


def noted(home: Path) -> str | None:
    """The event that a clone noted as its newest, be it still in its log or not."""
    said = held(home / _MARKER)
    return None if said is None else said.decode(errors="replace")


def now() -> str:
    """The time, as events hold it."""
    return stamp(datetime.now(UTC))


def stamp(moment: datetime) -> str:
    """A moment in UTC as events hold it: RFC 3339, microseconds."""
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")

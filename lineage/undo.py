"""Taking moves of names back, by one more event: nothing is ever rewritten.

An undo gives each name that an event moved the value that it had before, if it still
has the one that the event gave it; else nothing at all is changed. An undo can be
undone, which is redo. What it took back is in its data: ``{"undoes": EVENT ID}``.
"""

from collections.abc import Iterator
from itertools import takewhile
from typing import NamedTuple

from lineage.draft import last_moved
from lineage.errors import NotAllowed, NotFound
from lineage.moments import find_event
from lineage.registry import Registry
from lineage.store.disk import disk_errors
from lineage.store.event_reading import Logged
from lineage.store.events import now
from lineage.store.objects import Event
from lineage.store.undone import UNDO, taken_back
from lineage.store.views import WHAT, Move, Target

_SEEN = ("heads/", "tags/", "protected/")  # what people see; a loop's parts are not
_ANSWERS = {
    "init": "it made the registry; remove the folder if you want none",
    "erase": "erased bytes are gone; commit them again where you still have them",
    "review": "a verdict is answered by another one: `lineage review`",
    "key": "a key ends with `lineage key revoke`",
    "taint": "`lineage taint --lift EVENT --reason R` lifts it",
    "untaint": "taint it anew: `lineage taint REV --reason R`",
    "metrics": "attest it anew, or `lineage attest REV --withdraw NAME`",
    "statement": "state it anew, or `lineage attest REV --state FIELD=` takes it back",
    "release": "`lineage attest REV --retire ENV`, or release another commit there",
    "evidence": "`lineage verify --evidence` looks again, and says what it finds",
    "commit": "it found the branch at that content already and moved nothing",
}
_ANSWER = "what was said stays said; record an event that says otherwise"


class Undone(NamedTuple):
    """What was taken back, how the names moved, and the event that says so.

    `event` is empty when nothing was written, because it was only tried.
    """

    undone: Event
    moves: tuple[Move, ...]
    event: str


def undo(
    registry: Registry,
    event: str | None = None,
    *,
    message: str = "",
    dry_run: bool = False,
) -> Undone:
    """Take back the moves of `event`, an id or git oid, or a prefix of one.

    Without it, the newest own event that moved a branch, a tag or a protection and
    has not been taken back: once more goes one further.

    Raises:
        NotAllowed: when a name has moved since, when a protected branch would go back,
            or when the event moved no name; nothing is changed then.
        NotFound: when there is no such event, or nothing is left to undo.
    """
    with disk_errors("undoing"), registry.events_log.locked() as lock:
        found = _newest(registry) if event is None else find_event(registry, event)
        return _take_back(registry, found, message, lock, dry_run=dry_run)


def redo(registry: Registry, *, message: str = "", dry_run: bool = False) -> Undone:
    """Bring back what the newest undo took, unless names have moved since.

    Raises:
        NotFound: when no undo is left to take back.
        NotAllowed: when a name has moved since; nothing is changed then.
    """
    with disk_errors("redoing"), registry.events_log.locked() as lock:
        found = _newest_undo(registry)
        return _take_back(registry, found, message, lock, dry_run=dry_run)


def standing(registry: Registry, taken: dict[str, str]) -> Iterator[Logged]:
    """The own events that moved names and hold, newest first, undos among them.

    `taken` is filled as far as they are read: each event that was taken back with the
    undo that did it. An undo that was itself taken back takes nothing.
    """
    log = registry.events_log
    for oid, _ in log.chain():
        event = log.event(oid)
        if event.id in taken or not event.refs:
            continue
        if event.type == UNDO:
            taken[event.data["undoes"]] = event.id
        yield Logged(oid, event)


def _newest(registry: Registry) -> Logged:
    for logged in standing(registry, {}):
        seen = any(change.ref.startswith(_SEEN) for change in logged.event.refs)
        if seen and logged.event.type != UNDO:
            return logged
    raise NotFound("there is nothing to undo", hint="`lineage events` lists them all")


def _newest_undo(registry: Registry) -> Logged:
    log = registry.events_log
    for logged in standing(registry, {}):
        if logged.event.type != UNDO:
            break
        (taken,) = log.find(logged.event.data["undoes"])
        if taken.event.type != UNDO:
            return logged
    hint = "redo brings back what undo took, as long as nothing else has moved"
    raise NotFound("there is nothing to redo", hint=hint)


def _take_back(
    registry: Registry, found: Logged, message: str, lock: int, *, dry_run: bool
) -> Undone:
    event = found.event
    if not event.refs:
        answer = _ANSWERS.get(event.type, _ANSWER)
        message = f"the event {event.id[:8]} ({event.type}) moved no name"
        raise NotAllowed(message, hint=answer)
    _check_holds(registry, event)
    moves = tuple(_moves(registry, found))
    taken = event.message.partition("\n")[0]
    told = message or f"{event.type} {event.id[:8]}{f': {taken}' if taken else ''}"
    new = Event(UNDO, now(), registry.actor(), told, data={"undoes": event.id})
    registry.events_log.check(new, moves)
    if dry_run:
        return Undone(event, moves, "")
    made = registry.record(new, moves, lock=lock)
    _follow(registry, moves)
    return Undone(event, moves, made.event.id)


def _moves(registry: Registry, found: Logged) -> Iterator[Move]:
    """Each name from where the event left it to where it found it."""
    for ref, now_, then in taken_back(found.event):
        present = registry.target(ref)
        if (present.id if present else None) != now_:
            raise _moved_since(registry, found, ref)
        yield Move(ref, present, _target(registry, then) if then else None)


def _target(registry: Registry, id_: str) -> Target:
    oid = registry.git_oid(id_)
    if registry.git.read(oid) is None:
        hint = "another clone may still have it: fetch from there"
        raise NotFound(f"the commit {id_[:12]} is no longer here", hint=hint)
    return Target(id_, oid)


def _check_holds(registry: Registry, event: Event) -> None:
    """An event that was taken back is brought back first, by undoing that."""
    taken: dict[str, str] = {}
    for logged in standing(registry, taken):
        if event.id in taken:
            by = taken[event.id][:8]
            message = f"the event {event.id[:8]} is undone already, by {by}"
            raise NotAllowed(message, hint=f"`lineage undo {by}` brings it back")
        if logged.event.id == event.id:
            return


def _moved_since(registry: Registry, found: Logged, ref: str) -> NotAllowed:
    """The error that names the event to take back first.

    That is the newest that moved `ref` and holds. Undos are in the way only of undos:
    of anything else what they left standing is.
    """
    space, _, name = ref.partition("/")
    what = f"the {WHAT[space]} {name}"
    newer = takewhile(lambda e: e.git != found.git, standing(registry, {}))
    moved = [e.event for e in newer if ref in {change.ref for change in e.event.refs}]
    others = [event for event in moved if event.type != UNDO]
    if not moved:
        return NotAllowed(f"{what} is not where the event left it")
    return _moved_by(what, (others or moved)[0])


def _moved_by(what: str, event: Event) -> NotAllowed:
    short, when = event.id[:8], f"{event.time[:10]} {event.time[11:16]} UTC"
    hint = f"`lineage undo {short}` first; it is by {event.actor['name']}, {when}"
    return NotAllowed(f"event {short} ({event.type}) moved {what} later", hint=hint)


def _follow(registry: Registry, moves: tuple[Move, ...]) -> None:
    """HEAD goes to the one branch that is back; never to one that is gone."""
    back = [m.ref[6:] for m in moves if m.ref.startswith("heads/") and m.after]
    if len(back) == 1:
        registry.set_head(back[0])
    elif not registry.target(f"heads/{registry.head}"):
        registry.set_head(last_moved(registry.events_log) or "")

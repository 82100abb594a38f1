"""The one way in: what was made elsewhere is checked, then appended under the lock."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, Field

from lineage.errors import Moved, NotAllowed, NotFound, VerificationError
from lineage.registry import Registry
from lineage.server.access import Principal
from lineage.server.incoming import bytes_here, kept, sent
from lineage.server.incoming.given import Id, Oid
from lineage.server.incoming.once import CIRCUMSTANCES, circumstances
from lineage.server.incoming.rules import check_allowed
from lineage.store import names
from lineage.store.arrivals import Arrived
from lineage.store.disk import disk_errors
from lineage.store.event_commit import unsigned
from lineage.store.event_reading import Logged
from lineage.store.events import now
from lineage.store.files import dvc_directory
from lineage.store.objects import Event
from lineage.store.undone import UNDO, taken_back, undone
from lineage.store.views import WHAT, Move, Target, moved_meanwhile
from lineage.timestamps import is_stamp
from lineage.unfetched import arrived


class SentMove(BaseModel):
    """One name's move: ids of commits, null where it was not or is no more."""

    ref: Annotated[str, Field(max_length=1000)]
    before: Id | None = None
    after: Id | None = None
    git: Oid | None = None
    kept: bool = False


class Sent(BaseModel):
    """An event with what comes with it (docs/api.md, Writing)."""

    event: dict[str, Any]
    moves: Annotated[list[SentMove], Field(max_length=10_000)] = []
    objects: list[str] = []
    signature: str | None = None
    parent: Oid | None = None


class _Draft(NamedTuple):
    """What was sent, read and found to be sound."""

    event: Event
    moves: Sequence[SentMove]
    came: Sequence[Arrived]
    signature: str | None
    parent: str | None


def append(
    registry: Registry, who: Principal, given: Sent, name: str | None = None
) -> Logged:
    """Append the event that was sent, in the name of whoever sent it.

    `name` is that of the request (see `once`).

    Raises:
        Moved: when the log, or a name, is not where the sender thought.
        Lacking: when files of new commits have not been sent.
        NotAllowed: when the sender may not do that, or nobody may.
        VerificationError: when something is not what its address or signature says.
        UsageError, NotFound: for what cannot be read, or leads to what is not here.
    """
    draft = _read(registry, who, given)
    payloads = registry.payloads
    with payloads.writing(), disk_errors("recording the event"):
        found = bytes_here.take(
            registry, lambda: bytes_here.of_commits(registry, draft.came)
        )
        payloads.add_lists(
            dvc_directory(made.entries)
            for made in draft.came
            if (kept := made.commit.stored) and kept.type == "directory"
        )
        with (
            registry.acting(who.actor, _via(draft, who, name)),
            _signing(registry, draft.signature),
            registry.events_log.locked() as lock,
        ):
            logged = _recorded(registry, draft) or _append(registry, draft, lock)
        bytes_here.release(registry, found)
    if draft.came:
        arrived(registry, [made.commit.id for made in draft.came])
    return logged


def _via(draft: _Draft, who: Principal, name: str | None) -> dict[str, str]:
    """What the event gets to say of its way here; signed ones stay as they are."""
    told = {} if draft.signature else circumstances(who, name)
    return {key: told[key] for key in told.keys() & _circumstantial(draft.event)}


def _circumstantial(event: Event) -> set[str]:
    """The fields of an event's data that are the server's to say.

    A time stamp has a `token` of its own: what its authority answered.
    """
    return {*CIRCUMSTANCES} - ({"token"} if is_stamp(event) else set())


def _read(registry: Registry, who: Principal, given: Sent) -> _Draft:
    event = sent.read_event(given.event)
    check_allowed(event, [move.ref for move in given.moves], who.scopes)
    said = _circumstantial(event) & event.data.keys()
    if given.signature is None:
        data = {key: event.data[key] for key in event.data.keys() - said}
        event = replace(event, actor=who.actor, data=data)
    elif said:
        message = f"an event that is signed elsewhere has the field {min(said)!r}"
        raise NotAllowed(message, hint="which way it came is the server's to say")
    elif event.actor != who.actor:
        message = f"the event is signed as by {event.actor['name']}"
        hint = f"this token is that of {who.name} <{who.email}>"
        raise NotAllowed(message, hint=hint)
    objects = sent.read_objects(given.objects)
    came = sent.read_commits(event, objects, registry.ids.git)
    return _Draft(event, given.moves, came, given.signature, given.parent)


def _recorded(registry: Registry, draft: _Draft) -> Logged | None:
    """The event itself, where it was signed and has been appended before.

    A signature is of one event at one place in the log.
    """
    log = registry.events_log
    if not draft.signature or not draft.parent or not log.holds(draft.parent):
        return None
    for logged in log.iterate(since=draft.parent):
        commit = registry.git.blob(logged.git) or b""
        if unsigned(commit)[1] == draft.signature.encode():
            return logged
    return None


def _append(registry: Registry, draft: _Draft, lock: int) -> Logged:
    """Hold the draft against the log as it is now, and append it."""
    registry.events_log.roll_forward(lock)
    _check_parent(registry, draft.parent)
    event, came = draft.event, draft.came
    if draft.signature is None:
        came = [made for made in came if made.commit.id not in registry.ids]
        brought = tuple((made.commit.id, made.git) for made in came)
        event = replace(event, time=now(), commits=brought)
    elif len(came) < len(event.commits):
        raise NotAllowed("the event brings a commit that another event brought")
    fresh = dict(event.commits)
    subject = event.subject
    if subject and not (fresh.get(subject) or subject in registry.ids):
        raise NotFound(f"there is no commit {subject}")
    moves = [_move(registry, move, fresh) for move in draft.moves]
    moves = kept.judged(registry, moves, {m.commit.id: m.commit for m in came})
    if event.type == UNDO:
        _check_undo(registry, event, moves)
    objects = [item for made in came for item in made.objects]
    alone = kept.alone(moves, came)
    return registry.record(event, moves, objects, lock=lock, alone=alone)


def _check_parent(registry: Registry, parent: str | None) -> None:
    """Who built on an event, as a signature does, has to build on the newest."""
    tip = registry.events_log.tip()
    if parent is not None and parent != tip:
        hint = "fetch what is new, and make the event again after it"
        raise Moved("the log has gone on meanwhile", tip, hint=hint)


def _move(registry: Registry, move: SentMove, fresh: Mapping[str, str]) -> Move:
    """A move from where the name is; a new name has to be one."""
    space, _, name = move.ref.partition("/")
    present = registry.target(move.ref)
    if (present and present.id) != move.before:
        raise moved_meanwhile(move.ref, present and present.id)
    if present is None:
        names.check(name, WHAT[space])
    if move.after is None:
        return Move(move.ref, present, None, move.kept)
    oid = fresh.get(move.after) or registry.git_oid(move.after)
    if move.git not in (None, oid):
        raise VerificationError(f"{move.after[:12]} has another git commit here")
    return Move(move.ref, present, Target(move.after, oid), move.kept)


def _check_undo(registry: Registry, event: Event, moves: Sequence[Move]) -> None:
    """An undo takes back what its event did, and nothing else."""
    taken = undone(registry.git, event, registry.events_log.tip())
    if taken is None:
        raise NotFound(f"there is no event {event.data.get('undoes')} to undo")
    if {move.change() for move in moves} != set(taken_back(taken)):
        message = f"this does not take back what the event {taken.id[:8]} did"
        raise NotAllowed(
            message, hint="move each name back that it moved, and no other"
        )


@contextmanager
def _signing(registry: Registry, signature: str | None) -> Iterator[None]:
    """With the signature that came; unsigned events get the server's own, if any."""
    signer = registry.signer
    how = signer.given(signature.encode()) if signature else signer.machine("a server")
    with how:
        yield

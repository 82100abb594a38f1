"""Giving a remote what it lacks: objects, the names, and the newest event.

All refs move at the remote or none, and only if its newest event is still the one that
we saw: whoever comes second is told to pull. Nothing is ever taken from its log.
"""

import time
from collections.abc import Iterable
from typing import Literal, NamedTuple

from lineage.errors import Conflict, StoreError
from lineage.registry import Registry
from lineage.sharing.export import exports
from lineage.sharing.fetch import fetch
from lineage.sharing.payloads import send
from lineage.sharing.pull import brings, join
from lineage.sharing.remotes import Remote, seen
from lineage.store import git_graph, names, transport
from lineage.store.reading import Progress
from lineage.store.transport import Rejected, Told
from lineage.transfer import Moved

_BUSY = (
    "cannot lock ref",
    "failed to lock",
    "failed to update ref",
    "Unable to create",
)
_LOOKS, _PAUSE = 10, 0.2  # at the remote, until another push has come through; seconds


class Pushed(NamedTuple):
    """What a push gave; nothing where the remote had it all."""

    remote: Remote
    tip: str
    before: str | None
    events: int
    commits: int
    names: int
    tags: tuple[str, ...]
    payloads: Moved


def push(
    registry: Registry,
    remote: Remote,
    *,
    payloads: Literal["new", "all", "none"] = "new",
    packed: bool | None = None,
    told: Told | None = None,
    progress: Progress | None = None,
) -> Pushed:
    """Give `remote` our events, commits and names, and first the `payloads`.

    Files that are packed here go in packs if `packed`, which the remote knows best.

    Raises:
        Conflict: when it has events that are not here, or gets some meanwhile.
        NotAllowed: when it is another registry than ours.
        StoreError: when it cannot be reached, or refuses.
    """
    there = transport.listing(
        registry.root, remote.git, f"{names.ROOT}*", f"{names.TAGS}*"
    )
    theirs, tip = _ends(registry, remote, there.get(names.EVENTS), told)
    if theirs != tip and git_graph.is_ancestor(registry.git, tip, theirs or ""):
        return Pushed(remote, tip, theirs, 0, 0, 0, (), Moved())
    events = list(registry.events_log.iterate(tip=tip, since=theirs))
    new = {id_ for logged in events for id_, _ in logged.event.commits}
    chosen = {"new": new, "all": {r.id for r in registry.ids}, "none": set()}
    packed = remote.packed if packed is None else packed
    moved = send(registry, remote, chosen[payloads], progress, packed=packed)
    wanted = _refs(registry, tip, there)
    changed = {ref: oid for ref, oid in wanted.items() if there.get(ref) != oid}
    if changed:
        _send(registry, remote, {**changed, names.EVENTS: tip}, theirs, told)
    _remember(registry, remote, tip)
    return Pushed(remote, tip, theirs, len(events), len(new), *_count(changed), moved)


def _count(changed: Iterable[str]) -> tuple[int, tuple[str, ...]]:
    """How many names, and which tags of git's, are among refs that changed."""
    tags = (r.removeprefix(names.TAGS) for r in changed if r.startswith(names.TAGS))
    moved = sum(ref.startswith(names.MIRRORS) for ref in changed)
    return moved, tuple(sorted(map(names.decode, tags)))


def _ends(
    registry: Registry, remote: Remote, theirs: str | None, told: Told | None
) -> tuple[str | None, str]:
    """The remote's newest event and ours, which comes after it if anything does."""
    tip = registry.events_log.tip()
    assert tip is not None
    if theirs and not git_graph.is_ancestor(registry.git, theirs, tip):
        return _joined(registry, remote, told)
    return theirs, tip


def _joined(registry: Registry, remote: Remote, told: Told | None) -> tuple[str, str]:
    """The remote's newest event, and ours after it, where its own bring nothing."""
    fetched = fetch(registry, remote, told=told)
    ours = registry.events_log.tip() or ""
    if git_graph.is_ancestor(registry.git, ours, fetched.tip):
        if brings(registry, fetched):
            raise _behind(remote)
        return fetched.tip, ours
    join(registry, fetched, bringing=False)
    ours = registry.events_log.tip() or ""
    if not git_graph.is_ancestor(registry.git, fetched.tip, ours):
        raise _behind(remote)
    return fetched.tip, ours


def _behind(remote: Remote) -> Conflict:
    message = f"{remote.name} has events that are not here"
    return Conflict(message, hint=f"`lineage pull {remote.name}`, then push again")


def _refs(registry: Registry, tip: str, there: dict[str, str]) -> dict[str, str | None]:
    """What the remote's refs have to be, what adds to reachability first.

    What a later version of lineage may have put there is let alone.
    """
    mirrors: dict[str, str | None] = {
        names.ref(f"{space}/{name}"): oid
        for space in names.SPACES
        for name, oid in registry.events_log.names(space, at=tip).items()
    }
    attic = git_graph.refs(registry.git, names.ATTIC)
    old = (ref for ref in there if ref.startswith(names.MIRRORS))
    gone = [ref for ref in old if ref not in mirrors]
    exported = exports(registry, tip, there)
    new = {**attic, **mirrors, **exported, **dict.fromkeys(gone), names.EVENTS: tip}
    return dict(
        sorted(new.items(), key=lambda pair: (pair[0] in there, pair[1] is None))
    )


def _send(
    registry: Registry,
    remote: Remote,
    refs: dict[str, str | None],
    theirs: str | None,
    told: Told | None,
) -> None:
    lease = (names.EVENTS, theirs)
    try:
        transport.push(registry.root, remote.git, refs, lease, told=told)
    except Rejected as error:
        raise _rejected(registry, remote, theirs, str(error)) from None


def _rejected(
    registry: Registry, remote: Remote, theirs: str | None, words: str
) -> StoreError:
    """What it means that the remote took nothing: a race, or its own will."""
    busy = any(word in words for word in _BUSY)
    for _ in range(_LOOKS if busy else 1):
        there = transport.listing(registry.root, remote.git, names.EVENTS)
        if there.get(names.EVENTS) != theirs:
            return _behind(remote)
        time.sleep(_PAUSE if busy else 0)
    if busy:
        hint = f"push again; if nobody does, a lock was left there: {words}"
        return Conflict(f"somebody else is pushing to {remote.name}", hint=hint)
    return StoreError(f"{remote.name} refused: {words}", hint="nothing changed there")


def _remember(registry: Registry, remote: Remote, tip: str) -> None:
    if seen(registry, remote.name) != tip:
        with registry.events_log.locked() as lock:
            step = {f"{names.seen_at(remote.name)}events": (None, tip)}
            registry.git.update_refs(step, lock=lock)

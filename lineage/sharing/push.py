"""Giving a remote what it lacks: objects, the names, and the newest event.

All refs move at the remote or none, and only if its newest event is still the one that
we saw: whoever comes second is told to pull. Nothing is ever taken from its log.
"""

from typing import Literal, NamedTuple

from lineage.errors import Conflict, StoreError
from lineage.registry import Registry
from lineage.sharing.export import TAGS, exports
from lineage.sharing.fetch import fetch
from lineage.sharing.payloads import send
from lineage.sharing.pull import brings, join
from lineage.sharing.remotes import Remote, prefix, seen
from lineage.store import git_graph, names, transport
from lineage.store.reading import Progress
from lineage.store.transport import Rejected, Told
from lineage.transfer import Moved

_ATTIC = f"{names.ROOT}attic/"
_MEANWHILE = ("stale info", "fetch first", "non-fast-forward", "lock", "already exists")


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
    told: Told | None = None,
    progress: Progress | None = None,
) -> Pushed:
    """Give `remote` our events, commits and names, and first the `payloads`.

    Raises:
        Conflict: when it has events that are not here, or gets some meanwhile.
        NotAllowed: when it is another registry than ours.
        StoreError: when it cannot be reached, or refuses.
    """
    there = transport.listing(registry.root, remote.git, f"{names.ROOT}*", f"{TAGS}*")
    theirs = there.get(names.EVENTS)
    tip = registry.events_log.tip()
    assert tip is not None
    if theirs and not git_graph.is_ancestor(registry.git, theirs, tip):
        theirs, tip = _joined(registry, remote, told)
    if theirs != tip and git_graph.is_ancestor(registry.git, tip, theirs or ""):
        return Pushed(remote, tip, theirs, 0, 0, 0, (), Moved())
    wanted = _refs(registry, tip, there)
    changed = {r: oid for r, oid in wanted.items() if there.get(r) != oid}
    events = list(registry.events_log.iterate(tip=tip, since=theirs))
    new = {id_ for logged in events for id_, _ in logged.event.commits}
    chosen = {"new": new, "all": {r.id for r in registry.ids}, "none": set()}
    moved = send(registry, remote, chosen[payloads], progress)
    if changed:
        _send(registry, remote, {**changed, names.EVENTS: tip}, theirs, told)
    _remember(registry, remote, tip)
    mirrors = tuple(f"{names.ROOT}{space}/" for space in names.SPACES)
    count = sum(ref.startswith(mirrors) for ref in changed)
    tags = [names.decode(r.removeprefix(TAGS)) for r in changed if r.startswith(TAGS)]
    told_of = (len(events), len(new), count, tuple(sorted(tags)))
    return Pushed(remote, tip, theirs, *told_of, moved)


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
    attic = git_graph.refs(registry.git, _ATTIC)
    spaces = tuple(f"{names.ROOT}{space}/" for space in names.SPACES)
    gone = [ref for ref in there if ref.startswith(spaces) and ref not in mirrors]
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
        now = transport.listing(registry.root, remote.git, names.EVENTS)
        if now.get(names.EVENTS) != theirs or any(w in str(error) for w in _MEANWHILE):
            raise _behind(remote) from None
        hint = "nothing changed there"
        raise StoreError(f"{remote.name} refused: {error}", hint=hint) from None


def _remember(registry: Registry, remote: Remote, tip: str) -> None:
    if seen(registry, remote.name) != tip:
        with registry.events_log.locked() as lock:
            step = {f"{prefix(remote.name)}events": (None, tip)}
            registry.git.update_refs(step, lock=lock)

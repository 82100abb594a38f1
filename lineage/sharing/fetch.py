"""Bringing what a remote has, and believing none of it before it is verified.

Git's objects come first, under refs that nobody reads. Then the log is gone through
from where it left ours: each event must follow from those before it, each commit be
what its id says. Only then do ``refs/lineage/remotes/NAME`` move, all at once.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from lineage.errors import LineageError, NotAllowed, NotFound, VerificationError
from lineage.registry import Registry
from lineage.sharing.remotes import Remote, seen
from lineage.store import git_graph, names, transport
from lineage.store.arrivals import Fault, looked_at
from lineage.store.disk import disk_errors, locked
from lineage.store.objects import Edge
from lineage.store.replay import Replay
from lineage.store.transport import Told

_SPACES = (*names.SPACES, "attic", "settings")
_TRIES = 3


class Fetched(NamedTuple):
    """What a remote has: its newest event, and how much of it our log lacks."""

    remote: Remote
    tip: str
    before: str | None
    events: int
    commits: int


class Incomplete(VerificationError):
    """A commit of the log is not among what came: refs moved while git read them."""


def fetch(registry: Registry, remote: Remote, *, told: Told | None = None) -> Fetched:
    """Bring what `remote` has and remember it, verified; our names stay as they are.

    Raises:
        NotFound: when there is no registry.
        NotAllowed: when it is another registry than ours.
        VerificationError: when the remote has lost or changed what was seen there,
            or something in it is not what it says; nothing is remembered then.
        StoreError: when it cannot be reached.
    """
    before = seen(registry, remote.name)
    there = transport.listing(registry.root, remote.git, names.EVENTS)
    if names.EVENTS not in there:
        hint = f"`lineage push {remote.name}` makes it one"
        raise NotFound(f"there is no registry at {remote.url}", hint=hint)
    if before != there[names.EVENTS]:
        with disk_errors("fetching"), locked(registry.home / "fetch.lock") as lock:
            _bring(registry, remote, told, lock)
    tip = seen(registry, remote.name)
    assert tip is not None
    events, commits = lacking(registry, tip)
    return Fetched(remote, tip, before, events, len(commits))


def lacking(registry: Registry, tip: str) -> tuple[int, set[str]]:
    """How many events of the log up to `tip` ours has not, and the commits in them."""
    new = list(registry.events_log.iterate(tip=tip, since=registry.events_log.tip()))
    brought = {id_ for logged in new for id_, _ in logged.event.commits}
    known = _known_commits(registry)
    return len(new), {id_ for id_ in brought if known(id_) is None}


def _known_commits(registry: Registry) -> Callable[[str], str | None]:
    """What gives the git commits of our log; a new clone has no log to be asked."""
    return registry.ids.git if registry.events_log.tip() else lambda _: None


def _bring(registry: Registry, remote: Remote, told: Told | None, lock: int) -> None:
    specs = names.incoming(_SPACES)
    try:
        for tries_left in reversed(range(_TRIES)):
            _clear(registry)
            transport.fetch(registry.root, remote.git, specs, told=told, lock=lock)
            if _is_whole(registry, remote, last=not tries_left):
                break
    except BaseException:
        _clear(registry)
        raise
    _remember(registry, remote)


def _is_whole(registry: Registry, remote: Remote, *, last: bool) -> bool:
    """Whether all that came is good; False when it is worth asking again."""
    try:
        _verify(registry, remote)
    except Incomplete:
        if last:
            raise
        return False
    return True


def _clear(registry: Registry) -> None:
    """Forget what came before and was not verified, and a killed git's locks on it."""
    for path in (registry.git.common / names.INCOMING).rglob("*.lock"):
        path.unlink(missing_ok=True)  # we hold `fetch.lock`, and so did that git
    with registry.events_log.locked() as lock:
        step = dict.fromkeys(git_graph.refs(registry.git, names.INCOMING), (None, None))
        registry.git.update_refs(step, lock=lock)


def _remember(registry: Registry, remote: Remote) -> None:
    """Make what came what is known of the remote."""
    place = names.seen_at(remote.name)
    with registry.events_log.locked() as lock:
        came = git_graph.refs(registry.git, names.INCOMING)
        gone = dict.fromkeys([*git_graph.refs(registry.git, place), *came])
        new = {r.replace(names.INCOMING, place, 1): oid for r, oid in came.items()}
        step = {ref: (None, oid) for ref, oid in {**gone, **new}.items()}
        registry.git.update_refs(step, lock=lock)


def _verify(registry: Registry, remote: Remote) -> None:
    tip = registry.git.ref(f"{names.INCOMING}events")
    before = seen(registry, remote.name)
    assert tip is not None
    if before and not git_graph.is_ancestor(registry.git, before, tip):
        message = f"{remote.name} no longer has the event {before[:12]} that it had"
        hint = (
            "its log was cut or replaced; if that is right, "
            f"`lineage remote remove {remote.name}` forgets what was there"
        )
        raise VerificationError(message, hint=hint)
    ours = registry.events_log.tip()
    if ours and not git_graph.merge_bases(registry.git, ours, tip):
        hint = f"`lineage clone {remote.url} DIR` gives it a place of its own"
        raise NotAllowed(f"{remote.name} is another registry than this", hint=hint)
    verify_log(registry, remote.name, tip)


def verify_log(registry: Registry, name: str, tip: str) -> dict[str, tuple[Edge, ...]]:
    """Check the events up to `tip` that our log lacks, and the commits they brought.

    Gives the edges of these commits, by id.

    Raises:
        VerificationError: when something is not as it says.
    """
    git, log = registry.git, registry.events_log
    replay = Replay(git, log, tip=tip, since=log.tip(), known=_known_commits(registry))
    try:
        for found in replay.faults():
            raise _refused(name, f"the event {found.event[:12]}: {found.what}")
    except VerificationError:
        raise
    except LineageError as error:
        raise _refused(name, str(error)) from None
    edges: dict[str, tuple[Edge, ...]] = {}
    for id_, commit in looked_at(git, replay.commits, replay.git_oid):
        if isinstance(commit, Fault):
            if commit.missing:
                raise _incomplete(name, id_)
            raise _refused(name, f"the commit {id_[:12]}: {commit.what}")
        edges[id_] = commit.edges
    for id_ in _loose(registry, replay.commits):
        raise _incomplete(name, id_)
    return edges


def _loose(registry: Registry, commits: Mapping[str, str]) -> list[str]:
    """Those of `commits` that are here, but that no ref keeps: `git gc` takes them."""
    asked = "".join(f"{oid}\n" for oid in commits.values()).encode()
    words = ("rev-list", "--stdin", "--not", f"--glob={names.ROOT}*")
    loose = set(registry.git.run(*words, data=asked).decode().split())
    return [id_ for id_, oid in commits.items() if oid in loose]


def _incomplete(name: str, id_: str) -> Incomplete:
    hint = "ask whoever keeps the remote; nothing changed here"
    message = f"{name} does not send the commit {id_[:12]} of its log"
    return Incomplete(message, hint=hint)


def _refused(name: str, what: str) -> VerificationError:
    hint = "ask whoever keeps the remote; nothing changed here"
    return VerificationError(f"{name} is not believed: {what}", hint=hint)

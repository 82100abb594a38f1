"""Two logs meet: an event with two parents, and the names that follow from both."""

from collections.abc import Mapping
from typing import NamedTuple

from lineage.errors import NotAllowed
from lineage.registry import Registry
from lineage.sharing.fetch import Fetched, fetch, lacking
from lineage.sharing.remotes import Remote
from lineage.store import git_graph, names
from lineage.store.canonical import digest
from lineage.store.disk import disk_errors
from lineage.store.events import now
from lineage.store.merging import PULL, Merged, meet
from lineage.store.mirrors import kept
from lineage.store.objects import Event
from lineage.store.transport import Told
from lineage.unfetched import came


class Pulled(NamedTuple):
    """What a pull brought; `event` is its id, None when there was nothing new."""

    fetched: Fetched
    event: str | None
    merged: Merged


def pull(registry: Registry, remote: Remote, *, told: Told | None = None) -> Pulled:
    """Fetch what `remote` has and make it ours.

    Raises:
        NotAllowed: when it is another registry than ours.
        VerificationError: when what came is not what it says.
        StoreError: when the remote cannot be reached.
    """
    return join(registry, fetch(registry, remote, told=told))


def join(registry: Registry, fetched: Fetched, *, bringing: bool = True) -> Pulled:
    """Append the event that joins what was fetched to our log, if that brings anything.

    Events that only say that somebody else has pulled bring nothing, or else two
    machines would tell each other of their pulls for ever. `bringing` False joins
    these, and only these: a push needs it.
    """
    log, tip = registry.events_log, fetched.tip
    with disk_errors("recording the pull"), log.locked() as lock:
        ours = log.tip() or ""
        if git_graph.is_ancestor(registry.git, tip, ours):
            return Pulled(fetched, None, Merged())
        merged = _meet(registry, fetched, ours)
        if _brings(registry, fetched, ours, merged) != bringing:
            return Pulled(fetched, None, merged)
        return Pulled(fetched, _record(registry, fetched, merged, lock), merged)


def brings(registry: Registry, fetched: Fetched) -> bool:
    """Whether there is more in what was fetched than that others have pulled."""
    ours = registry.events_log.tip() or ""
    return _brings(registry, fetched, ours, _meet(registry, fetched, ours))


def _brings(registry: Registry, fetched: Fetched, ours: str, merged: Merged) -> bool:
    new = registry.events_log.iterate(tip=fetched.tip, since=ours)
    return bool(merged.moves) or any(logged.event.type != PULL for logged in new)


def _meet(registry: Registry, fetched: Fetched, ours: str) -> Merged:
    merged = meet(registry.git, ours, fetched.tip, fetched.remote.name)
    if merged is None:
        raise NotAllowed(f"{fetched.remote.name} is another registry than this")
    return merged


def attic_of(
    registry: Registry, place: str, held: Mapping[str, str], tip: str
) -> set[str]:
    """What the attic of a remote keeps of our log, and of its own up to `tip`.

    `held` are the refs below `place`, where what was seen of the remote is.
    """
    oids = {oid for ref, oid in held.items() if ref == f"{place}attic/{oid}"}
    since = registry.events_log.tip()
    new = registry.events_log.iterate(tip=tip, since=since)
    brought = {oid for logged in new for _, oid in logged.event.commits}
    older = sorted(oids - brought)
    manifests = registry.git.read_many(f"{oid}:lineage.json" for oid in older)
    ids = [digest(found[1].data) if found else "" for found in manifests]
    ours = {found.git for id_ in filter(None, ids) for found in registry.ids.find(id_)}
    return oids & (brought | ours)


def settle_head(registry: Registry) -> None:
    """Where HEAD is no branch, or no more, make it the one that moved last."""
    if not registry.target(f"heads/{registry.head or ''}"):
        registry.set_head(newest_branch(registry) or "")


def newest_branch(registry: Registry) -> str | None:
    """The branch that moved last, of those that there are."""
    branches = registry.events_log.names("heads")
    for logged in registry.events_log.iterate() if branches else ():
        for change in logged.event.refs:
            space, _, name = change.ref.partition("/")
            if space == "heads" and change.after and name in branches:
                return name
    return None


def _record(registry: Registry, fetched: Fetched, merged: Merged, lock: int) -> str:
    """What keeps their commits comes first, then the event, then what kept them before.

    Their attic becomes ours: the log speaks of what is in it.
    """
    place = names.seen_at(fetched.remote.name)
    held = git_graph.refs(registry.git, place)
    left = {*attic_of(registry, place, held, fetched.tip), *merged.left}
    registry.git.update_refs(kept(sorted(left)), lock=lock)
    came(registry, lacking(registry, fetched.tip)[1])
    told_names = {"doubled": merged.doubled, "renamed": merged.renamed}
    data = {"remote": fetched.remote.name, **{k: v for k, v in told_names.items() if v}}
    told = f"from {fetched.remote.name}"
    event = Event(PULL, now(), registry.actor(), told, data=data)
    logged = registry.record(event, merged.moves, lock=lock, merged=[fetched.tip])
    spare = [ref for ref in held if ref != f"{place}events"]
    registry.git.update_refs(dict.fromkeys(spare, (None, None)), lock=lock)
    settle_head(registry)
    return logged.event.id

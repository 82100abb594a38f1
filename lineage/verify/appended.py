"""Was history only added to, since an event that somebody noted?

An event names the SHA-256 of those before it, so whoever has noted one id holds all of
history up to there: nothing before it can be another way without the id being another.
The way from the newest event back to it is gone in the bytes of the events alone, not
as git's own lists of parents have it.
"""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from lineage.errors import Ambiguous, LineageError, StoreError, UsageError
from lineage.registry import Registry
from lineage.store.canonical import digest
from lineage.store.event_commit import parse_parents
from lineage.store.objects import Event
from lineage.verify.problem import Problem
from lineage.walks import reached
from lineage.wording import plural

_NOTED = re.compile(r"[0-9a-f]{4,64}")
_SURE = 32  # digits: nobody makes another event whose id begins with so many


class Since(NamedTuple):
    """Of the events of the log, how many came before the one noted, and after it.

    Those `beside` it were written where it was not known, and joined later.
    """

    event: str
    time: str
    before: int
    after: int
    beside: int


class Link(NamedTuple):
    """An event as the chain has it: its id, its time, the ids that it names."""

    id: str
    time: str
    prev: tuple[str, ...]


def since(registry: Registry, noted: str) -> Since | Problem:
    """Where the event with the id `noted`, or a prefix of one, is in the log.

    Raises:
        UsageError: when it is no id.
        Ambiguous: when it is the beginning of several.
    """
    if not _NOTED.fullmatch(noted):
        hint = "give the id that was noted, or at least 4 digits of it"
        raise UsageError(f"{noted!r} is not the id of an event", hint=hint)
    try:
        chain = _chain(registry)
    except LineageError as error:
        return Problem(noted, "", f"the way back to it cannot be gone: {error}")
    found = [id_ for id_ in chain if id_.startswith(noted)]
    if len(found) > 1:
        raise Ambiguous(f"{noted!r} could be {len(found)} events", found)
    if not found:
        return Problem(noted, "", _why_not(registry, noted))
    return _counted(chain, found[0])


def sentences(found: Since, noted: str) -> list[str]:
    """What was proven, and how far."""
    beside = f", {found.beside:,} beside it" if found.beside else ""
    short, came = found.event[:12], plural(found.after, "event")
    earlier = plural(found.before, "event")
    after = f"{came} came after it{beside}"
    before = f"{short} and the {earlier} before it are as they were"
    whole = before if found.before else f"{short}, the first event, is as it was"
    told = [
        f"the log was only added to since {short}: {after}",
        f"{whole} when it was noted; what was changed earlier cannot be seen",
    ]
    if len(noted) < _SURE:
        digits = f"only {len(noted)} digits were compared"
        told.append(f"{digits}, and another event can be made that has them")
    return told


def _chain(registry: Registry) -> dict[str, Link]:
    """All events that the newest one leads back to, by id.

    Raises:
        StoreError: where one is missing, or names others than its git commit does.
    """
    links, parents = _read(registry)
    tip = registry.events_log.tip()
    found: dict[str, Link] = {}
    queue, seen = [tip] if tip else [], set[str]()
    while queue:
        oid = queue.pop()
        if oid not in links:
            raise StoreError(f"the event {oid} is missing")
        if oid not in seen:
            seen.add(oid)
            found[links[oid].id] = _checked(links, oid, parents[oid])
            queue += parents[oid]
    return found


def _read(registry: Registry) -> tuple[dict[str, Link], dict[str, list[str]]]:
    """Every event that git lists, by its git oid; and its parents, from its bytes."""
    git, tip = registry.git, registry.events_log.tip()
    oids = git.run("rev-list", tip).decode().split() if tip else []
    links, parents = {}, {}
    blobs = git.read_many(f"{oid}:event.json" for oid in oids)
    for oid, blob in zip(oids, list(blobs), strict=True):
        if blob is not None:
            event = Event.parse(blob[1].data)
            links[oid] = Link(digest(blob[1].data), event.time, event.prev)
    for oid, commit in zip(oids, list(git.read_many(oids)), strict=True):
        parents[oid] = parse_parents(commit[1].data) if commit else []
    return links, parents


def _checked(links: Mapping[str, Link], oid: str, parents: Iterable[str]) -> Link:
    """An event of which each git parent is the one that it names by SHA-256."""
    known = tuple(links[parent].id for parent in parents if parent in links)
    if links[oid].prev != known:
        message = f"the event {links[oid].id[:12]} names others than git has before it"
        raise StoreError(message)
    return links[oid]


def _counted(chain: Mapping[str, Link], noted: str) -> Since:
    before = _back(chain, [noted])
    after = {noted}
    for id_ in reversed(_ordered(chain)):
        if id_ not in before and after & {*chain[id_].prev}:
            after.add(id_)
    beside = len(chain) - len(before) - (len(after) - 1)
    time = chain[noted].time
    return Since(noted, time, len(before) - 1, len(after) - 1, beside)


def _back(chain: Mapping[str, Link], starts: Iterable[str]) -> set[str]:
    """`starts` and everything that they lead back to."""
    return reached(starts, lambda id_: chain[id_].prev)


def _ordered(chain: Mapping[str, Link]) -> list[str]:
    """All events, each before those that it names."""
    named = dict.fromkeys(chain, 0)
    for link in chain.values():
        for id_ in link.prev:
            named[id_] += 1
    ready, found = [id_ for id_, count in named.items() if not count], []
    while ready:
        found.append(id_ := ready.pop())
        for before in chain[id_].prev:
            named[before] -= 1
            if not named[before]:
                ready.append(before)
    return found


def _why_not(registry: Registry, noted: str) -> str:
    """What became of an event that is not before the newest one."""
    told = f"--grep=^Lineage-Event: {noted}"
    listed = registry.git.run("rev-list", "--all", "--reflog", told)
    what = "the log has lost this event, which was noted: it was "
    if listed.split():
        return f"{what}cut or rewritten, and git still has the event elsewhere"
    return f"{what}cut or rewritten, or it is the log of another registry"

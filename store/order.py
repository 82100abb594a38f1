"""The order of events that were written apart: the same in every clone.

What came after something is later. Of two events of which neither knew the other, the
later is the one with the later time or, at one time, the greater id.
"""

from collections.abc import Iterator, Sequence
from heapq import heapify, heappop, heappush

from lineage.errors import StoreError
from lineage.store.event_reading import Logged
from lineage.store.git import GitRepository


def in_order(
    git: GitRepository, events: Sequence[Logged], *, heard: bool = True
) -> list[Logged]:
    """`events`, oldest first.

    When they come as they were `heard`, each after those that it came after, git is
    asked only where times say otherwise: two logs have met, or a clock went back.
    """
    by_time = sorted(events, key=_time)
    if len(by_time) < 2 or (heard and by_time == list(events)):
        return by_time
    above, below = _relations(git, [logged.git for logged in events])
    known = {logged.git: logged for logged in events}
    ends = [_Newest(logged) for oid, logged in known.items() if not above[oid]]
    heapify(ends)
    found = []
    while ends:
        found.append(heappop(ends).logged)
        for oid in below[found[-1].git]:
            above[oid].discard(found[-1].git)
            if not above[oid]:
                heappush(ends, _Newest(known[oid]))
    return found[::-1]


class _Newest:
    """An event in a heap of which the newest is the first."""

    def __init__(self, logged: Logged) -> None:
        self.logged = logged

    def __lt__(self, other: "_Newest") -> bool:
        return _time(self.logged) > _time(other.logged)


def _time(logged: Logged) -> tuple[str, str]:
    return logged.event.time, logged.event.id


def _relations(
    git: GitRepository, oids: Sequence[str]
) -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """The nearest of `oids` that came after each, and those that it came after.

    Git is asked twice, however many they are: the log is gone through from the newest
    down to what all of them came after.
    """
    above: dict[str, set[str]] = {oid: set() for oid in oids}
    below: dict[str, set[str]] = {oid: set() for oid in oids}
    reached: dict[str, set[str]] = {}  # by commit: who met it, no other in between
    for oid, *parents in _stretch(git, oids):
        met = reached.pop(oid, set())
        if oid in above:
            above[oid] = met
            for newer in met:
                below[newer].add(oid)
            met = {oid}
        for parent in parents:
            reached.setdefault(parent, set()).update(met)
    return above, below


def _stretch(git: GitRepository, oids: Sequence[str]) -> Iterator[list[str]]:
    """The commits from `oids` down to what all came from, each with its parents."""
    try:
        base = git.run("merge-base", "--octopus", *oids).decode().split()
    except StoreError:  # there is none
        base = []
    words = ("rev-list", "--topo-order", "--parents", *oids)
    listed = git.run(*words, *(f"^{oid}" for oid in base)).decode()
    yield from (line.split(" ") for line in listed.splitlines())
    yield from ([oid] for oid in base)

"""The order of events that were written apart: the same in every clone.

What came after something is later. Of two events of which neither knew the other, the
later is the one with the later time or, at one time, the greater id.
"""

from collections.abc import Sequence

from lineage.store.events import Logged
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
    left, found = {logged.git: logged for logged in events}, []
    while left:
        newest = max((left[oid] for oid in _ends(git, left)), key=_time)
        found.append(left.pop(newest.git))
    return found[::-1]


def _time(logged: Logged) -> tuple[str, str]:
    return logged.event.time, logged.event.id


def _ends(git: GitRepository, oids: Sequence[str] | dict[str, Logged]) -> list[str]:
    """Those that none of the others came after."""
    if len(oids) == 1:
        return list(oids)
    return git.run("merge-base", "--independent", *oids).decode().split()

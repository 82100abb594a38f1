"""Ranges: what one history has and another has not."""

import heapq
from collections.abc import Iterator
from contextlib import suppress

from lineage import walks
from lineage.repository import Repository

_NEAR = 500  # commits that are read one by one
_A, _B = 1, 2  # reached from the one end, from the other


class _TooFar(Exception):
    """A walk has met too many commits."""


def between(
    registry: Repository, since: set[str], to: set[str], *, both: bool = False
) -> set[str]:
    """What `to` came from and `since` did not; with `both`, either without the other.

    A commit is recorded after those that it names. So a walk from both ends, newest
    first, knows all of a commit when its turn comes, and ends where nothing is left
    that only one end has reached. One that goes far compares all ancestors instead.

    Raises:
        NotFound: when an end is no commit of this registry.
    """
    with suppress(_TooFar):
        return set(_apart(registry, since, to, both=both))
    a, b = walks.ancestors(registry, since), walks.ancestors(registry, to)
    return a ^ b if both else b - a


def _apart(
    registry: Repository, since: set[str], to: set[str], *, both: bool
) -> Iterator[str]:
    """Commits that only one end has reached."""
    wanted = (_A, _B) if both else (_B,)
    marks = dict.fromkeys(since, _A)
    marks |= {id_: marks.get(id_, 0) | _B for id_ in to}
    queue = [(-registry.ids.get(id_).number, id_) for id_ in marks]
    heapq.heapify(queue)
    pending = sum(mark in wanted for mark in marks.values())
    left = _NEAR
    while pending:
        left -= 1
        if left < 0:
            raise _TooFar
        id_ = heapq.heappop(queue)[1]
        mark = marks[id_]
        if mark in wanted:
            pending -= 1
            yield id_
        for parent in set(registry.load(id_).ids()):
            before = marks.get(parent, 0)
            if not before:
                found = registry.ids.known(parent)
                if not found:
                    continue
                heapq.heappush(queue, (-found.number, parent))
            marks[parent] = before | mark
            pending += (marks[parent] in wanted) - (before in wanted)

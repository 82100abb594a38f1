"""Walks through the graph: what a commit came from, what came of it, where two met.

A commit gets its number after those that it names, so a walk that always takes the
greatest number next meets every child before its parents. That alone makes
`merge_base` exact: when a commit's turn comes, all that will ever be known of it is
known, which dates or generations cannot promise.
"""

import heapq
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import TypeAlias

from lineage.registry import Registry

BACK = ("follows", "revises")
_A, _B, _BELOW = 1, 2, 4  # reached from a, from b, from below a common ancestor

Roles: TypeAlias = Collection[str] | None
Step: TypeAlias = Callable[[str], Iterable[str]]


def ancestors(
    registry: Registry, starts: Iterable[str], roles: Roles = None
) -> set[str]:
    """`starts` and all that they came from, along edges of `roles` (None: of any).

    Raises:
        NotFound: when one of `starts` is no commit of this registry.
    """
    return _reached(starts, _parents(registry, roles))


def descendants(
    registry: Registry, starts: Iterable[str], roles: Roles = None
) -> set[str]:
    """`starts` and all that came of them.

    Raises:
        NotFound: when one of `starts` is no commit of this registry.
    """
    starts = set(starts)
    up = _parents(registry, roles)
    for start in starts:
        registry.ids.get(start)
    children: dict[str, list[str]] = {}
    for record in registry.ids:
        for parent in up(record.id):
            children.setdefault(parent, []).append(record.id)
    return _reached(starts, lambda id_: children.get(id_, ()))


def heads(registry: Registry, ids: Iterable[str]) -> set[str]:
    """Those of `ids` that no other of them came from."""
    ids = set(ids)
    up = _no_older(registry, ids)
    return ids - _reached({parent for id_ in ids for parent in up(id_)}, up)


def roots(registry: Registry, ids: Iterable[str]) -> set[str]:
    """Those of `ids` that came from no other of them."""
    ids = set(ids)
    up = _no_older(registry, ids)
    below: set[str] = set()
    for id_ in sorted(_reached(ids, up), key=_number(registry)):
        if any(parent in ids or parent in below for parent in up(id_)):
            below.add(id_)
    return ids - below


def merge_base(registry: Registry, a: str, b: str, roles: Roles = BACK) -> list[str]:
    """The newest commits that both came from: common ancestors below no other one.

    Newest first; a commit counts as its own ancestor.

    Raises:
        NotFound: when `a` or `b` is no commit of this registry.
    """
    up, number = _parents(registry, roles), _number(registry)
    marks = {a: _A}
    marks[b] = marks.get(b, 0) | _B
    queue = [(-number(id_), id_) for id_ in marks]
    heapq.heapify(queue)
    open_ = len(queue)  # those in the queue that may still lead to an answer
    found = []
    while open_:
        id_ = heapq.heappop(queue)[1]
        mark = marks[id_]
        open_ -= not mark & _BELOW
        if mark == _A | _B:
            found.append(id_)
            mark |= _BELOW
        for parent in up(id_):
            before = marks.get(parent)
            marks[parent] = (before or 0) | mark
            if before is None:
                heapq.heappush(queue, (-number(parent), parent))
                open_ += not mark & _BELOW
            elif not before & _BELOW and mark & _BELOW:
                open_ -= 1
    return found


def is_ancestor(registry: Registry, a: str, b: str, roles: Roles = None) -> bool:
    """Whether `b` came from `a`, or is `a`; nothing older than `a` is looked at.

    Raises:
        NotFound: when `a` or `b` is no commit of this registry.
    """
    _ = registry.ids.get(b)
    return a in _reached([b], _no_older(registry, [a], roles))


def _no_older(registry: Registry, ids: Collection[str], roles: Roles = None) -> Step:
    """Steps to parents that are no older than the oldest of `ids`."""
    up, number = _parents(registry, roles), _number(registry)
    oldest = min(map(number, ids), default=0)
    return lambda id_: (parent for parent in up(id_) if number(parent) >= oldest)


def _parents(registry: Registry, roles: Roles) -> Step:
    """From a commit to those that it names; what is named and not here is no step."""

    def up(id_: str) -> Iterator[str]:
        edges = registry.load(id_).edges
        named = (e.id for e in edges if roles is None or e.role in roles)
        return (parent for parent in named if registry.ids.find(parent))

    return up


def _number(registry: Registry) -> Callable[[str], int]:
    return lambda id_: registry.ids.get(id_).number


def _reached(starts: Iterable[str], step: Step) -> set[str]:
    reached = set(starts)
    ahead = list(reached)
    while ahead:
        new = set(step(ahead.pop())) - reached
        reached |= new
        ahead += new
    return reached

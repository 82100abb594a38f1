"""Walks through the graph: what a commit came from, what came of it, where two met.

A commit gets its number after those that it names, so a walk that always takes the
greatest number next meets every child before its parents. That alone makes
`merge_base` exact: when a commit's turn comes, all that will ever be known of it is
known, which dates or generations cannot promise.

A walk begins with the manifests themselves. One that goes far begins again with all
edges at once, from the index, and keeps them at hand for the next.
"""

import heapq
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any, Protocol, TypeAlias, TypeVar
from weakref import WeakKeyDictionary

from lineage.repository import Repository
from lineage.store.objects import BACK

_A, _B, _BELOW = 1, 2, 4  # reached from a, from b, from below a common ancestor
_NEAR = 200  # commits that are read one by one

Roles: TypeAlias = Collection[str] | None
Node: TypeAlias = Any  # a commit as a graph has it: an id or a number
Found = TypeVar("Found")


class _TooFar(Exception):
    """A walk that began near has met too many commits."""


class _Graph(Protocol):
    """The registry's commits and the edges of some roles."""

    def node(self, id_: str) -> Node: ...

    def id(self, node: Node) -> str: ...

    def number(self, node: Node) -> int: ...

    def up(self, node: Node) -> Iterable[Node]: ...


class _Near:
    """The commits as their manifests say it; named and not here is no parent."""

    def __init__(self, registry: Repository, roles: Roles) -> None:
        self._registry = registry
        self._roles = roles
        self._left = _NEAR

    def node(self, id_: str) -> str:
        return self._registry.ids.get(id_).id

    def id(self, node: str) -> str:
        return node

    def number(self, node: str) -> int:
        return self._registry.ids.get(node).number

    def up(self, node: str) -> Iterator[str]:
        self._left -= 1
        if self._left < 0:
            raise _TooFar
        edges, roles = self._registry.load(node).edges, self._roles
        named = (e.id for e in edges if roles is None or e.role in roles)
        return (parent for parent in named if parent in self._registry.ids)


class _Far:
    """The commits and edges that the index has, by the index's numbers."""

    def __init__(self, registry: Repository, roles: Roles) -> None:
        from lineage.indexing import index_of
        from lineage.store.index_graph import whole

        self._load = registry.load
        with index_of(registry) as index:
            found = index.read(lambda ask: whole(ask, roles))
        self._ids = found.ids
        self._numbers = {id_: number for number, id_ in found.ids.items()}
        self._up: dict[int, list[int]] = {}
        self._down: dict[int, list[int]] = {}
        for child, parent in found.edges:
            if parent in found.ids:
                self._up.setdefault(child, []).append(parent)
                self._down.setdefault(parent, []).append(child)

    def node(self, id_: str) -> int:
        if id_ not in self._numbers:
            self._load(id_)  # which says why the index has left it out
        return self._numbers[id_]

    def id(self, node: int) -> str:
        return self._ids[node]

    def number(self, node: int) -> int:
        return node

    def up(self, node: int) -> list[int]:
        return self._up.get(node, [])

    def down(self, node: int) -> list[int]:
        return self._down.get(node, [])


_Kept: TypeAlias = dict[frozenset[str] | None, _Far]
_kept: WeakKeyDictionary[Repository, tuple[str | None, _Kept]] = WeakKeyDictionary()


def _far(registry: Repository, roles: Roles) -> _Far:
    """The whole graph as of the newest event, made once."""
    tip = registry.events_log.whole.tip()
    if registry not in _kept or _kept[registry][0] != tip:
        _kept[registry] = (tip, {})
    graphs = _kept[registry][1]
    key = None if roles is None else frozenset(roles)
    if key not in graphs:
        graphs[key] = _Far(registry, roles)
    return graphs[key]


def _walked(
    registry: Repository, roles: Roles, question: Callable[[_Graph], Found]
) -> Found:
    try:
        return question(_Near(registry, roles))
    except _TooFar:
        return question(_far(registry, roles))


def ancestors(
    registry: Repository, starts: Iterable[str], roles: Roles = None
) -> set[str]:
    """`starts` and all that they came from, along edges of `roles` (None: of any).

    Raises:
        NotFound: when one of `starts` is no commit of this registry.
    """
    starts = set(starts)

    def question(graph: _Graph) -> set[str]:
        return set(map(graph.id, reached(map(graph.node, starts), graph.up)))

    return _walked(registry, roles, question)


def descendants(
    registry: Repository, starts: Iterable[str], roles: Roles = None
) -> set[str]:
    """`starts` and all that came of them.

    Raises:
        NotFound: when one of `starts` is no commit of this registry.
        StoreError: when the index cannot be used.
    """
    from lineage.indexing import by_then, index_of
    from lineage.store.index_graph import reached_from

    starts = {registry.ids.get(id_).id for id_ in starts}
    found = None
    if len(starts) <= _NEAR:
        with index_of(registry) as index:
            found = index.read(lambda ask: reached_from(ask, starts, roles, _NEAR))
    if found is None:
        graph = _far(registry, roles)
        found = set(map(graph.id, reached(map(graph.node, starts), graph.down)))
    return {*by_then(registry, found), *starts}


def heads(registry: Repository, ids: Iterable[str]) -> set[str]:
    """Those of `ids` that no other of them came from."""
    ids = set(ids)

    def question(graph: _Graph) -> set[str]:
        up = _no_older(graph, ids)
        above = {parent for id_ in ids for parent in up(graph.node(id_))}
        return ids - set(map(graph.id, reached(above, up)))

    return _walked(registry, None, question)


def roots(registry: Repository, ids: Iterable[str]) -> set[str]:
    """Those of `ids` that came from no other of them."""
    ids = set(ids)

    def question(graph: _Graph) -> set[str]:
        up, chosen = _no_older(graph, ids), set(map(graph.node, ids))
        below: set[Node] = set()
        for node in sorted(reached(chosen, up), key=graph.number):
            if any(parent in chosen or parent in below for parent in up(node)):
                below.add(node)
        return set(map(graph.id, chosen - below))

    return _walked(registry, None, question)


def merge_base(registry: Repository, a: str, b: str, roles: Roles = BACK) -> list[str]:
    """The newest commits that both came from: common ancestors below no other one.

    Newest first; a commit counts as its own ancestor.

    Raises:
        NotFound: when `a` or `b` is no commit of this registry.
    """
    found = _walked(registry, roles, lambda graph: _met(graph, a, b))
    return sorted(found, key=lambda id_: -registry.ids.get(id_).number)


def is_ancestor(registry: Repository, a: str, b: str, roles: Roles = None) -> bool:
    """Whether `b` came from `a`, or is `a`; nothing older than `a` is looked at.

    Raises:
        NotFound: when `a` or `b` is no commit of this registry.
    """

    def question(graph: _Graph) -> bool:
        return graph.node(a) in reached([graph.node(b)], _no_older(graph, [a]))

    return _walked(registry, roles, question)


def back(registry: Repository, id_: str) -> Iterator[str]:
    """A commit and those before it on its branch, as far as they are here."""
    while id_ in registry.ids:
        yield id_
        id_ = next(iter(registry.load(id_).ids(*BACK)), "")


def _met(graph: _Graph, a: str, b: str) -> list[str]:
    marks: dict[Node, int] = {graph.node(a): _A}
    marks[graph.node(b)] = marks.get(graph.node(b), 0) | _B
    queue = [(-graph.number(node), node) for node in marks]
    heapq.heapify(queue)
    pending = len(queue)  # those in the queue that may still lead to an answer
    found = []
    while pending:
        node = heapq.heappop(queue)[1]
        mark = marks[node]
        pending -= not mark & _BELOW
        if mark == _A | _B:
            found.append(graph.id(node))
            mark |= _BELOW
        for parent in graph.up(node):
            before = marks.get(parent)
            marks[parent] = (before or 0) | mark
            if before is None:
                heapq.heappush(queue, (-graph.number(parent), parent))
                pending += not mark & _BELOW
            elif mark & _BELOW and not before & _BELOW:
                pending -= 1
    return found


def _no_older(graph: _Graph, ids: Iterable[str]) -> Callable[[Node], Iterable[Node]]:
    """Steps to parents that are no older than the oldest of `ids`."""
    number = graph.number
    oldest = min((number(graph.node(id_)) for id_ in ids), default=0)
    return lambda node: [p for p in graph.up(node) if number(p) >= oldest]


def reached(
    starts: Iterable[Found], step: Callable[[Found], Iterable[Found]]
) -> set[Found]:
    """`starts` and all that `step` leads to from there, whatever the graph is of."""
    found = set(starts)
    ahead = list(found)
    while ahead:
        for node in step(ahead.pop()):
            if node not in found:
                found.add(node)
                ahead.append(node)
    return found

"""The edges of the index: a step down from some commits, or all of them at once."""

from collections.abc import Collection, Iterable
from typing import Any, NamedTuple, TypeAlias

from sqlmodel import col, select

from lineage.store.index_asking import AUTHOR, Ask, asked, numbers
from lineage.store.index_asking import commits as of_clone
from lineage.store.index_tables import CommitRow, EdgeRow, EventRow, KnownRow


class Whole(NamedTuple):
    """All commits of a clone by number, and for each edge its child and parent."""

    ids: dict[int, str]
    edges: list[tuple[int, int]]


def whole(ask: Ask, roles: Collection[str] | None) -> Whole:
    """Every commit of the clone, and the edges of `roles` (None: of any)."""
    edges = _edges(ask, EdgeRow.child, EdgeRow.parent)
    if roles is not None:
        edges = edges.where(col(EdgeRow.role).in_(list(roles)))
    commits = of_clone(ask, CommitRow.number, CommitRow.id)
    ids = dict(_rows(ask.connection, commits))
    return Whole(ids, _rows(ask.connection, edges))


def _edges(ask: Ask, *columns: Any) -> Any:
    """A question for something of each edge of the clone's commits."""
    query = select(*columns).select_from(EdgeRow)
    query = query.join(KnownRow, col(KnownRow.commit) == EdgeRow.child)
    return query.where(col(KnownRow.clone) == ask.clone)


def _rows(connection: Any, query: Any) -> list[Any]:
    """All rows as the driver has them: a million objects fewer."""
    literal = {"literal_binds": True}
    words = query.compile(dialect=connection.dialect, compile_kwargs=literal)
    cursor = connection.connection.cursor()
    try:
        cursor.execute(str(words))
        return list(cursor.fetchall())
    finally:
        cursor.close()


def reached_from(
    ask: Ask, ids: Iterable[str], roles: Collection[str] | None, limit: int
) -> set[str] | None:
    """Commits of the clone that came of `ids`; None when they are more than `limit`."""
    seen = set(numbers(ask, ids))
    ahead = list(seen)
    while ahead:
        if len(seen) > limit:
            return None
        step = select(EdgeRow.child).where(col(EdgeRow.parent).in_(ahead)).distinct()
        if roles is not None:
            step = step.where(col(EdgeRow.role).in_(list(roles)))
        new = set(ask.connection.scalars(step.limit(limit + 1))) - seen
        seen |= new
        ahead = list(new)
    query = of_clone(ask, CommitRow.id).where(col(CommitRow.number).in_(seen))
    return set(ask.connection.scalars(query))


Row: TypeAlias = tuple[int, str, int, int | None, int | None]


class Node(NamedTuple):
    """A commit of the graph; `origin` is what it says of its own records."""

    id: str
    kind: str
    generation: int
    origin: str | None


class Flow(NamedTuple):
    """The commits of a clone by number, and the edges of those from some number on.

    A row of `edges` is child, role, parent, and the share as part and whole. They are
    sorted by child.
    """

    commits: dict[int, Node]
    edges: list[Row]


def flow(ask: Ask, start: int, unit: str) -> Flow:
    """What may have come of the commit with the number `start`, counted in `unit`."""
    fields = (getattr(CommitRow, name) for name in ("number", *Node._fields))
    edge = ("child", "role", "parent", f"{unit}_part", f"{unit}_whole")
    edges = _edges(ask, *(getattr(EdgeRow, name) for name in edge))
    edges = edges.where(col(KnownRow.commit) >= start)
    edges = edges.order_by(KnownRow.commit)  # the child, in the order of a key
    found = _rows(ask.connection, of_clone(ask, *fields))
    nodes = {row[0]: Node._make(row[1:]) for row in found}
    return Flow(nodes, _rows(ask.connection, edges))


class Recorded(NamedTuple):
    """A commit with the event that brought it first."""

    id: str
    git: str
    kind: str
    name: str
    generation: int
    time: str
    author: str


def recorded(ask: Ask, numbers: Iterable[int]) -> dict[int, Recorded]:
    """Commits of the clone by number."""
    columns = (
        *(CommitRow.number, CommitRow.id, CommitRow.git, CommitRow.kind),
        *(CommitRow.name, CommitRow.generation, EventRow.time, AUTHOR),
    )
    query = of_clone(ask, *columns)
    query = query.join(EventRow, col(KnownRow.event) == EventRow.number)
    rows = asked(ask.connection, query, CommitRow.number, numbers)
    return {number: Recorded(*rest) for number, *rest in rows}


def numbers_of_git(ask: Ask, oids: Iterable[str]) -> dict[str, int]:
    """The numbers of commits by git oid, of those that have rows."""
    query = select(CommitRow.git, CommitRow.number)
    return dict(map(tuple, asked(ask.connection, query, CommitRow.git, oids)))

"""The edges of the index: a step down from some commits, or all of them at once."""

from collections.abc import Collection, Iterable
from typing import Any, NamedTuple, TypeAlias

from sqlmodel import col, select

from lineage.store.index import Ask
from lineage.store.index_tables import CommitRow, EdgeRow, EventRow, KnownRow

_ASKED = 5000  # numbers in one question


class Whole(NamedTuple):
    """All commits of a clone by number, and for each edge its child and parent."""

    ids: dict[int, str]
    edges: list[tuple[int, int]]


def whole(ask: Ask, roles: Collection[str] | None) -> Whole:
    """Every commit of the clone, and the edges of `roles` (None: of any)."""
    mine = col(KnownRow.clone) == ask.clone
    commits = select(CommitRow.number, CommitRow.id)
    commits = commits.join(KnownRow, col(KnownRow.commit) == CommitRow.number)
    edges = select(EdgeRow.child, EdgeRow.parent).join(
        KnownRow, col(KnownRow.commit) == EdgeRow.child
    )
    if roles is not None:
        edges = edges.where(col(EdgeRow.role).in_(list(roles)))
    ids = dict(_rows(ask.connection, commits.where(mine)))
    return Whole(ids, _rows(ask.connection, edges.where(mine)))


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


def numbers(ask: Ask, ids: Iterable[str]) -> list[int]:
    """The numbers of those of `ids` that have rows."""
    columns = col(CommitRow.id).in_(list(ids))
    return list(ask.connection.scalars(select(CommitRow.number).where(columns)))


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
    known = select(CommitRow.id).join(
        KnownRow, col(KnownRow.commit) == CommitRow.number
    )
    mine = known.where(col(KnownRow.clone) == ask.clone)
    return set(ask.connection.scalars(mine.where(col(CommitRow.number).in_(seen))))


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
    mine = col(KnownRow.clone) == ask.clone
    fields: Any = (getattr(CommitRow, name) for name in ("number", *Node._fields))
    commits: Any = select(*fields).join(
        KnownRow, col(KnownRow.commit) == CommitRow.number
    )
    edge = ("child", "role", "parent", f"{unit}_part", f"{unit}_whole")
    edges: Any = select(*(getattr(EdgeRow, name) for name in edge))
    edges = edges.join(KnownRow, col(KnownRow.commit) == EdgeRow.child)
    edges = edges.where(mine, col(KnownRow.commit) >= start)
    edges = edges.order_by(KnownRow.commit)  # the child, in the order of a key
    found = _rows(ask.connection, commits.where(mine))
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
    author = col(EventRow.name) + " <" + col(EventRow.email) + ">"
    columns: tuple[Any, ...] = (
        *(CommitRow.number, CommitRow.id, CommitRow.git, CommitRow.kind),
        *(CommitRow.name, CommitRow.generation, EventRow.time, author),
    )
    query: Any = select(*columns)
    query = query.join(KnownRow, col(KnownRow.commit) == CommitRow.number)
    query = query.join(EventRow, col(KnownRow.event) == EventRow.number)
    query = query.where(col(KnownRow.clone) == ask.clone)
    chosen = list(numbers)
    found: dict[int, Recorded] = {}
    for start in range(0, len(chosen), _ASKED):
        some = col(CommitRow.number).in_(chosen[start : start + _ASKED])
        for number, *rest in ask.connection.execute(query.where(some)):
            found[number] = Recorded(*rest)
    return found


def numbers_of_git(ask: Ask, oids: Iterable[str]) -> dict[str, int]:
    """The numbers of commits by git oid, of those that have rows."""
    chosen = list(oids)
    found: dict[str, int] = {}
    for start in range(0, len(chosen), _ASKED):
        some = col(CommitRow.git).in_(chosen[start : start + _ASKED])
        rows = ask.connection.execute(
            select(CommitRow.git, CommitRow.number).where(some)
        )
        found.update(map(tuple, rows))
    return found

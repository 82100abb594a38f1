"""The edges of the index: a step down from some commits, or all of them at once."""
# ruff: noqa: TID253 - imported with the index only

from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

from sqlmodel import col, select

from lineage.store.index import Ask
from lineage.store.index_tables import CommitRow, EdgeRow, KnownRow


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

"""The edges next to some commits, from the index: a step up or down, and no more."""

from collections.abc import Collection
from typing import Any, NamedTuple

from sqlmodel import col, func, select

from lineage.store.index_asking import Ask
from lineage.store.index_asking import commits as of_clone
from lineage.store.index_tables import CommitRow, EdgeRow, KnownRow


class Link(NamedTuple):
    """An edge by numbers: `part` of the child's `whole` records came along it."""

    child: int
    role: str
    parent: int
    evidence: str
    part: int | None
    whole: int | None


class Found(NamedTuple):
    """A commit by its number; `origin` is what it says of its own records."""

    number: int
    id: str
    kind: str
    name: str
    generation: int
    origin: str | None


_FIELDS: Any = (
    *(EdgeRow.child, EdgeRow.role, EdgeRow.parent, EdgeRow.evidence),
    *(EdgeRow.records_part, EdgeRow.records_whole),
)


def links_up(ask: Ask, children: Collection[int]) -> list[Link]:
    """The edges of `children`, to the newest parents first."""
    query = select(*_FIELDS).where(col(EdgeRow.child).in_(children))
    query = query.order_by(col(EdgeRow.parent).desc(), col(EdgeRow.role))
    return [Link(*row) for row in ask.connection.execute(query)]


def children(ask: Ask, parent: int, limit: int, count: int) -> tuple[list[int], int]:
    """The newest commits of the clone that name `parent`; how many, up to `count`."""
    mine = (col(KnownRow.clone) == ask.clone, col(EdgeRow.parent) == parent)
    known = select(EdgeRow.child).join(
        KnownRow, col(KnownRow.commit) == col(EdgeRow.child)
    )
    known = known.where(*mine).distinct()
    newest = known.order_by(col(EdgeRow.child).desc()).limit(limit)
    found = list(ask.connection.scalars(newest))
    if len(found) < limit:
        return found, len(found)
    some = select(func.count()).select_from(known.limit(count).subquery())
    return found, int(ask.connection.scalar(some))


def used_often(ask: Ask, numbers: Collection[int], least: int) -> set[int]:
    """Those of `numbers` that at least so many edges lead to; no more are read."""
    edge = select(EdgeRow.child).where(col(EdgeRow.parent) == CommitRow.number)
    one = edge.correlate(CommitRow).offset(least - 1).limit(1).scalar_subquery()
    query = select(CommitRow.number).where(col(CommitRow.number).in_(numbers))
    return set(ask.connection.scalars(query.where(one.is_not(None))))


def commits(ask: Ask, numbers: Collection[int]) -> dict[int, Found]:
    """Commits of the clone by number."""
    fields = (getattr(CommitRow, name) for name in Found._fields)
    query = of_clone(ask, *fields).where(col(CommitRow.number).in_(numbers))
    return {row[0]: Found(*row) for row in ask.connection.execute(query)}

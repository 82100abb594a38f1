"""Questions to the index, in SQL that SQLite and PostgreSQL understand alike."""

import operator
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any, NamedTuple, TypeAlias

from sqlmodel import (
    Column,
    Integer,
    MetaData,
    Table,
    and_,
    col,
    func,
    insert,
    not_,
    select,
)

from lineage.store.canonical import Json
from lineage.store.index_asking import AUTHOR, Ask, asked, commits, numbers
from lineage.store.index_facts import LONGEST, is_number, stored, written
from lineage.store.index_tables import (
    METADATA,
    NOBODY,
    AttestedRow,
    CloneRow,
    CommitRow,
    EdgeRow,
    EventRow,
    KnownRow,
    LeftOutRow,
    MetricRow,
    ParamRow,
)

# A metric's or parameter's name, operator and value: ("perplexity", "<", 30)
Condition: TypeAlias = tuple[str, str, Json]

COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "!=": operator.ne,
}
_STARTS = Table(  # more than one question could name
    "starts",
    MetaData(),
    Column("number", Integer, primary_key=True),
    prefixes=["TEMPORARY"],
)


class Match(NamedTuple):
    """A commit that was asked for; `author` is "name <email>"."""

    id: str
    name: str
    author: str
    message: str


def matching(
    ask: Ask,
    *,
    kind: str | None = None,
    metrics: Iterable[Condition] = (),
    params: Iterable[Condition] = (),
    since: str | None = None,
    until: str | None = None,
    generations: tuple[int | None, int | None] = (None, None),
    starts: Collection[str] | None = None,
    among: Collection[str] | None = None,
) -> Iterator[Match]:
    """The clone's commits that meet all conditions, newest first.

    `since` and `until` (times as events hold them) are both included, and so are the
    lowest and highest of `generations`; `starts` are the ids from which a commit must
    be reachable, `among` a few thousand at most of which it must be one.
    """
    tests = [_has_metric(ask.clone, condition) for condition in metrics]
    tests += [_has_param(condition) for condition in params]
    if kind:
        tests.append(col(CommitRow.kind) == kind)
    if since:
        tests.append(col(EventRow.time) >= since)
    if until:
        tests.append(col(EventRow.time) <= until)
    lowest, highest = generations
    if lowest is not None:
        tests.append(col(CommitRow.generation) >= lowest)
    if highest is not None:
        tests.append(col(CommitRow.generation) <= highest)
    if among is not None:
        tests.append(col(CommitRow.id).in_(among))
    if starts is not None:
        reached = _reachable(ask.connection, numbers(ask, starts))
        tests.append(col(CommitRow.number).in_(reached))
    query = (
        commits(ask, CommitRow.id, CommitRow.name, AUTHOR, EventRow.message)
        .join(EventRow, col(KnownRow.event) == EventRow.number)
        .where(*tests)
        .order_by(col(KnownRow.number).desc())
    )
    for row in ask.connection.execute(query):
        yield Match(*row)


def naming(
    ask: Ask, ids: Iterable[str], roles: Collection[str] | None = None
) -> set[str]:
    """The clone's commits with an edge into one of `ids`, of `roles` if given."""
    query = commits(ask, CommitRow.id)
    query = query.join(EdgeRow, col(EdgeRow.child) == CommitRow.number)
    if roles is not None:
        query = query.where(col(EdgeRow.role).in_(roles))
    rows = asked(ask.connection, query, EdgeRow.parent, numbers(ask, ids))
    return {id_ for (id_,) in rows}


class Child(NamedTuple):
    """A commit that names another, and the role that this has for it."""

    id: str
    role: str


def named_by(ask: Ask, id_: str, limit: int) -> tuple[int, list[Child]]:
    """How many of the clone's edges lead to a commit; of the newest, whose they are."""
    query = (
        commits(ask, CommitRow.id, EdgeRow.role)
        .join(EdgeRow, col(EdgeRow.child) == CommitRow.number)
        .where(col(EdgeRow.parent).in_(numbers(ask, [id_])))
    )
    count = ask.connection.scalar(select(func.count()).select_from(query.subquery()))
    newest = query.order_by(col(EdgeRow.child).desc()).limit(limit)  # as edges lie
    return count or 0, [Child(*row) for row in ask.connection.execute(newest)]


def counted(ask: Ask, kind: str) -> int:
    """How many commits of a kind the clone has."""
    query = commits(ask, func.count()).where(CommitRow.kind == kind)
    return ask.connection.scalar(query) or 0


def newest(
    ask: Ask, limit: int, *, before: int | None = None, kind: str | None = None
) -> list[str]:
    """The ids of the clone's newest commits: of a kind, before the number `before`."""
    query = commits(ask, CommitRow.id)
    if before is not None:
        query = query.where(col(KnownRow.number) < before)
    if kind is not None:
        query = query.where(CommitRow.kind == kind)
    query = query.order_by(col(KnownRow.number).desc()).limit(limit)
    return list(ask.connection.execute(query).scalars())


class Census(NamedTuple):
    """How much there is: commits of this clone, clones, rows by table, and gaps."""

    commits: int
    clones: int
    rows: dict[str, int]
    left_out: dict[str, str]


def census(ask: Ask) -> Census:
    """Count the rows."""

    def count(table: Any, *tests: Any) -> int:
        query = select(func.count()).select_from(table).where(*tests)
        return int(ask.connection.scalar(query))

    mine = count(KnownRow, col(KnownRow.clone) == ask.clone)
    clones = count(CloneRow, col(CloneRow.uuid) != NOBODY)
    tables = sorted(METADATA.tables.items())
    rows = {name: count(table) for name, table in tables if name != "clones"}
    own = col(LeftOutRow.clone) == ask.clone
    gaps = ask.connection.execute(select(LeftOutRow.id, LeftOutRow.reason).where(own))
    return Census(mine, clones, rows, dict(map(tuple, gaps)))


def _has_metric(clone: int, condition: Condition) -> Any:
    """A metric that the commit records or, to the clone's knowledge, one attested."""
    name, op, value = condition
    found = [
        select(row.commit).where(
            col(row.name) == stored(name, LONGEST), COMPARE[op](col(row.value), value)
        )
        for row in (MetricRow, AttestedRow)
    ]
    attested = found[1].where(col(AttestedRow.clone) == clone)
    return col(CommitRow.number).in_(found[0].union_all(attested))


def _has_param(condition: Condition) -> Any:
    path, op, value = condition
    meets = _param_test(op, value)
    named = col(ParamRow.path) == stored(path, LONGEST)
    return col(CommitRow.number).in_(select(ParamRow.commit).where(named, meets))


def _param_test(op: str, value: Json) -> Any:
    """Numbers compare with numbers; everything else is the same text, or not."""
    number = col(ParamRow.number)
    if is_number(value):
        if op == "!=":
            return number.is_distinct_from(value)
        return COMPARE[op](number, value)
    same = and_(col(ParamRow.text) == written(value), number.is_(None))
    return same if op == "=" else not_(same)


def _reachable(connection: Any, starts: Iterable[int]) -> Any:
    """The numbers of `starts` and of everything that they came from."""
    _STARTS.drop(connection, checkfirst=True)
    _STARTS.create(connection)
    if rows := [{"number": number} for number in set(starts)]:
        connection.execute(insert(_STARTS), rows)
    first = select(_STARTS.c.number)
    reached = first.cte(recursive=True)
    parents = select(EdgeRow.parent).join(
        reached, col(EdgeRow.child) == reached.c.number
    )
    return select(reached.union(parents).c.number)

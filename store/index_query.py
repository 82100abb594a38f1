"""Questions to the index, in SQL that SQLite and PostgreSQL understand alike."""
# ruff: noqa: TID253 - imported with the index only

import operator
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any, NamedTuple, TypeAlias

from sqlmodel import Column, Integer, MetaData, Table, and_, col, insert, not_, select

from lineage.store.canonical import Json
from lineage.store.index_rows import is_number, known, written
from lineage.store.index_tables import (
    CommitRow,
    EdgeRow,
    EventRow,
    MetricRow,
    ParamRow,
)

# A metric's or parameter's name, operator and value: ("perplexity", "<", 30)
Condition: TypeAlias = tuple[str, str, Json]

_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
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


def matching(
    connection: Any,
    *,
    kind: str | None = None,
    metrics: Iterable[Condition] = (),
    params: Iterable[Condition] = (),
    since: str | None = None,
    until: str | None = None,
    starts: Collection[str] | None = None,
) -> Iterator[Match]:
    """Commits that meet all conditions, newest first.

    `since` and `until` (times as events hold them) are both included; `starts` are
    the ids from which a commit must be reachable.
    """
    tests = [_has_metric(condition) for condition in metrics]
    tests += [_has_param(condition) for condition in params]
    if kind:
        tests.append(col(CommitRow.kind) == kind)
    if since:
        tests.append(col(EventRow.time) >= since)
    if until:
        tests.append(col(EventRow.time) <= until)
    if starts is not None:
        numbers = [found.number for found in known(connection, starts).values()]
        tests.append(col(CommitRow.number).in_(_reachable(connection, numbers)))
    query = (
        select(CommitRow.id, CommitRow.name, EventRow.name, EventRow.email)
        .join(EventRow, col(CommitRow.event) == EventRow.number)
        .where(*tests)
        .order_by(col(CommitRow.number).desc())
    )
    for id_, name, author, email in connection.execute(query):
        yield Match(id_, name, f"{author} <{email}>")


def _has_metric(condition: Condition) -> Any:
    name, op, value = condition
    meets = _COMPARE[op](col(MetricRow.value), value)
    named = col(MetricRow.name) == name
    return col(CommitRow.number).in_(select(MetricRow.commit).where(named, meets))


def _has_param(condition: Condition) -> Any:
    path, op, value = condition
    meets = _param_test(op, value)
    named = col(ParamRow.path) == path
    return col(CommitRow.number).in_(select(ParamRow.commit).where(named, meets))


def _param_test(op: str, value: Json) -> Any:
    """Numbers compare with numbers; everything else is the same text, or not."""
    number = col(ParamRow.number)
    if is_number(value):
        if op == "!=":
            return number.is_distinct_from(value)
        return _COMPARE[op](number, value)
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

"""How the index is asked: what a question is given, and how questions begin."""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from sqlmodel import col, select

from lineage.store.index_facts import Known
from lineage.store.index_tables import CommitRow, EventRow, HeardRow, KnownRow

_ASKED = 5000  # values in one question; SQLite takes 32,766, PostgreSQL 65,535

AUTHOR = col(EventRow.name) + " <" + col(EventRow.email) + ">"


class Ask(NamedTuple):
    """What a question is given: a connection to current rows, and whose they are."""

    connection: Any
    clone: int


def commits(ask: Ask, *columns: Any) -> Any:
    """A question for something of each commit that the clone has."""
    query = select(*columns).select_from(CommitRow)
    query = query.join(KnownRow, col(KnownRow.commit) == CommitRow.number)
    return query.where(col(KnownRow.clone) == ask.clone)


def events(ask: Ask, *columns: Any) -> Any:
    """A question for something of each event that the clone has."""
    query = select(*columns).select_from(EventRow)
    query = query.join(HeardRow, col(HeardRow.event) == EventRow.number)
    return query.where(col(HeardRow.clone) == ask.clone)


def parts(values: Iterable[Any]) -> Iterator[list[Any]]:
    """`values` in lists that one question each can name."""
    chosen = list(values)
    for start in range(0, len(chosen), _ASKED):
        yield chosen[start : start + _ASKED]


def asked(
    connection: Any, query: Any, column: Any, values: Iterable[Any]
) -> Iterator[Any]:
    """Rows of `query` whose `column` is one of `values`, however many those are."""
    for some in parts(values):
        yield from connection.execute(query.where(col(column).in_(some)))


def known(connection: Any, ids: Iterable[str]) -> dict[str, Known]:
    """Those of `ids` that have rows, whoever wrote them."""
    query = select(CommitRow.id, CommitRow.number, CommitRow.generation)
    rows = asked(connection, query, CommitRow.id, ids)
    return {id_: Known(*fields) for id_, *fields in rows}


def numbers(ask: Ask, ids: Iterable[str]) -> list[int]:
    """The numbers of those of `ids` that have rows."""
    return [found.number for found in known(ask.connection, ids).values()]

"""The index against the log: is every row the one that follows?"""

from collections.abc import Iterator
from typing import Any

from sqlmodel import col, select

from lineage.store.index import Index
from lineage.store.index_asking import Ask
from lineage.store.index_tables import METADATA, CommitRow, EventRow

_COMMITS, _EVENTS = {"commit", "child", "parent"}, {"event"}
# the order in which things came, which a merge makes differ
_SKIPPED = {"number", "clone", "known.event"}


def same_rows(index: Index, fresh: Index) -> bool:
    """Whether two indexes of one clone say the same, by ids and not by numbers."""
    return index.read(_rows) == fresh.read(_rows)


def _rows(ask: Ask) -> dict[str, list[tuple[Any, ...]]]:
    ids: dict[str, dict[int, str]] = {}
    lead: tuple[tuple[type[CommitRow | EventRow], set[str]], ...]
    lead = ((CommitRow, _COMMITS), (EventRow, _EVENTS))
    for row, keys in lead:
        pairs = ask.connection.execute(select(col(row.number), col(row.id)))
        named = dict(map(tuple, pairs))
        ids |= dict.fromkeys(keys, named)
    tables = [table for table in METADATA.sorted_tables if table.name != "clones"]
    return {
        table.name: sorted(_named(ask.connection, table, ids), key=repr)
        for table in tables
    }


def _named(
    connection: Any, table: Any, ids: dict[str, dict[int, str]]
) -> Iterator[tuple[Any, ...]]:
    """The rows of a table, with ids for numbers."""
    names = [
        column.name
        for column in table.columns
        if not _SKIPPED & {column.name, f"{table.name}.{column.name}"}
    ]
    for row in connection.execute(table.select()).mappings():
        yield tuple(ids.get(name, {}).get(row[name], row[name]) for name in names)

"""Files of records as relations of JSON documents, one a row, in their order.

JSONL, lists in JSON, CSV, TSV, text and plain Parquet files are read by duckdb. What it
does not take, and every other format, goes through `lineage.records`, which has a
sentence for what is wrong.
"""

from collections.abc import Callable
from itertools import islice
from typing import Any

from lineage.diff.records.engine import Engine, quoted
from lineage.diff.records.forms import marked
from lineage.diff.records.sources import File
from lineage.diff.records.tables import csv_query, text_query
from lineage.errors import StoreError, UsageError
from lineage.records import rows_of
from lineage.records.formats import suffix
from lineage.records.source import Source
from lineage.records.values import canonical_record
from lineage.store.reading import Progress

_BATCH = 20_000  # rows
_JSONL = (".jsonl", ".ndjson")
LINES = (*_JSONL, ".txt")  # a record on each line
DELIMITERS = {".csv": ",", ".tsv": "\t"}
_PATTERN = frozenset("*?[")  # duckdb takes a name with these for many
_PLAIN = {
    *("boolean", "tinyint", "smallint", "integer", "bigint", "utinyint", "usmallint"),
    *("uinteger", "ubigint", "float", "double", "varchar"),
}


class Reader:
    """Reads files into the tables of a comparison."""

    def __init__(self, engine: Engine, progress: Progress) -> None:
        self.engine = engine
        self._progress = progress
        self._tables = 0

    def read(self, file: File, take: Callable[[str], None]) -> str:
        """Let `take` have a relation of the file's documents, and give it back.

        It has one column, `doc`, and can be read again. Where duckdb does not get
        through, `take` is called again with another one.

        Raises:
            StoreError: says in one sentence why the file cannot be read.
        """
        import duckdb

        try:
            if fast := self._fast(file):
                take(fast)
                self._progress(file.size)
                return fast
        except duckdb.Error:
            pass  # not JSON, not UTF-8, damaged: the reader below says what it is
        except UnicodeDecodeError:
            pass  # a column of such a name
        slow = self._slow(file)
        take(slow)
        return slow

    def _fast(self, file: File) -> str | None:
        kind, place = suffix(file.path), str(file.place)
        if _PATTERN & {*place}:
            return None
        if kind in _JSONL or (kind == ".json" and _is_list(file)):
            return _objects(quoted(place), listed=kind == ".json")
        if kind == ".parquet":
            return self._parquet(quoted(place))
        if kind in DELIMITERS:
            return csv_query(file.place, file.path, DELIMITERS[kind])
        if kind == ".txt":
            return text_query(file.place, file.path)
        return None

    def _parquet(self, place: str) -> str | None:
        """None where a column is of a type that JSON does not have."""
        import duckdb

        table = f"read_parquet({place}, hive_partitioning = false)"
        columns = self.engine.rows(f"DESCRIBE SELECT * FROM {table}")
        types = (duckdb.type(column[1]) for column in columns)
        if not columns or not all(map(_plain, types)):
            return None
        return f"SELECT to_json(t)::VARCHAR AS doc FROM {table} AS t"

    def _slow(self, file: File) -> str:
        """The records read one by one, and kept in a table of canonical documents."""
        self._tables += 1
        table = f"slow_{self._tables}"
        self.engine.run(f"CREATE OR REPLACE TABLE {table} (doc VARCHAR)")
        rows = rows_of(file.place, file.path, progress=self._progress)
        while batch := list(islice(rows, _BATCH)):
            try:
                documents = [
                    marked(canonical_record(row.data, row.where)) for row in batch
                ]
            except UsageError as error:
                raise StoreError(str(error), hint=error.hint) from None
            self.engine.insert(table, [documents])
        return f"SELECT doc FROM {table}"


def _objects(place: str, *, listed: bool) -> str:
    how = "array" if listed else "newline_delimited"
    return (
        f"SELECT json::VARCHAR AS doc FROM read_json_objects({place},"
        f" format = '{how}', compression = 'uncompressed')"
    )


def _is_list(file: File) -> bool:
    with Source(file.place, file.path).open() as data:
        return data.read(1) == b"["


def _plain(kind: Any) -> bool:
    """Whether duckdb writes all values of a type as `lineage.records` does."""
    if kind.id in ("list", "array", "struct"):
        return all(_plain(child) for name, child in kind.children if name != "size")
    return kind.id in _PLAIN

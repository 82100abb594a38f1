"""Finding records in Parquet and Arrow files, a column at a time."""

from collections.abc import Iterator
from typing import Any

from lineage.records.arrow import Batches, arrow_batches, parquet_batches
from lineage.records.hits import Hit
from lineage.records.source import Source
from lineage.records.values import texts

FORMATS: dict[str, Batches] = {".parquet": parquet_batches, ".arrow": arrow_batches}


class ArrowLookup:
    """Rows of a file that has columns."""

    def __init__(self, source: Source, batches: Batches) -> None:
        self._source, self._batches = source, batches

    def count(self) -> int:
        return sum(batch.num_rows for batch in self._batches(self._source))

    def nth(self, number: int) -> Hit | None:
        before = 0
        for batch in self._batches(self._source):
            if number <= before + batch.num_rows:
                row = batch.slice(number - before - 1, 1)
                return Hit(number, number, row.to_pylist()[0])
            before += batch.num_rows
        return None

    def number(self, hit: Hit) -> int:
        return hit.place

    def holding(self, piece: str, *, whole: bool) -> Iterator[Hit]:
        before = 0
        for batch in self._batches(self._source):
            for row in _rows(batch, piece, whole=whole):
                number = before + row + 1
                yield Hit(number, number, batch.slice(row, 1).to_pylist()[0])
            before += batch.num_rows

    def copies(self, raw: bytes) -> Iterator[Hit]:  # noqa: ARG002
        return iter(())  # no lines


def _rows(batch: Any, piece: str, *, whole: bool) -> list[int]:
    """The rows of a batch that have the piece in one of their columns."""
    found: set[int] = set()
    for column in batch.columns:
        found.update(_found(column, piece, whole=whole))
    return sorted(found)


def _found(column: Any, piece: str, *, whole: bool) -> list[int]:
    from pyarrow import ArrowException, compute, types

    kind = column.type
    if types.is_nested(kind) or types.is_binary(kind) or types.is_dictionary(kind):
        values = enumerate(column.to_pylist())
        return [n for n, value in values if any(piece in t for t in texts(value))]
    if not types.is_string(kind) and not types.is_large_string(kind):
        try:
            column = column.slice(0, None if whole else 0).cast("string")
        except ArrowException:  # of a kind that is not written as text
            return []
    same = compute.equal if whole else compute.match_substring
    return [int(n) for n in compute.indices_nonzero(same(column, piece)).to_pylist()]

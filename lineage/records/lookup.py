"""A few records of a file, found without reading the others as records.

Where a file has lines, its bytes are searched and only the lines that may be meant
are read; in Parquet and Arrow pyarrow compares whole columns. What is found holds
the piece somewhere: whoever asks looks at the record.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Protocol

from lineage.records.formats import read, suffix
from lineage.records.hits import Hit, quoted, spellings
from lineage.records.in_arrow import FORMATS, ArrowLookup
from lineage.records.in_lines import CsvLookup, JsonLookup, TextLookup
from lineage.records.source import Bytes, Found, Source, mapped


class Lookup(Protocol):
    """One file of records."""

    def count(self) -> int:
        """How many records it has."""

    def nth(self, number: int) -> Hit | None:
        """The record of a number, from 1."""

    def number(self, hit: Hit) -> int:
        """The number of a record that was found."""

    def holding(self, piece: str, *, whole: bool) -> Iterator[Hit]:
        """Records that may have `piece` in a value, or as a `whole` one, in order."""

    def copies(self, raw: bytes) -> Iterator[Hit]:
        """Records that stand in the file as the line `raw`, whatever its end."""


@contextmanager
def looking(source: Source) -> Iterator[Lookup]:
    """Ways to find records of one file.

    Raises:
        StoreError: when it cannot be read, or is not what its name says.
    """
    kind = suffix(source.name)
    if kind in FORMATS:
        yield ArrowLookup(source, FORMATS[kind])
        return
    with mapped(source) as data:
        if kind in (".jsonl", ".ndjson"):
            yield JsonLookup(source, data)
        elif kind in (".csv", ".tsv"):
            yield CsvLookup(source, data, "\t" if kind == ".tsv" else ",")
        elif kind == ".txt":
            yield TextLookup(source, data)
        else:
            yield _Document(source, data)


class _Document:
    """JSON over lines as it likes: read through, where the piece is in it at all."""

    def __init__(self, source: Source, data: Bytes) -> None:
        self._source, self._data = source, data

    def count(self) -> int:
        return sum(1 for _ in read(self._source))

    def nth(self, number: int) -> Hit | None:
        return next(map(_hit, islice(read(self._source), number - 1, None)), None)

    def number(self, hit: Hit) -> int:
        return hit.line

    def holding(self, piece: str, *, whole: bool) -> Iterator[Hit]:
        spelled = spellings(piece) if not whole else [*quoted(piece), piece.encode()]
        if any(self._data.find(each) >= 0 for each in spelled):
            yield from map(_hit, read(self._source))

    def copies(self, raw: bytes) -> Iterator[Hit]:  # noqa: ARG002
        return iter(())


def _hit(found: Found) -> Hit:
    line, data, raw = found
    return Hit(line, line, data, raw)

"""Records in plain text: the rows of a CSV or TSV file, lines."""

import csv
from collections.abc import Iterable, Iterator
from typing import Any

from lineage.errors import StoreError
from lineage.records.source import LONGEST, Found, Source

_LONGEST_FIELD = 2**31 - 1  # characters; the csv module allows 131,072


def lines(source: Source) -> Iterator[Found]:
    """Each line as ``{"text": line}``, without its end; blank ones are left out."""
    for number, raw in source.lines():
        if raw.strip():
            yield number, text_line(source, number, raw), raw


def text_line(source: Source, number: int, raw: bytes) -> dict[str, Any]:
    """A line of text as a record."""
    return {"text": source.text(raw, number).rstrip("\r\n")}


def csv_file(source: Source) -> Iterator[Found]:
    """Rows of a file whose first line names its columns (RFC 4180)."""
    return _rows(source, ",")


def tsv_file(source: Source) -> Iterator[Found]:
    """The same with tabs between the fields."""
    return _rows(source, "\t")


def _rows(source: Source, delimiter: str) -> Iterator[Found]:
    taken = _Taken(source)
    reader = csv_fields(taken, delimiter)
    try:
        names = checked_names(source, next(reader, []))
        taken.clear()
        for fields in reader:
            line, raw = taken.clear()
            if fields:
                yield line, csv_row(source, line, names, fields), raw
    except csv.Error as error:
        message = f"{source.name} is not CSV after line {taken.before}: {error}"
        raise StoreError(message) from None


def csv_names(source: Source, delimiter: str = ",") -> list[str]:
    """The columns that the first line of a CSV file names."""
    taken = _Taken(source)
    try:
        return checked_names(source, next(csv_fields(taken, delimiter), []))
    except csv.Error as error:
        raise StoreError(f"{source.name} is not CSV: {error}") from None


def csv_fields(lines: Iterable[str], delimiter: str) -> Iterator[list[str]]:
    """The fields of each row, strictly after RFC 4180."""
    csv.field_size_limit(_LONGEST_FIELD)
    return csv.reader(lines, strict=True, delimiter=delimiter)


def checked_names(source: Source, names: list[str]) -> list[str]:
    """The columns that a first line names, each once.

    Raises:
        StoreError: when one is there twice.
    """
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise StoreError(f"{source.name} has two columns {twice!r}")
    return names


def csv_row(
    source: Source, line: int, names: list[str], fields: list[str]
) -> dict[str, str]:
    """A row by the names of its columns.

    Raises:
        StoreError: when it has more fields than columns, or fewer.
    """
    if len(fields) != len(names):
        what = f"has {len(fields)} fields, not {len(names)}"
        message = f"{source.name}: line {line} {what}"
        raise StoreError(message, hint="quote a field that has the separator in it")
    return dict(zip(names, fields, strict=True))


class _Taken:
    """The lines that the csv module takes, kept until a row is whole."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._lines = source.lines()
        self._held: list[bytes] = []
        self._size = 0
        self.before = 0  # the last line of the row before

    def __iter__(self) -> "_Taken":
        return self

    def __next__(self) -> str:
        number, raw = next(self._lines)
        self._held.append(raw)
        self._size += len(raw)
        if self._size > LONGEST:
            raise self._source.too_long(f"the row at line {self.before + 1}")
        return self._source.text(raw, number)

    def clear(self) -> tuple[int, bytes]:
        """The line that the row begins on, and its bytes."""
        first, raw = self.before + 1, b"".join(self._held)
        self.before += len(self._held)
        self._held, self._size = [], 0
        return first, raw

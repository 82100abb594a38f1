"""CSV, TSV and lines of text as SQL, where duckdb reads what `lineage.records` reads.

Where it may not (blanks beside quotes, carriage returns of their own) there is none,
and what it refuses is read the other way, too.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from lineage.diff.records.engine import quoted
from lineage.records.source import Bytes, Source, mapped
from lineage.records.text_files import csv_names

_LONGEST = 1 << 22  # bytes of a line, of which duckdb holds many at once
_STEP = 1 << 22
# Text in which what is quoted is always a whole field.
_QUOTED = {
    mark: re.compile(
        rb"(?>[^\"]*(?<![^%(mark)s\n])\"[^\"]*(?:\"\"[^\"]*)*+\"(?![^%(mark)s\r\n]))*+"
        rb"[^\"]*+" % {b"mark": mark.encode()}
    )
    for mark in ",\t"
}
_BLANKS = r"E' \t\n\r\x0b\x0c'"
_SEPARATOR = "\x1f"  # one that no text has


def csv_query(place: Path, name: str, delimiter: str) -> str | None:
    """Rows of a table as documents.

    None where duckdb may read something else, or the table has but one column, of which
    an empty line may be a value or none.
    """
    source = Source(place, name)
    with mapped(source) as data:
        quotes = data.find(b'"') >= 0
        last = data[max(0, len(data) - 3) : len(data)]
        if not _ends(data) or last.rstrip(b"\r\n").endswith(delimiter.encode()):
            return None
        if quotes and not (last[-1:] == b"\n" and _QUOTED[delimiter].fullmatch(data)):
            return None
    names = csv_names(source, delimiter)
    if len(names) < 2:
        return None
    listed = ", ".join(f"{quoted(each)}: 'VARCHAR'" for each in names)
    options = (
        f"header = true, delim = {quoted(delimiter)}, quote = '\"', escape = '\"',"
        f" parallel = {not quotes}"
    )
    table = _read(place, names, listed, options)
    return f"SELECT to_json(t)::VARCHAR AS doc FROM {table} AS t"


def text_query(place: Path, name: str) -> str | None:
    """Lines of text as documents; None where duckdb may read something else."""
    with mapped(Source(place, name)) as data:
        if not _ends(data) or data.find(_SEPARATOR.encode()) >= 0:
            return None
    options = f"header = false, delim = {quoted(_SEPARATOR)}, quote = '', escape = ''"
    read = _read(place, ["text"], "'text': 'VARCHAR'", options)
    return (
        f"SELECT to_json(t)::VARCHAR AS doc FROM {read} AS t"
        f" WHERE text >= '!' OR trim(text, {_BLANKS}) <> ''"
    )


def _read(place: Path, names: Sequence[str], listed: str, options: str) -> str:
    never = ", ".join(map(quoted, names))
    return (
        f"read_csv({quoted(str(place))}, auto_detect = false, columns = {{{listed}}},"
        f" force_not_null = [{never}], strict_mode = true, null_padding = false,"
        f" compression = 'none', hive_partitioning = false,"
        f" max_line_size = {_LONGEST}, {options})"
    )


def _ends(data: Bytes) -> bool:
    """Whether carriage returns are only before line ends."""
    return _count(data, b"\r") == _count(data, b"\r\n")


def _count(data: Bytes, mark: bytes) -> int:
    more = len(mark) - 1  # it may lie across two pieces
    steps = range(0, len(data), _STEP)
    return sum(data[at : at + _STEP + more].count(mark) for at in steps)

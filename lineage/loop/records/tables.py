"""Files of rows, read one after the other: .jsonl, .csv, .parquet, `datasets` folders.

A row is given as a mapping with the columns that were asked for, and where it
stands, for an error. Whatever the size of a file, a batch of its rows is in memory.
"""

from __future__ import annotations

import csv
import json
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn

from lineage.errors import LineageError, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    Row = tuple[str, Mapping[str, Any]]

_TABLES = (".jsonl", ".csv", ".parquet")
SUFFIXES = (".txt", *_TABLES)
_BATCH = 1000  # rows of a Parquet file at once
_LONGEST_FIELD = 2**31 - 1  # characters; the csv module allows 131,072
_STATE, _DICT = "state.json", "dataset_dict.json"  # what save_to_disk writes


def rows(path: Path, columns: Mapping[str, str]) -> Iterator[Row]:
    """The rows of a file or folder, each with its place.

    Args:
        path: a .jsonl, .csv or .parquet file, or what `datasets` saved to disk.
        columns: their names, by the field of `loop.yaml` that says so.

    Raises:
        StoreError: it cannot be read, is not what its name says, or has no such
            column.
    """
    kinds = {".jsonl": _jsonl, ".csv": _csv, ".parquet": _parquet}
    return kinds.get(path.suffix, _saved)(path, columns)


def is_table(path: Path) -> bool:
    """Whether a file or folder has rows; everything else is text."""
    return path.suffix in _TABLES or (path.is_dir() and path.suffix != ".txt")


def decoded(path: Path) -> str:
    """A whole text file, without a byte order mark."""
    with _readable(path):
        data = path.read_bytes()
    return _decode(path, data, 0)


def _decode(path: Path, data: bytes, begin: int) -> str:
    try:
        return data.decode("utf-8" if begin else "utf-8-sig")
    except UnicodeDecodeError as error:
        byte, at = data[error.start], begin + error.start
        message = f"{path} is not UTF-8 text: byte 0x{byte:02x} at {at}"
        raise StoreError(message, hint="convert it, such as with iconv") from None


@contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        what = error.strerror or str(error)
        raise StoreError(f"cannot read {path}: {what}") from None


def _lines(path: Path) -> Iterator[str]:
    """The lines of a text file: bytes of one at a time are decoded."""
    begin = 0
    with _readable(path), path.open("rb") as file:
        for line in file:
            yield _decode(path, line, begin)
            begin += len(line)


def _jsonl(path: Path, columns: Mapping[str, str]) -> Iterator[Row]:
    for number, line in enumerate(_lines(path), start=1):
        if line.strip():
            where = f"{path}: line {number}"
            yield where, _object(where, line, columns)


def _object(where: str, line: str, columns: Mapping[str, str]) -> dict[str, Any]:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        raise StoreError(f"{where} is not JSON") from None
    if not isinstance(record, dict):
        raise StoreError(f"{where} is not a JSON object")
    _check_columns(where, columns, record)
    return record


def _check_columns(where: str, wanted: Mapping[str, str], there: Iterable[str]) -> None:
    known = sorted(there)
    for field, name in wanted.items():
        if name not in known:
            among = f"only {', '.join(known)}" if known else "nor any other"
            message = f"{where} has no column {name!r}, {among}"
            raise StoreError(message, hint=f"set dataset.{field}")


def _csv(path: Path, columns: Mapping[str, str]) -> Iterator[Row]:
    """Rows of a .csv whose first line names its columns (RFC 4180)."""
    csv.field_size_limit(_LONGEST_FIELD)
    reader = csv.DictReader(_lines(path), strict=True)
    try:
        _check_columns(str(path), columns, reader.fieldnames or ())
        for row in reader:
            yield f"{path}: line {reader.line_num}", row
    except csv.Error as error:
        message = f"{path} is not CSV after line {reader.line_num}: {error}"
        raise StoreError(message) from None


def _parquet(path: Path, columns: Mapping[str, str]) -> Iterator[Row]:
    """Rows of a Parquet file, a row group at a time."""
    _require_arrow()
    from pyarrow import ArrowException, parquet

    with _readable(path), path.open("rb") as file:
        try:
            table = parquet.ParquetFile(file)
            _check_columns(str(path), columns, table.schema_arrow.names)
            names = list(columns.values())
            batches = table.iter_batches(batch_size=_BATCH, columns=names)
            yield from _numbered(path, batches)
        except ArrowException as error:
            _not_arrow(path, "Parquet", error)


def _saved(path: Path, columns: Mapping[str, str]) -> Iterator[Row]:
    """Rows of a folder that `Dataset.save_to_disk` wrote, from the mapped files."""
    files = _saved_files(path)
    _require_arrow()
    from pyarrow import ArrowException, memory_map
    from pyarrow.ipc import open_stream

    def batches() -> Iterator[Any]:
        for file in files:
            with memory_map(str(file)) as source, open_stream(source) as stream:
                _check_columns(str(path), columns, stream.schema.names)
                for batch in stream:
                    yield batch.select(list(columns.values()))

    with _readable(path):
        try:
            yield from _numbered(path, batches())
        except ArrowException as error:
            _not_arrow(path, "Arrow", error)


def _saved_files(path: Path) -> list[Path]:
    try:
        if (path / _DICT).exists():
            splits = json.loads((path / _DICT).read_bytes())["splits"]
            hint = "give one of them: " + ", ".join(f"{path.name}/{s}" for s in splits)
            raise StoreError(f"{path} has several splits", hint=hint)
        state = json.loads((path / _STATE).read_bytes())
        return [path / file["filename"] for file in state["_data_files"]]
    except (OSError, ValueError, KeyError, TypeError):
        message = f"{path} is no folder that Dataset.save_to_disk wrote"
        raise StoreError(message, hint=f"it has no {_STATE} to read") from None


def _numbered(path: Path, batches: Iterable[Any]) -> Iterator[Row]:
    number = 0
    for batch in batches:
        for row in batch.to_pylist():
            number += 1
            yield f"{path}: record {number}", row


def _require_arrow() -> None:
    try:
        import pyarrow as pa  # noqa: F401
    except ImportError:
        message = "reading Parquet files and datasets folders needs pyarrow"
        hint = "install it: pip install 'lineage-vcs[data]'"
        raise LineageError(message, hint=hint) from None


def _not_arrow(path: Path, kind: str, error: Exception) -> NoReturn:
    what = next(iter(str(error).splitlines()), type(error).__name__).rstrip(".")
    raise StoreError(f"{path} cannot be read as {kind}: {what}") from None

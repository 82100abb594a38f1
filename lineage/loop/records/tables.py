"""Files of rows, read one after the other: .jsonl, .csv, .parquet, `datasets` folders.

A row is given as a mapping with the columns that were asked for, and where it
stands, for an error. How each format is read is known to `lineage.records`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lineage.errors import StoreError
from lineage.records.arrow import arrow, arrow_names, parquet, parquet_names
from lineage.records.json_files import jsonl
from lineage.records.source import Source
from lineage.records.text_files import csv_file, csv_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from pathlib import Path

    from lineage.records.source import Found

    Row = tuple[str, Mapping[str, Any]]
    Read = Callable[[Source], Iterator[Found]]
    Names = Callable[[Source], list[str]]

_FORMATS: dict[str, tuple[Read, Names | None]] = {
    ".jsonl": (jsonl, None),  # each row names its own
    ".csv": (csv_file, csv_names),
    ".parquet": (parquet, parquet_names),
}
SUFFIXES = (".txt", *_FORMATS)
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
    saved = path.suffix not in _FORMATS
    read, names = _FORMATS.get(path.suffix, (arrow, arrow_names))
    number = 0
    for file in _saved_files(path) if saved else [path]:
        source = Source(file, str(path), columns.values())
        if names:
            _check_columns(str(path), columns, names(source))
        for line, data, raw in read(source):
            number += 1
            place = f"record {number}" if raw is None else f"line {line}"
            if not names:
                _check_columns(f"{path}: {place}", columns, data)
            yield f"{path}: {place}", data


def is_table(path: Path) -> bool:
    """Whether a file or folder has rows; everything else is text."""
    return path.suffix in _FORMATS or (path.is_dir() and path.suffix != ".txt")


def decoded(path: Path) -> str:
    """A whole text file, without a byte order mark.

    Raises:
        StoreError: it cannot be read, or is no UTF-8.
    """
    with Source(path, str(path)).open() as file:
        data = file.read()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        what = f"byte 0x{data[error.start]:02x} at {error.start}"
        message = f"{path} is not UTF-8 text: {what}"
        raise StoreError(message, hint="convert it, such as with iconv") from None


def _check_columns(where: str, wanted: Mapping[str, str], there: Iterable[str]) -> None:
    known = sorted(there)
    for field, name in wanted.items():
        if name not in known:
            among = f"only {', '.join(known)}" if known else "nor any other"
            message = f"{where} has no column {name!r}, {among}"
            raise StoreError(message, hint=f"set dataset.{field}")


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

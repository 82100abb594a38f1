"""Which files of a dataset hold records, by their suffix: one table for all."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePosixPath

from lineage.errors import StoreError
from lineage.records.arrow import arrow, parquet
from lineage.records.json_files import json_file, jsonl
from lineage.records.source import Found, Source
from lineage.records.text_files import csv_file, lines, tsv_file

_DATA: dict[str, Callable[[Source], Iterator[Found]]] = {
    ".jsonl": jsonl,
    ".ndjson": jsonl,
    ".csv": csv_file,
    ".tsv": tsv_file,
    ".parquet": parquet,
    ".arrow": arrow,
}
# Beside those these are about the data: state.json, README.txt.
_JSON: dict[str, Callable[[Source], Iterator[Found]]] = {".json": json_file}
_TEXT: dict[str, Callable[[Source], Iterator[Found]]] = {".txt": lines}

_PACKED = (".gz", ".zst", ".bz2", ".xz")

READERS = _DATA | _JSON | _TEXT


def record_paths(paths: Iterable[str]) -> list[str]:
    """Those of the paths that hold records, sorted.

    `.json` counts where nothing else does but `.txt`, and `.txt` where nothing
    else does: beside data both describe it.
    """
    known = sorted(paths)
    for suffixes in (_DATA, _JSON, _TEXT):
        if found := [path for path in known if suffix(path) in suffixes]:
            return found
    return []


def packed(name: str) -> bool:
    """Whether a file holds records and is compressed, as its name says: not read."""
    inner = PurePosixPath(name)
    return suffix(name) in _PACKED and suffix(inner.stem) in READERS


def suffix(name: str) -> str:
    """What a file's name says of its format, in small letters."""
    return PurePosixPath(name).suffix.lower()


def read(source: Source) -> Iterator[Found]:
    """The records of a file, by what its name says.

    Raises:
        StoreError: it cannot be read, or is not what its name says.
    """
    reader = READERS.get(suffix(source.name))
    if reader is None:
        hint = "known are " + ", ".join(READERS)
        raise StoreError(f"{source.name} is no file of records", hint=hint)
    return reader(source)

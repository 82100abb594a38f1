"""The records of a dataset, one after the other, whatever its files are.

`rows` reads any dataset of a registry in bounded memory; `identity` says which
records are the same. Which files hold records, and how, is in `formats`.
"""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from lineage.errors import LineageError, StoreError
from lineage.records.formats import read, record_paths
from lineage.records.source import LONGEST, Source
from lineage.records.values import identity
from lineage.registry import Registry
from lineage.store.files import FileEntry
from lineage.store.reading import Progress, unwatched

__all__ = [
    "LONGEST",
    "Row",
    "identity",
    "place",
    "placed",
    "record_files",
    "rows",
    "rows_of",
]


class Row(NamedTuple):
    """One record and where it stands.

    `number` counts the records of the dataset from 1, its files in the order of their
    paths. `line` is the line of the file that it begins on, from 1, where the file
    has lines (`raw` is then what stands there, with its end); else it counts the
    records of the file.
    """

    path: str
    number: int
    line: int
    data: dict[str, Any]
    raw: bytes | None = None

    @property
    def where(self) -> str:
        """The file and the place in it, for people."""
        unit = "record" if self.raw is None else "line"
        return f"{self.path}: {unit} {self.line}"

    @property
    def identity(self) -> str:
        """What `identity` gives for its data."""
        return identity(self.data, self.where)


def rows(
    registry: Registry,
    id_: str,
    *,
    columns: Collection[str] | None = None,
    progress: Progress = unwatched,
) -> Iterator[Row]:
    """The records of the dataset `id_`, a full id.

    Args:
        registry: where it is.
        id_: the dataset.
        columns: read no others where the format allows that (Parquet, Arrow).
        progress: gets numbers of bytes.

    Raises:
        LineageError: a file is not here (never stored, not fetched, or erased), or
            none of them holds records.
        StoreError: a file is not what its name says; one sentence with the place.
    """
    number = 0
    for entry in record_files(registry, id_):
        with placed(registry, entry) as path:
            for row in rows_of(path, entry.path, columns, progress, number):
                yield row
                number = row.number


def rows_of(
    path: Path,
    name: str,
    columns: Collection[str] | None = None,
    progress: Progress = unwatched,
    before: int = 0,
) -> Iterator[Row]:
    """The records of one file, called `name`; `before` it there were so many."""
    source = Source(path, name, columns, progress)
    for number, (line, data, raw) in enumerate(read(source), start=before + 1):
        yield Row(name, number, line, data, raw)


def record_files(registry: Registry, id_: str) -> list[FileEntry]:
    """The files of the commit `id_` that hold records, in the order of their paths.

    Raises:
        LineageError: when there is none.
    """
    entries = {e.path: e for e in registry.files(id_) if not e.is_directory}
    found = record_paths(entries)
    if not found:
        hint = "records are read from JSONL, JSON, CSV, TSV, Parquet, Arrow and text"
        raise LineageError(f"no file of {id_[:12]} holds records", hint=hint)
    return [entries[path] for path in found]


@contextmanager
def placed(registry: Registry, entry: FileEntry) -> Iterator[Path]:
    """As `place`, for a while: what was written out for it may go afterwards.

    Raises:
        LineageError: as `place`.
    """
    path = place(registry, entry)
    try:
        yield path
    finally:
        registry.payloads.let_go(entry.md5)


def place(registry: Registry, entry: FileEntry) -> Path:
    """Where the bytes of a file lie, or were written out to (`Payloads.path`).

    Raises:
        LineageError: when they are not here, or not as many as recorded.
    """
    try:
        path = registry.payloads.path(entry.md5)
        size = path.stat().st_size
    except (StoreError, OSError):
        if registry.payloads.has(entry.md5):  # but cannot be written out
            raise
        raise _away(registry, entry) from None
    if size != entry.size:
        registry.payloads.let_go(entry.md5)
        message = f"{entry.path} does not have its recorded size"
        raise LineageError(message, hint="run `lineage verify`")
    return path


def _away(registry: Registry, entry: FileEntry) -> LineageError:
    """Why the bytes of a file are not here, as far as the log says it."""
    from lineage.tombstones import told, tombstones

    if found := tombstones(registry).erased.get(entry.sha256):
        event = registry.events_log.whole.event(found)
        return LineageError(f"{entry.path} was {told(event)}")
    hint = "`lineage pull` or `lineage fetch` brings what a remote has"
    return LineageError(f"{entry.path} is not here", hint=hint)

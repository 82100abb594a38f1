"""The files of a diff, by path."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lineage.cli.diff.part import STYLES, Part
from lineage.cli.render import Column, Record, Section, first_rows
from lineage.cli.terminal import Span
from lineage.shapes.diff import SORTS, files
from lineage.wording import size

if TYPE_CHECKING:
    from lineage.diff import Diff
    from lineage.diff.files import FileChange


def _rows(found: "Diff") -> Iterator[Record]:
    for sort in SORTS:
        for item in getattr(found.files, sort):
            named = item.path if item.came_from else None
            yield {"path": item.path, "change": sort, "a": item.came_from, "b": named}


def _tables(found: "Diff", most: int) -> Iterator[Section]:
    changes = [item for sort in SORTS for item in getattr(found.files, sort)]
    changes.sort(key=lambda item: item.path)
    if changes:
        yield first_rows(
            "files", [{"change": item} for item in changes], _COLUMNS, most
        )


def _line(found: "Diff") -> str:
    counts = ((sort, len(getattr(found.files, sort))) for sort in SORTS)
    return ", ".join(f"{count:,} {sort}" for sort, count in counts if count)


def _mark(record: Record) -> Span:
    found: FileChange = record["change"]
    if found.came_from:
        return "renamed", ""
    what = "changed" if found.a and found.b else "removed" if found.a else "added"
    return what, STYLES.get(what, "")


def _path(record: Record) -> str:
    found: FileChange = record["change"]
    return f"{found.came_from} → {found.path}" if found.came_from else found.path


def _sizes(record: Record) -> str:
    found: FileChange = record["change"]
    sizes = (size(entry.size) for entry in (found.a, found.b) if entry)
    return " → ".join(dict.fromkeys(sizes))


_COLUMNS = (
    Column("", _mark),
    Column("path", _path, flexible=True, path=True),
    Column("size", _sizes),
)

FILES = Part("files", files, _rows, _tables, _line)

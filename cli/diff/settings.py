"""The settings of a diff, by their paths: params, and what is in config files."""

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from lineage.cli.diff.part import Part, changed
from lineage.cli.render import Column, Record, Section, first_rows
from lineage.cli.text import as_json, cut, inline
from lineage.cli.values import scalar
from lineage.shapes.diff import settings
from lineage.wording import plural

if TYPE_CHECKING:
    from lineage.diff import Diff

_FIRST = 2  # settings in the summary
_LONGEST = 120  # columns of a value


def _rows(name: str, found: "Diff") -> Iterator[Record]:
    return map(changed, settings(name, found))


def _tables(name: str, found: "Diff", most: int) -> Iterator[Section]:
    if records := settings(name, found):
        yield first_rows(name, records, _COLUMNS, most)


def _line(name: str, found: "Diff") -> str:
    """How many differ, and the first of them."""
    records = settings(name, found)
    if not records:
        return ""
    shown = (f"{r['path']} {_old(r)} → {_new(r)}" for r in records[:_FIRST])
    more = ", …" if len(records) > _FIRST else ""
    return f"{plural(len(records), 'setting')}: {', '.join(shown)}{more}"


def _old(record: Record) -> str:
    return "-" if record["change"] == "added" else _value(record["a"])


def _new(record: Record) -> str:
    return "-" if record["change"] == "removed" else _value(record["b"])


def _value(value: object) -> str:
    """A value on one line, cut; text in quotes where it looks like another type."""
    odd = isinstance(value, str) and scalar(value) != value
    return cut(as_json(value) if odd else inline(value), _LONGEST)


_COLUMNS = (
    Column("path", lambda r: r["path"], flexible=True, path=True),
    Column("old", lambda r: (_old(r), "bad"), flexible=True),
    Column("new", lambda r: (_new(r), "good"), flexible=True),
)


def _part(name: str) -> Part:
    return Part(
        name,
        partial(settings, name),
        partial(_rows, name),
        partial(_tables, name),
        partial(_line, name),
    )


PARAMS, CONFIG = _part("params"), _part("config")

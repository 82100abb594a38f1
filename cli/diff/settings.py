"""The settings of a diff, by their paths: params, and what is in config files."""

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

from lineage.cli.diff.part import Part, changed, section
from lineage.cli.render import Column, Record, Section
from lineage.cli.show import inline
from lineage.cli.text import plural

if TYPE_CHECKING:
    from lineage.diff import Diff


def _data(name: str, found: "Diff") -> list[Record]:
    return [{"path": c.path, "a": c.a, "b": c.b} for c in getattr(found, name)]


def _rows(name: str, found: "Diff") -> Iterator[Record]:
    return map(changed, _data(name, found))


def _tables(name: str, found: "Diff", most: int) -> Iterator[Section]:
    if records := _data(name, found):
        yield section(name, records, _COLUMNS, most)


def _line(name: str, found: "Diff") -> str:
    changes = getattr(found, name)
    return plural(len(changes), "setting") if changes else ""


def _value(value: object) -> str:
    return "-" if value is None else inline(value)


_COLUMNS = (
    Column("path", lambda r: r["path"], flexible=True),
    Column("old", lambda r: (_value(r["a"]), "bad"), flexible=True),
    Column("new", lambda r: (_value(r["b"]), "good"), flexible=True),
)


def _part(name: str) -> Part:
    return Part(
        name,
        partial(_data, name),
        partial(_rows, name),
        partial(_tables, name),
        partial(_line, name),
    )


PARAMS, CONFIG = _part("params"), _part("config")

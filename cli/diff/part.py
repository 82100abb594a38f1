"""What `diff` shows of each section: data, rows, tables and a line of the summary."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from lineage.cli.render import Column, Record, Section
from lineage.cli.text import inline

if TYPE_CHECKING:
    from lineage.diff import Diff

STYLES = {"added": "good", "removed": "bad"}


def _value(value: object) -> str:
    return "-" if value is None else inline(value)


BY_PATH = (
    Column("path", lambda r: r["path"], flexible=True),
    Column("old", lambda r: (_value(r["a"]), "bad"), flexible=True),
    Column("new", lambda r: (_value(r["b"]), "good"), flexible=True),
)


class Part(NamedTuple):
    """How one section is shown.

    `data` is its value in JSON. `rows` are its lines in CSV: path, change, a, b, delta,
    better and verdict, as far as they apply. `tables` are what people see, made with
    `first_rows`, with at most so many rows each. `line` is its line of the summary, or
    several with line feeds between them, such as one for each part of a generation;
    it is empty when there is nothing to say.
    """

    name: str
    data: Callable[["Diff"], Any]
    rows: Callable[["Diff"], Iterator[Record]]
    tables: Callable[["Diff", int], Iterator[Section]]
    line: Callable[["Diff"], str]


def changed(record: Mapping[str, Any]) -> Record:
    """A row with its `change` named after the side that it is missing on."""
    sides = record["a"] is not None, record["b"] is not None
    what = {(False, True): "added", (True, False): "removed"}
    return {"change": what.get(sides, "changed"), **record}

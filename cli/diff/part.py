"""What `diff` shows of each section: data, rows, tables and a line of the summary."""

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from lineage.cli.render import Record, Section

if TYPE_CHECKING:
    from lineage.diff import Diff


class Part(NamedTuple):
    """How one section is shown.

    `data` is its value in JSON. `rows` are its lines in CSV: path, change, a, b, delta
    and better, as far as they apply. `tables` are what people see, with at most so
    many rows each (None: all). `line` is its line of the summary, empty when there is
    nothing to say.
    """

    name: str
    data: Callable[["Diff"], Any]
    rows: Callable[["Diff"], Iterator[Record]]
    tables: Callable[["Diff", int | None], Iterator[Section]]
    line: Callable[["Diff"], str]


def changed(record: Mapping[str, Any]) -> Record:
    """A row with its `change` named after the side that it is missing on."""
    sides = record["a"] is not None, record["b"] is not None
    what = {(False, True): "added", (True, False): "removed"}
    return {"change": what.get(sides, "changed"), **record}

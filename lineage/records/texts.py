"""The text of a record: a column that is asked for, `text`, or the only one that is."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from lineage.errors import UsageError
from lineage.records import Row
from lineage.records.values import texts as parts

TEXT = "text"
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
)
WORD = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+")
"""A word; a character in scripts that put no blanks between words."""


def texts(
    rows: Iterable[Row], column: str | None = None, *, any_: bool = False
) -> Iterator[tuple[Row, str]]:
    """The rows, each with its text.

    Without `column` it is `text`, or the only column of the first record that holds
    text. Of a column that holds more than text, such as the turns of a chat, all that
    is said in it, a line each.

    Args:
        rows: of one dataset.
        column: which column holds the text.
        any_: where no column can be chosen, take all that hold text.

    Raises:
        UsageError: when no column can be chosen; names those that there are.
    """
    chosen: list[str] | None = None
    for row in rows:
        if chosen is None:
            chosen = _chosen(row.data, column, any_=any_)
        values = [row.data.get(name) for name in chosen]
        yield row, "\n".join(said for value in values for said in parts(value))


def _chosen(data: dict[str, Any], column: str | None, *, any_: bool) -> list[str]:
    if column in data:
        return [column]
    if column and not any_:
        raise _unknown(f"there is no column {column!r}", data)
    holding = [name for name, value in data.items() if isinstance(value, str)]
    if isinstance(data.get(TEXT), str):
        return [TEXT]
    if any_ or len(holding) == 1:
        return holding or [*data]
    what = "several columns hold" if holding else "no column holds"
    raise _unknown(f"{what} text", data)


def _unknown(message: str, data: dict[str, Any]) -> UsageError:
    hint = f"choose one with --column: {', '.join(data)}"
    return UsageError(message, hint=hint)

"""Tables that gates are given: CSV with a head, or JSONL, by the file's name."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from lineage.errors import UsageError
from lineage.loop.records.jsonl import json_lines

if TYPE_CHECKING:
    from pathlib import Path

Row = dict[str, Any]


def parse_rows(content: bytes, path: Path) -> list[Row]:
    """The rows of a `.csv` or `.jsonl` file, each a mapping.

    Raises:
        UsageError: it is neither, has no row, or a line of it is something else.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        message = f"{path} is not UTF-8 text"
        raise UsageError(message, hint="save the file as UTF-8") from None
    is_csv = path.suffix.lower() == ".csv"
    rows = _csv(text, path) if is_csv else _jsonl(content, path)
    if not rows:
        raise UsageError(f"{path} has no row")
    return rows


def _csv(text: str, path: Path) -> list[Row]:
    try:
        return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise UsageError(f"{path} is not CSV: {error}") from None


def _jsonl(content: bytes, path: Path) -> list[Row]:
    try:
        rows = list(json_lines(content))
    except ValueError as error:
        raise UsageError(f"{path}: {error}") from None
    for number, row in rows:
        if not isinstance(row, dict):
            raise UsageError(f"{path}: line {number} is not a mapping in JSON")
    return [row for _, row in rows]

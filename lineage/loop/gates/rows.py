"""Tables that gates are given: CSV with a head, or JSONL, by the file's name."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

from lineage.errors import UsageError

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
    rows = _csv(text, path) if path.suffix.lower() == ".csv" else _jsonl(text, path)
    if not rows:
        raise UsageError(f"{path} has no row")
    return rows


def _csv(text: str, path: Path) -> list[Row]:
    try:
        return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise UsageError(f"{path} is not CSV: {error}") from None


def _jsonl(text: str, path: Path) -> list[Row]:
    rows = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        if not isinstance(row, dict):
            raise UsageError(f"{path}: line {number} is not a mapping in JSON")
        rows.append(row)
    return rows

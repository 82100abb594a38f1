"""JSONL that people give a loop: prompts, rows for gates, answers, evaluation sets."""

import json
from codecs import BOM_UTF8
from collections.abc import Iterator
from typing import Any


def json_lines(content: bytes) -> Iterator[tuple[int, Any]]:
    """The number of each line and what it holds; blank ones are left out.

    Raises:
        ValueError: names the line that is not JSON in UTF-8.
    """
    for number, line in enumerate(content.removeprefix(BOM_UTF8).split(b"\n"), 1):
        if line.strip():
            try:
                value = json.loads(line.decode())
            except (ValueError, RecursionError):
                raise ValueError(f"line {number} is not JSON") from None
            yield number, value

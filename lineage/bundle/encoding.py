"""The report's JSON with every number and text written as manifests have them.

So what was recorded stands in it byte for byte, and a shell can compare both.
"""

import json
from collections.abc import Iterator
from typing import Any

from lineage.store.canonical import canonical


def encode(text: str) -> bytes:
    """The same document: names in its own order, each item of a list on its line."""
    return f"{{{','.join(_members(json.loads(text)))}}}\n".encode()


def _members(data: dict[str, Any]) -> Iterator[str]:
    for name, value in data.items():
        lines = isinstance(value, list) and value
        shown = (
            ",\n".join(map(_text, value)).join(("[\n", "]")) if lines else _text(value)
        )
        yield f"\n{_text(name)}:{shown}"


def _text(value: Any) -> str:
    if isinstance(value, dict):
        pairs = (f"{_text(key)}:{_text(item)}" for key, item in value.items())
        return f"{{{','.join(pairs)}}}"
    if isinstance(value, list):
        return f"[{','.join(map(_text, value))}]"
    return canonical(value).decode()

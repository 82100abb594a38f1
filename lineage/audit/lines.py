"""JSON for programs that a person can page through, fast for large documents."""

import json
from collections.abc import Mapping
from typing import Any

_text = json.JSONEncoder(allow_nan=False).encode


def lines(whole: Mapping[str, Any]) -> bytes:
    """JSON in ASCII: each member on a line, each item of a list or mapping too."""
    members = (f"{_text(name)}: {_items(value)}" for name, value in whole.items())
    return ("{" + ",\n".join(members) + "}\n").encode()


def _items(value: Any) -> str:
    if isinstance(value, list):
        return "[\n" + ",\n".join(map(_text, value)) + "]"
    if isinstance(value, Mapping):
        items = (f"{_text(name)}: {_text(item)}" for name, item in value.items())
        return "{\n" + ",\n".join(items) + "}"
    return _text(value)

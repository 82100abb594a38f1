"""Settings by dotted path, with their types: what differs between two documents.

A number is the same however it is written (1, 1.0, 1e0); true is not 1, "1" is not
1, and null is not a setting that is missing. What JSON does not know (dates,
infinities, bytes) is compared as text.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

_MISSING = object()


@dataclass(frozen=True)
class Change:
    """A setting by its path; `a` or `b` is None where it is missing.

    `change` is ``added``, ``removed`` or ``changed``: a setting can be null, too.
    """

    path: str
    a: Any
    b: Any
    change: str = "changed"


def changes(prefix: str, old: object, new: object) -> Iterator[Change]:
    """What differs between two documents, by path; `prefix` goes before each."""
    before, after = dict(flat(old)), dict(flat(new))
    for path in sorted({*before, *after}):
        a, b = before.get(path, _MISSING), after.get(path, _MISSING)
        if a is _MISSING:
            yield Change(prefix + path, None, b, "added")
        elif b is _MISSING:
            yield Change(prefix + path, a, None, "removed")
        elif not same(a, b):
            yield Change(prefix + path, a, b)


def same(a: object, b: object) -> bool:
    """Whether two leaves are one value of one type; all numbers are one type."""
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    return isinstance(a, bool) == isinstance(b, bool) and a == b


def fingerprint(document: object) -> str:
    """Text that two documents have in common exactly if they have no changes."""
    plain = {path: _one_type(leaf) for path, leaf in flat(document)}
    return json.dumps(plain, sort_keys=True)


def _one_type(leaf: Any) -> Any:
    if isinstance(leaf, list):
        return [_one_type(item) for item in leaf]
    whole = isinstance(leaf, float) and leaf.is_integer()
    return int(leaf) if whole else leaf


def flat(value: object, path: str = "") -> Iterator[tuple[str, Any]]:
    """Leaves by dotted path; a list is a leaf unless it holds mappings."""
    if isinstance(value, Mapping) and value:
        for key, item in value.items():
            yield from flat(item, f"{path}.{_key(key)}" if path else _key(key))
    elif isinstance(value, list) and _holds_mappings(value):
        for index, item in enumerate(value):
            yield from flat(item, f"{path}.{index}" if path else str(index))
    elif value != {} or path:
        yield path, _leaf(value)


def _holds_mappings(value: object) -> bool:
    if isinstance(value, list):
        return any(map(_holds_mappings, value))
    return isinstance(value, Mapping)


def _key(key: object) -> str:
    """A key, in quotes where a dotted path could not hold it."""
    text = _printable(str(key))
    return json.dumps(text, ensure_ascii=False) if "." in text or not text else text


def _leaf(value: Any) -> Any:
    """A value as JSON has it; dates, infinities and the like become text."""
    if isinstance(value, list):
        return [_leaf(item) for item in value]
    if value is None or value == {} or isinstance(value, int):
        return value
    if isinstance(value, float) and isfinite(value):
        return value
    return _printable(str(value))


def _printable(text: str) -> str:
    """`text` without lone surrogates, which JSON escapes can bring in."""
    return text.encode(errors="backslashreplace").decode()

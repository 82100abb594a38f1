"""Comparing values of JSON, and looking for one inside another."""

import json
from collections.abc import Iterator, Mapping
from typing import Any


def read(data: bytes) -> Any:
    """A JSON document; ValueError if an object has a name twice.

    Readers differ in which of the two they take.
    """
    return json.loads(data, object_pairs_hook=_once)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"it says {json.dumps(name)} twice in one place")
        found[name] = value
    return found


def same(one: object, other: object) -> bool:
    """Whether two values are the same JSON; True is not 1, and 1.0 is 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    return one == other


def occurs(value: object, inside: object) -> bool:
    """Whether a value is one of those that another is made of."""
    return any(same(value, part) for part in _parts(inside))


def _parts(value: object) -> Iterator[object]:
    waiting = [value]
    while waiting:
        part = waiting.pop()
        yield part
        if isinstance(part, dict):
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part


def objects(value: object, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object in a document, with the way to it."""
    waiting: list[tuple[str, object]] = [(path, value)]
    while waiting:
        where, part = waiting.pop()
        if isinstance(part, dict):
            yield where, part
            waiting += [(f"{where}.{key}".lstrip("."), v) for key, v in part.items()]
        elif isinstance(part, list):
            waiting += [(f"{where}[{number}]", v) for number, v in enumerate(part)]


def mapping(value: object) -> dict[str, Any]:
    """An object, empty where something else stands."""
    return value if isinstance(value, dict) else {}


def items(value: object) -> list[dict[str, Any]]:
    """The objects in a list, none where something else stands."""
    return [mapping(one) for one in value] if isinstance(value, list) else []


def without_nothing(value: Mapping[str, Any]) -> dict[str, Any]:
    """The members that are not null."""
    return {key: item for key, item in value.items() if item is not None}

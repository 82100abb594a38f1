"""Canonical JSON: the bytes that ids are made of (RFC 8785).

One value has one encoding: keys sorted by UTF-16 code units, no spaces,
shortest round-trip numbers, UTF-8. NaN and infinities have none and are
refused. Integers beyond 2**53 - 1, which JSON readers round, become strings.
"""

import json
import math
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, TypeAlias

from lineage.errors import UsageError

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

SAFE_INTEGER = 2**53 - 1


def normalise(value: object, where: str = "value") -> Json:
    """Turn `value` into plain JSON data, or say which part of it has no JSON form.

    Raises:
        UsageError: for NaN, infinities, non-string keys, lone surrogates and
            types that JSON does not have. `where` names the place.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value) if abs(value) <= SAFE_INTEGER else str(value)
    if isinstance(value, float):
        if not math.isfinite(value):
            message = f"{where} is {value}, which has no place in a manifest"
            raise UsageError(message, hint="give a finite number or leave it out")
        return float(value)
    if isinstance(value, str):
        return _text(value, where)
    if isinstance(value, list | tuple):
        return [normalise(item, f"{where}[{i}]") for i, item in enumerate(value)]
    if isinstance(value, Mapping):
        return {_key(k, where): normalise(v, f"{where}.{k}") for k, v in value.items()}
    raise UsageError(f"{where} is a {type(value).__name__}, which JSON does not have")


def _key(key: object, where: str) -> str:
    if not isinstance(key, str):
        raise UsageError(f"{where} has the key {key!r}, which is not a string")
    return _text(key, where)


def _text(value: str, where: str) -> str:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise UsageError(f"{where} is not valid Unicode text") from None
    return value


def canonical(value: Json) -> bytes:
    """Encode plain JSON data (what `normalise` returns) canonically."""
    import rfc8785

    return rfc8785.dumps(value)


def digest(data: bytes) -> str:
    """SHA-256 of `data`, 64 hexadecimal digits."""
    return sha256(data).hexdigest()


def pretty(value: Json, indent: str = "") -> str:
    """Canonical JSON over several lines, which is YAML 1.2 as well."""
    if not isinstance(value, dict) or not value:
        return canonical(value).decode()
    inner = indent + "  "
    ordered = json.loads(canonical(value))
    lines = (
        f"{inner}{canonical(key).decode()}: {pretty(item, inner)}"
        for key, item in ordered.items()
    )
    return "{\n" + ",\n".join(lines) + f"\n{indent}}}"


def parse(data: bytes, what: str) -> Any:
    """Decode JSON, refusing what `canonical` never writes."""
    try:
        return json.loads(data, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{what} is not JSON: {error}") from None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a JSON number")

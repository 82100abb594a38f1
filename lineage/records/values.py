"""When two records are the same: the SHA-256 of their canonical JSON (RFC 8785)."""

import math
from collections.abc import Iterator, Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from typing import Any

from lineage.store.canonical import canonical, digest, normalise


def identity(data: Mapping[str, Any], where: str = "the record") -> str:
    """The identity of a record: 64 hexadecimal digits.

    Raises:
        UsageError: when it holds what JSON does not have; `where` names it.
    """
    return digest(canonical_record(data, where))


def canonical_record(data: Mapping[str, Any], where: str = "the record") -> bytes:
    """The bytes that an identity is made of.

    What JSON does not have, and tables do, is written as text: integers beyond
    2**53 - 1 and decimals in digits, "NaN", "Infinity" and "-Infinity", dates and
    times in ISO 8601, a duration in seconds, bytes in hexadecimal digits.

    Raises:
        UsageError: when it holds something else; `where` names it.
    """
    try:
        return canonical(dict(data))
    except (TypeError, ValueError):  # rare enough to be looked at twice
        return canonical(normalise(_plain(data), where))


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return _scalar(value)


def _scalar(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else f"{'-' * (value < 0)}Infinity"
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(Decimal(value // timedelta(microseconds=1)) / 10**6)
    return str(value) if isinstance(value, Decimal) else value


def texts(value: Any) -> Iterator[str]:
    """All text in a value, at whatever depth; not the names of fields."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from texts(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from texts(item)


def has(value: Any, piece: str, *, whole: bool) -> bool:
    """Whether a text in a value is `piece` (`whole`), or has it in it."""
    return any(piece == text if whole else piece in text for text in texts(value))

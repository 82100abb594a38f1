"""Canonical JSON: the bytes that ids are made of (RFC 8785).

One value has one encoding: keys sorted by UTF-16 code units, no spaces,
shortest round-trip numbers, UTF-8. NaN and infinities have none and are
refused. Integers beyond 2**53 - 1, which JSON readers round, become strings.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import sha256
from typing import Any, TypeAlias

from lineage.errors import UsageError, VerificationError

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

SAFE_INTEGER = 2**53 - 1
_BROKEN = (  # what reading broken bytes raises
    *(AttributeError, LookupError, RecursionError, TypeError, ValueError),
    UsageError,
)
_encoded = json.JSONEncoder(
    allow_nan=False, ensure_ascii=False, sort_keys=True, separators=(",", ":")
).encode
_OTHER_NUMBER = re.compile(rb"[:,\[]-?([0-9.]*([0-9]e|\.0[,\]}])|[0-9]{16})")
_ABOVE = re.compile(rb"[\xee-\xff]")  # U+E000 and more, in UTF-8
_NOT_IN_YAML = re.compile("[\u007f-\u009f\ufffe\uffff]")


def normalise(value: object, where: str = "value") -> Json:
    """Turn `value` into plain JSON data, or say which part of it has no JSON form.

    Raises:
        UsageError: for NaN, infinities, non-string keys, lone surrogates, endless
            nesting and types that JSON does not have. `where` names the place.
    """
    try:
        return _plain(value, where)
    except RecursionError:
        raise UsageError(f"{where} is nested too deeply") from None


def _plain(value: object, where: str) -> Json:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return int(value) if abs(value) <= SAFE_INTEGER else _digits(value, where)
    if isinstance(value, float):
        if not math.isfinite(value):
            message = f"{where} is {value}, which has no place in a manifest"
            raise UsageError(message, hint="give a finite number or leave it out")
        return float(value)
    if isinstance(value, str):
        return _text(value, where)
    if isinstance(value, list | tuple):
        return [_plain(item, f"{where}[{i}]") for i, item in enumerate(value)]
    if isinstance(value, Mapping):
        return {_key(k, where): _plain(v, f"{where}.{k}") for k, v in value.items()}
    raise UsageError(f"{where} is a {type(value).__name__}, which JSON does not have")


def _digits(value: int, where: str) -> str:
    try:
        return str(value)
    except ValueError:  # Python writes no more than 4,300
        raise UsageError(f"{where} is an integer of too many digits") from None


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
    with suppress(TypeError, ValueError):
        quick = _encoded(value).encode()
        if _as_rfc8785(quick):
            return quick
    import rfc8785

    return rfc8785.dumps(value)


def digest(data: bytes) -> str:
    """SHA-256 of `data`, 64 hexadecimal digits."""
    return sha256(data).hexdigest()


def pretty(value: Json, indent: str = "") -> str:
    """Canonical JSON over several lines, which is YAML 1.2 as well.

    The few characters that YAML does not take as they are become escapes.
    """
    if not isinstance(value, dict) or not value:
        text = canonical(value).decode()
        return _NOT_IN_YAML.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
    inner = indent + "  "
    ordered = sorted(value.items(), key=lambda item: item[0].encode("utf-16be"))
    lines = (f"{inner}{pretty(key)}: {pretty(item, inner)}" for key, item in ordered)
    return "{\n" + ",\n".join(lines) + f"\n{indent}}}"


def parse(data: bytes, what: str) -> Any:
    """Decode what `canonical` wrote.

    Integers that it writes for floats only (1e20 is ``100000000000000000000``)
    come back as floats.

    Raises:
        VerificationError: when `data` is not JSON, or not in its canonical form.
    """
    with malformed(what):
        value = json.loads(
            data, parse_int=_number, parse_float=_finite, parse_constant=_finite
        )
        if _is_plain(data, value) or canonical(value) == data:
            return value
    raise VerificationError(f"{what} is not in its canonical form")


def _is_plain(data: bytes, value: Any) -> bool:
    """Whether json, which is ten times as fast, shows that `data` is canonical."""
    return _as_rfc8785(data) and bool(_encoded(value).encode() == data)


def _as_rfc8785(data: bytes) -> bool:
    """Whether bytes that json wrote are those of RFC 8785 too.

    Below U+E000 it sorts and escapes alike, and writes the same numbers, but for
    those with an exponent, floats that are whole, and integers that are too large.
    """
    plain = data.startswith(b"{") and (data.isascii() or not _ABOVE.search(data))
    return plain and not _OTHER_NUMBER.search(data)


@contextmanager
def malformed(what: str) -> Iterator[None]:
    """Turn whatever goes wrong while reading `what` into one VerificationError."""
    try:
        yield
    except _BROKEN as error:
        raise VerificationError(f"{what} is malformed: {error}") from None


def _number(digits: str) -> int | float:
    value = int(digits)
    return value if abs(value) <= SAFE_INTEGER else _finite(digits)


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is not a JSON number")
    return value

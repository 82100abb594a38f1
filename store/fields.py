"""Fields of the format's values: which there are, and what may stand in them."""

from collections.abc import Iterable, Mapping
from typing import Any

from lineage.errors import UsageError


def choice(value: str, among: Iterable[str], what: str) -> str:
    """`value`, which has to be one of `among`."""
    if value not in among:
        hint = "one of: " + ", ".join(among)
        raise UsageError(f"{value!r} is not {what}", hint=hint)
    return value


def given(**fields: Any) -> dict[str, Any]:
    """The fields that are not None: absent is never written as null."""
    return {key: value for key, value in fields.items() if value is not None}


def known_fields(cls: type, data: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that `cls` has; newer ones stay in the bytes that were read."""
    return {key: data[key] for key in cls.__match_args__ if key in data}  # type: ignore[attr-defined]

"""A spec's mistakes as one clear sentence each, with the nearest valid name."""

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from typing import NoReturn

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import PydanticCustomError

# pydantic's own wording speaks of Python types; loop.yaml is read by people.
_WORDS = {
    "missing": "is missing",
    "int_type": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "finite_number": "must be a finite number",
    "string_type": "must be text",
    "bool_type": "must be true or false",
    "list_type": "must be a list",
    "dict_type": "must be a mapping",
    "model_type": "must be a mapping",
    "model_attributes_type": "must be a mapping",
    "string_too_short": "must not be empty",
    "too_short": "must not be empty",
    "greater_than": "must be greater than {gt}",
    "greater_than_equal": "must be at least {ge}",
    "less_than": "must be less than {lt}",
    "less_than_equal": "must be at most {le}",
    "literal_error": "must be {expected}",
}
_NO_VALUE = ("missing", "string_too_short", "too_short")


class Section(BaseModel):
    """A part of loop.yaml: immutable, strictly typed, no unknown keys."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, allow_inf_nan=False
    )

    @model_validator(mode="before")
    @classmethod
    def _known_keys(cls, value: object) -> object:
        if isinstance(value, Mapping):
            check_keys(value, cls.model_fields)
        return value


def refuse(what: str, key: str = "") -> NoReturn:
    """Fail a validation with our own words about the section, or one key of it."""
    context = {"what": what, "key": key}
    raise PydanticCustomError("refused", "{what}", context)


def check_keys(given: Iterable[object], known: Iterable[str]) -> None:
    """Refuse the first key that nobody reads, naming the nearest one that is."""
    valid = set(known)
    for key in given:
        if key not in valid:
            refuse("unknown" + nearest(str(key), valid), str(key))


def nearest(name: str, valid: Iterable[str]) -> str:
    """`; did you mean x?`, or the whole list where it is short, or nothing."""
    names = sorted(valid)
    close = get_close_matches(name, names, n=1, cutoff=0.6)
    if close:
        return f"; did you mean {close[0]}?"
    return f"; known are {', '.join(names)}" if len(names) <= 12 else ""


def sentence(error: ValidationError) -> str:
    """The first mistake of a failed validation: `section.key: what is wrong`."""
    first = error.errors(include_url=False)[0]
    where = _place(first["loc"], first.get("ctx", {}).get("key", ""))
    what = first_mistake(error)
    return f"{where}: {what}" if where else what


def mistake(error: ValidationError) -> tuple[str, str]:
    """What is wrong in a section that was checked by itself, and at which key."""
    first = error.errors(include_url=False)[0]
    key = first.get("ctx", {}).get("key", "")
    return first_mistake(error), _place(first["loc"], key)


def _place(parts: tuple[int | str, ...], key: str) -> str:
    words = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in parts)
    return (f"{words}.{key}" if key else words).lstrip(".")


def first_mistake(error: ValidationError) -> str:
    """What is wrong, without the place."""
    first = error.errors(include_url=False)[0]
    kind = first["type"]
    if kind not in _WORDS:
        return first["msg"]
    words = _WORDS[kind].format(**first.get("ctx", {}))
    return words if kind in _NO_VALUE else f"{words}, not {shown(first['input'])}"


def endings_of_text(value: object, place: str = "") -> Iterator[str]:
    """Where a text has a NUL, with which the system ends names and paths."""
    if isinstance(value, str) and "\0" in value:
        yield place
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from endings_of_text(key, place or "a key")
            yield from endings_of_text(each, f"{place}.{key}" if place else str(key))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from endings_of_text(each, f"{place}[{number}]")


def shown(value: object) -> str:
    """A value as it stands in YAML or JSON, cut short."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"

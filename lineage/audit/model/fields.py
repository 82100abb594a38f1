"""A value and how the report comes to know it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from typing import Generic, Literal, TypeVar

from lineage.audit.signatures import Signature
from lineage.store.canonical import Json

T = TypeVar("T")
Status = Literal["recorded", "stated", "not provided"]
STATUSES: tuple[Status, ...] = ("recorded", "stated", "not provided")


@dataclass(frozen=True, slots=True)
class Field(Generic[T]):
    """One value and how the report comes to know it.

    What is stated in an event has the `signature` of that event.
    """

    status: Status
    value: T | None = None
    commit: str | None = None
    event: str | None = None
    by: str | None = None
    time: str | None = None
    signature: Signature | None = None


@cache
def names_of(class_: type) -> tuple[str, ...]:
    """The fields of a dataclass, by name."""
    return tuple(field.name for field in fields(class_))


NOT_PROVIDED: Field[Json] = Field("not provided")


def all_fields(value: object) -> Iterator[Field[object]]:
    """Every field in a value, however deep."""
    if isinstance(value, Field):
        yield value
    elif is_dataclass(value):
        for name in names_of(value.__class__):
            yield from all_fields(getattr(value, name))
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from all_fields(item)
    elif isinstance(value, tuple):
        for item in value:
            yield from all_fields(item)

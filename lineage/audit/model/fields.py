"""A value and how the report comes to know it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from typing import Generic, Literal, TypeVar

from lineage.keys.signatures import Signature
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
_LEAVES = frozenset({str, int, float, bool, type(None)})


def all_fields(value: object) -> Iterator[Field[object]]:
    """Every field in a value, however deep."""
    ahead = [value]
    while ahead:
        one = ahead.pop()
        if isinstance(one, Field):
            yield one
            continue
        held = [item for item in _held(one) if item.__class__ not in _LEAVES]
        ahead += reversed(held)


def _held(value: object) -> Iterable[object]:
    """What a value is made of; nothing for what is none of the model's shapes."""
    if isinstance(value, tuple):
        return value
    if isinstance(value, Mapping):
        return value.values()
    if is_dataclass(value):
        return [getattr(value, name) for name in names_of(value.__class__)]
    return ()

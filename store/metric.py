"""A measured number, with what it takes to compare it with another."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from lineage.errors import UsageError
from lineage.store.canonical import SAFE_INTEGER, Json
from lineage.store.fields import choice, given, known_fields

DIRECTIONS = ("higher", "lower")


@dataclass(frozen=True, slots=True)
class Metric:
    """A number with what it needs to be compared: definition, version, direction.

    `direction` says which way is better ("higher", "lower" or None: neither);
    `n` is the sample size; `interval` is a confidence interval [low, high].
    """

    value: float
    definition: str | None = None
    version: int | None = None
    direction: str | None = None
    n: int | None = None
    interval: list[float] | None = None

    def __post_init__(self) -> None:
        _check_number(self.value, "a metric")
        if self.direction is not None:
            choice(self.direction, DIRECTIONS, "a direction")
        if not isinstance(self.definition, str | None):
            raise UsageError(f"a definition is a name, not {self.definition!r}")
        _check_count(self.n, "a sample size")
        _check_count(self.version, "a version")
        if self.interval is not None:
            _check_interval(self.interval)

    def comparable(self, other: "Metric") -> bool:
        """Whether the two values measure the same thing."""
        return (self.definition, self.version) == (other.definition, other.version)

    def to_json(self) -> dict[str, Json]:
        return given(
            value=self.value,
            definition=self.definition,
            version=self.version,
            direction=self.direction,
            n=self.n,
            interval=self.interval,
        )

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        return cls(**known_fields(cls, data))

    @classmethod
    def from_user(cls, data: object) -> Self:
        """A metric as a person gives it: a number, or a mapping with known fields."""
        if isinstance(data, cls):
            return data
        if not isinstance(data, Mapping):
            return cls(data)  # type: ignore[arg-type]  # __post_init__ checks it
        unknown = set(data) - set(cls.__slots__)
        if unknown or "value" not in data:
            wrong = f"the unknown field {min(unknown)!r}" if unknown else "no value"
            hint = "fields: " + ", ".join(cls.__slots__)
            raise UsageError(f"a metric has {wrong}", hint=hint)
        return cls(**data)


def _check_number(value: object, what: str) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise UsageError(f"{what} is a number, not {value!r}")
    if isinstance(value, int) and abs(value) > SAFE_INTEGER:
        hint = "give it as a decimal number, such as 1e18"
        raise UsageError(f"{what} of {value} is too large for an integer", hint=hint)


def _check_count(value: object, what: str) -> None:
    if value is not None and (type(value) is not int or not 0 <= value <= SAFE_INTEGER):
        raise UsageError(f"{what} is a count, not {value!r}")


def _check_interval(interval: object) -> None:
    match interval:
        case [int() | float() as low, int() | float() as high] if low <= high:
            _check_number(low, "an interval's end")
            _check_number(high, "an interval's end")
            return
    raise UsageError(f"the interval {interval!r} is not a pair low, high")

"""Numbers, sizes, shares and counts as people read them: in a terminal, on a page."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from fractions import Fraction
    from typing import TypeGuard

_UNITS = ("B", "kB", "MB", "GB", "TB", "PB")
_LEAST = 1e-5  # a share that still has digits of its own
_ENDS = ("min", "max")  # what a gate's value is held to
_ALL = 17  # digits that tell any two numbers apart


def number(value: float, digits: int = 4) -> str:
    """A number with so many significant digits; whole ones in full."""
    if isinstance(value, int):
        return f"{value:,}"
    if value == 0 or 1e-4 <= abs(value) < 10**digits:
        return f"{value:,.{digits}g}"
    whole = 10**digits <= abs(value) < 1e15
    return f"{value:,.0f}" if whole else f"{value:.{digits - 1}e}"


def change(value: float) -> str:
    """A difference, always with its sign."""
    return f"+{number(value)}" if value > 0 else number(value)


def apart(
    say: "Callable[[float, int], str]", digits: int, value: float, *bounds: float
) -> list[str]:
    """A value and what it is compared with, in the digits that tell it from them."""
    for more in range(digits, _ALL + 1):
        shown, *ends = (say(each, more) for each in (value, *bounds))
        pairs = zip(bounds, ends, strict=True)
        if all(end != shown or bound == value for bound, end in pairs):
            break
    return [shown, *ends]


def is_number(value: object) -> "TypeGuard[float]":
    """Whether a JSON value is a number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def against(
    value: float, limits: "Mapping[str, object]", digits: int = 4
) -> tuple[str, dict[str, str]]:
    """A number, and the `min` and `max` it was held to, in digits that tell them."""
    ends = {end: limit for end in _ENDS if is_number(limit := limits.get(end))}
    shown, *said = apart(number, digits, value, *ends.values())
    return shown, dict(zip(ends, said, strict=True))


def fixed(value: float, digits: int) -> str:
    """A number with so many digits after the point."""
    return f"{value:.{digits}f}"


def general(value: float, digits: int) -> str:
    """A number with so many significant digits, and no zero that says nothing."""
    return f"{value:.{digits}g}"


def in_percent(value: float, digits: int) -> str:
    """A share in percent with so many digits after the point: 33.3 %."""
    return f"{100 * value:.{digits}f} %"


def size(count: int) -> str:
    """A number of bytes in decimal units, as disks are sold: 12.3 MB."""
    scaled, unit = float(count), 0
    while scaled >= 999.5 and unit < len(_UNITS) - 1:
        scaled, unit = scaled / 1000, unit + 1
    return f"{scaled:.3g} {_UNITS[unit]}"


def plural(count: int, what: str, many: str | None = None) -> str:
    """A count of something: 1 file, 2 files; `many` where an s is not enough."""
    return f"{count:,} {what if count == 1 else many or f'{what}s'}"


def spaced(name: str) -> str:
    """A role, a type or another name of ours in words: ``trained on``."""
    return name.replace("_", " ")


def listed(names: Iterable[str]) -> str:
    """Names as a sentence has them: a, b and c."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def percent(share: "float | Fraction") -> str:
    """A share with three digits: 33.3 %. Only all of it is 100 %."""
    if 0 < share < _LEAST:
        return f"< {100 * _LEAST:.3g} %"
    scaled = float(100 * share)
    shown = f"{scaled:.3g} %" if scaled < 999.5 else f"{scaled:,.0f} %"
    return "> 99.9 %" if shown == "100 %" and share < 1 else shown


def between(low: "float | Fraction", high: "float | Fraction") -> str:
    """A share, or the range that it lies in: 0 to 50 %."""
    if low == high:
        return percent(low)
    return f"{percent(low).removesuffix(' %')} to {percent(high)}"

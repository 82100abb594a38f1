"""Numbers, sizes, shares and counts, as people read them everywhere."""

from __future__ import annotations

from fractions import Fraction

import pytest

from lineage.wording import (
    apart,
    between,
    change,
    fixed,
    in_percent,
    number,
    percent,
    plural,
    size,
)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0"), (1234567, "1,234,567"), (0.0, "0"), (21.9, "21.9"), (2 / 3, "0.6667"),
        (0.00012, "0.00012"), (0.0000123, "1.230e-05"), (1234.5, "1,234"),
        (12345.6, "12,346"), (1e20, "1.000e+20"), (-0.5, "-0.5"),
    ],
)  # fmt: skip
def test_number(value: float, shown: str) -> None:
    """Whole numbers are shown in full, others with four significant digits."""
    assert number(value) == shown


def test_change_has_a_sign() -> None:
    """A difference says which way it went."""
    assert [change(value) for value in (2, -2, 0.5)] == ["+2", "-2", "+0.5"]


def test_apart() -> None:
    """What differs from a bound does not look like it, and what is equal does."""
    assert apart(fixed, 2, 0.7, 0.8, 1.5) == ["0.70", "0.80", "1.50"]
    assert apart(fixed, 2, 0.79996, 0.8) == ["0.79996", "0.80000"]
    assert apart(fixed, 2, 0.8, 0.8) == ["0.80", "0.80"]
    assert apart(number, 4, 1.25004, 1.25) == ["1.25004", "1.25"]
    assert len(set(apart(number, 4, 0.1 + 0.2, 0.3))) == 2


@pytest.mark.parametrize(
    ("count", "shown"),
    [
        (0, "0 B"), (999, "999 B"), (1000, "1 kB"), (12345, "12.3 kB"),
        (999_999, "1 MB"), (1_500_000_000, "1.5 GB"), (10**20, "1e+05 PB"),
    ],
)  # fmt: skip
def test_size(count: int, shown: str) -> None:
    """Bytes are counted in decimal units with three digits."""
    assert size(count) == shown


@pytest.mark.parametrize(
    ("share", "shown"),
    [
        (0, "0 %"), (Fraction(1, 3), "33.3 %"), (0.000004, "< 0.001 %"), (1, "100 %"),
        (0.99999, "> 99.9 %"), (Fraction(1, 2000), "0.05 %"), (12.345, "1,234 %"),
    ],
)  # fmt: skip
def test_percent(share: float | Fraction, shown: str) -> None:
    """A share has three digits, and what only comes near is neither none nor all."""
    assert percent(share) == shown


def test_in_percent() -> None:
    """A share with a fixed number of digits has the same sign, a space before it."""
    assert (in_percent(1 / 3, 1), in_percent(0.5, 0)) == ("33.3 %", "50 %")


def test_between_and_plural() -> None:
    """A range says its unit once; one of something has no s."""
    assert (between(0, 0.5), between(0.5, 0.5)) == ("0 to 50 %", "50 %")
    shown = plural(1, "gap"), plural(2000, "gap"), plural(2, "entry", "entries")
    assert shown == ("1 gap", "2,000 gaps", "2 entries")

"""Intervals: how far a number may be off by chance. Pure Python, the same anywhere."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

NORMAL_95 = 1.959963984540054  # two-sided 95 % point of the normal distribution


def wilson(count: int, n: int) -> list[float]:
    """The 95 % score interval of a share, `count` of `n`.

    Wilson 1927, J. Am. Stat. Assoc. 22:209. It stays inside 0 to 1, and says
    something where none or all count.
    """
    if not n:
        return [0.0, 1.0]
    square = NORMAL_95**2
    middle = (count + square / 2) / (n + square)
    half = NORMAL_95 / (n + square) * math.sqrt(count * (n - count) / n + square / 4)
    low = 0.0 if count == 0 else max(middle - half, 0.0)
    return [low, 1.0 if count == n else min(middle + half, 1.0)]


def mean_interval(values: Sequence[float]) -> tuple[float, list[float] | None]:
    """A mean and its 95 % interval by the normal approximation; one value has none."""
    n = len(values)
    mean = math.fsum(values) / n
    if n < 2:
        return mean, None
    half = NORMAL_95 * deviation(values) / math.sqrt(n)
    return mean, [mean - half, mean + half]


def deviation(values: Sequence[float]) -> float:
    """The standard deviation of a sample, from n - 1."""
    n = len(values)
    mean = math.fsum(values) / n
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1))


def tolerance_factor(n: int, coverage: float, confidence: float) -> float:
    """The k for which mean -+ k s of `n` values holds `coverage` of all others.

    It does in a share `confidence` of the samples, of normal values (Howe 1969,
    J. Am. Stat. Assoc. 64:610; NIST handbook 7.2.6.3)::

        k = z((1 + coverage) / 2) sqrt((n - 1) (1 + 1 / n) / chi2(1 - confidence))

    with chi2 the quantile at n - 1 degrees of freedom.
    """
    z = NormalDist().inv_cdf((1 + coverage) / 2)
    freedom = n - 1
    return z * math.sqrt(freedom * (1 + 1 / n) / _chi2(1 - confidence, freedom))


def _chi2(share: float, freedom: int) -> float:
    """The quantile of a chi-squared distribution."""
    most = freedom + 10 * math.sqrt(2 * freedom) + 50
    return _root(lambda x: _gamma(freedom / 2, x / 2) - share, 0.0, most)


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    """Where a rising function is 0, by bisection down to the last bit."""
    middle = (low + high) / 2
    while low < middle < high:
        low, high = (low, middle) if function(middle) > 0 else (middle, high)
        middle = (low + high) / 2
    return middle


def _gamma(a: float, x: float) -> float:
    """The regularised lower incomplete gamma function of x > 0, by its series.

    Abramowitz & Stegun 1964, 6.5.29.
    """
    term = total = math.exp(a * math.log(x) - x - math.lgamma(a + 1))
    while term > total * 1e-17:
        a += 1
        term *= x / a
        total += term
    return total

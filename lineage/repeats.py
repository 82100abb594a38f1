"""Several measurements of one thing, as one metric: their mean and how sure it is."""

import math
from collections.abc import Sequence

from lineage.errors import UsageError
from lineage.store.metric import Metric

LEVEL = 0.95  # of the interval
_DIGITS = 12  # significant; beyond, machines round differently


def repeated(values: Sequence[float]) -> Metric:
    """The mean of `values`, how many they are, and Student's interval around it.

    The interval covers the true mean 19 times in 20 if the values are independent
    and normally distributed: mean ± t(n - 1) s / √n (Student, 1908).

    Raises:
        UsageError: for fewer than two values, or one that is no number.
    """
    if len(values) < 2:
        raise UsageError("repeats are two values or more")
    for value in values:
        Metric.from_user(value)  # refuses what is no number
    n = len(values)
    mean = math.fsum(values) / n
    squares = math.fsum((value - mean) ** 2 for value in values)
    reach = _student(n - 1) * math.sqrt(squares / (n - 1) / n)
    low, high = _rounded(mean - reach), _rounded(mean + reach)
    return Metric(_rounded(mean), n=n, interval=[low, high])


def _rounded(value: float) -> float:
    return float(f"{value:.{_DIGITS}g}")


def _student(freedom: int) -> float:
    """What Student's t stays below, on either side, with the chance `LEVEL`."""
    low, high = 0.0, math.pi / 2
    while (middle := (low + high) / 2) not in (low, high):
        if _within(middle, freedom) < LEVEL:
            low = middle
        else:
            high = middle
    return math.sqrt(freedom) * math.tan(low)


def _within(angle: float, freedom: int) -> float:
    """The chance that |t| < √freedom · tan(angle).

    A finite sum for whole degrees of freedom: Abramowitz and Stegun, Handbook of
    Mathematical Functions (1964), 26.7.3 and 26.7.4.
    """
    sine, cosine = math.sin(angle), math.cos(angle)
    odd = freedom % 2
    term, total = (cosine if odd else 1.0), 0.0
    for k in range(odd + 1, freedom, 2):
        total += term
        term *= cosine * cosine * k / (k + 1)
    if odd:
        return 2 / math.pi * (angle + sine * total)
    return sine * total

"""Repeats of one measurement: against scipy."""

from __future__ import annotations

import math
from statistics import fmean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineage.errors import UsageError
from lineage.repeats import repeated

VALUES = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=60)


@settings(max_examples=100)
@given(VALUES)
def test_the_interval_is_that_of_students_t(values: list[float]) -> None:
    """Mean and 95 % interval are those that scipy gives, for any number of repeats."""
    made = repeated(values)
    from scipy import stats

    rounding = 1e-9 * max(map(abs, values)) + 1e-12
    assert made.n == len(values)
    assert made.value == pytest.approx(fmean(values), rel=1e-9, abs=rounding)
    assert made.interval
    error = stats.sem(values)
    reach = stats.t.ppf(0.975, len(values) - 1) * error
    for end, wanted in zip(made.interval, (-reach, reach), strict=True):
        whole = fmean(values) + wanted
        assert end == pytest.approx(whole, rel=1e-9, abs=rounding)


def test_equal_repeats_have_an_interval_of_no_width() -> None:
    """What came out the same each time is as sure as repeats can say."""
    made = repeated([0.1, 0.1, 0.1])
    assert (made.value, made.interval, made.n) == (0.1, [0.1, 0.1], 3)


@pytest.mark.parametrize("values", [[], [1.0], [1, "2"], [1, None], [True, False]])
def test_what_is_no_repeat_is_refused(values: list[float]) -> None:
    """One value is no repeat, and only numbers have a mean."""
    with pytest.raises(UsageError):
        repeated(values)


def test_many_repeats_have_the_normal_interval() -> None:
    """With many degrees of freedom Student's t is the normal distribution's 1.96."""
    values = [0.0, 1.0] * 2000
    made = repeated(values)
    assert made.interval
    half = (made.interval[1] - made.interval[0]) / 2
    assert half == pytest.approx(1.96 * 0.5 / math.sqrt(4000), rel=1e-3)

# ruff: noqa: TID253 - the judges of these numbers
"""How far distributions are apart: against scipy and by hand."""

from __future__ import annotations

import math
import sys
from fractions import Fraction
from itertools import accumulate, pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.stats import ks_2samp, wasserstein_distance

from lineage.diff.records.shifts import (
    jensen_shannon,
    kolmogorov_smirnov,
    mean,
    of_counts,
    wasserstein,
)
from lineage.diff.records.texts import measures, tokens

NUMBERS = st.lists(
    st.integers(-5, 5) | st.floats(-1e6, 1e6, allow_subnormal=False),
    min_size=1,
    max_size=30,
)
MOST = sys.float_info.max
ANY = st.lists(
    st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from([MOST, -MOST, MOST / 2, 5e-324, 0.0]),
    min_size=1,
    max_size=9,
)
COUNTS = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1).filter(
    lambda pairs: all(map(sum, zip(*pairs, strict=True)))
)


@given(COUNTS)
def test_js_is_the_square_of_scipys(pairs: list[tuple[int, int]]) -> None:
    """The divergence is the square of what scipy calls the distance, to base 2."""
    old, new = np.array(pairs, float).T

    assert jensen_shannon(old, new) == pytest.approx(
        jensenshannon(old, new, base=2) ** 2, abs=1e-9
    )


@pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of scipy, for its p-value
@given(NUMBERS, NUMBERS)
def test_ks_and_wasserstein_are_scipys(old: list[float], new: list[float]) -> None:
    """From the counts of each value comes what scipy has from the samples."""
    values = np.unique(np.array([*old, *new], float))
    a, b = (
        np.array([np.sum(np.array(side, float) == v) for v in values], float)
        for side in (old, new)
    )

    assert kolmogorov_smirnov(a, b) == pytest.approx(
        ks_2samp(old, new, method="asymp").statistic
    )
    assert wasserstein(values, a, b) == pytest.approx(
        wasserstein_distance(old, new), rel=1e-9, abs=1e-9
    )


@given(ANY, ANY)
@example([MOST], [-9.9792015476736e291])
@example([MOST, MOST / 2], [-MOST])
@example([MOST, MOST, math.nextafter(MOST, 0)], [MOST])
def test_every_finite_number_is_taken(old: list[float], new: list[float]) -> None:
    """Distance and mean are those of exact sums; a distance that is no double is none.

    A mean is never outside of what it is the mean of.
    """
    values = np.unique(np.array([*old, *new], float))
    a, b = (np.array([side.count(v) for v in values], float) for side in (old, new))
    exact = [Fraction(v) for v in values.tolist()]
    shares = [
        Fraction(old.count(v), len(old)) - Fraction(new.count(v), len(new))
        for v in values.tolist()
    ]
    far = Fraction(0)
    for (low, high), share in zip(pairwise(exact), accumulate(shares), strict=False):
        far += abs(share) * (high - low)
    found = wasserstein(values, a, b)
    middle = mean(values, a / a.sum())

    if found is None:
        assert far > Fraction(MOST) * Fraction(1 - 1e-9)
    else:
        assert abs(Fraction(found) - far) <= far / 10**9 + Fraction(MOST) / 2**999
    assert middle is not None
    assert min(values) <= middle <= max(values)
    size = max(map(abs, exact))
    off = Fraction(middle) - sum(map(Fraction, old), Fraction(0)) / len(old)
    assert abs(off) <= size / 10**12 + Fraction(5e-324) * 9


@pytest.mark.parametrize("wild", [math.inf, -math.inf, math.nan])
def test_what_is_not_finite_has_no_mean_or_distance(wild: float) -> None:
    """An infinity or a NaN among the values leaves nothing to say of either."""
    values = np.sort(np.array([1.0, wild]))

    assert mean(values, np.array([0.5, 0.5])) is None
    assert wasserstein(values, np.array([1.0, 0]), np.array([0, 1.0])) is None


def test_nothing_shared_is_one_bit() -> None:
    """Distributions without a common value are one apart, the same ones zero."""
    assert of_counts({"a": 3}, {"b": 1}) == 1.0
    assert of_counts({"a": 3, "b": 1}, {"a": 6, "b": 2}) == 0.0


def test_tokens_of_scripts_without_blanks() -> None:
    """A word where there are blanks, a character each where there are none."""
    assert tokens(["Größe größe, 日本語 กข"]) == {
        "grösse": 2, "日": 1, "本": 1, "語": 1, "ก": 1, "ข": 1,
    }  # fmt: skip


def test_measures_of_texts() -> None:
    """Each is what it says, by hand."""
    found = measures(["abababab", "жж"])

    assert found["bytes_per_character"] == 13 / 11
    assert found["distinct_5_grams"] == 2 / 4
    assert found["entropy"] == pytest.approx(
        -(
            8 / 11 * math.log2(4 / 11)
            + 2 / 11 * math.log2(2 / 11)
            + math.log2(1 / 11) / 11
        )
    )
    assert (found["script:latin"], found["script:cyrillic"]) == (0.8, 0.2)


def test_repetition_compresses() -> None:
    """What repeats itself compresses better and has fewer distinct n-grams."""
    dull, rich = (
        ["the same again. "] * 200,
        [f"{n * n * 7919} things" for n in range(200)],
    )
    a, b = measures(dull), measures(rich)

    assert a["compression"] > 4 * b["compression"]
    assert a["distinct_5_grams"] < b["distinct_5_grams"] / 4
    assert measures([]) == {}

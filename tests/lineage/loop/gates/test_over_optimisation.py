"""Over-optimisation: the reward rises while what it stands for falls."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

import pytest

from lineage.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.lineage.loop.gates.conftest import Bench

CODE = """
def score(record):
    return record["proxy"]

def verify_record(record):
    return record["right"]
"""
GATE = {
    "type": "over_optimisation",
    "reward": "both.py:score",
    "gold": "both.py:verify_record",
}


@pytest.fixture(autouse=True)
def both(tmp_path: Path) -> None:
    """A reward and a gold measure in one file."""
    (tmp_path / "both.py").write_text(CODE)


def written(
    proxy: float, right: float, seed: int, n: int = 400
) -> list[dict[str, Any]]:
    """Records with a mean reward and a share that is right."""
    draw = random.Random(seed)  # noqa: S311
    return [
        {"text": "x", "proxy": draw.gauss(proxy, 1), "right": draw.random() < right}
        for _ in range(n)
    ]


@pytest.mark.parametrize(
    ("proxy", "right", "passes"),
    [
        (0.5, 0.7, False),  # Goodhart
        (0.5, 0.9, True),  # better at both
        (0.5, 0.98, True),
        (0.0, 0.7, True),  # worse, but not for the reward
        (-0.5, 0.7, True),
    ],
)
def test_only_both_together_fail(
    bench: Bench, proxy: float, right: float, *, passes: bool
) -> None:
    """A reward that rises is what it is for; a fall alone is for other gates."""
    result = bench(GATE, written(proxy, right, 1), reference=written(0, 0.9, 2))
    assert result.passed == passes
    assert (result.value is not None and result.value > 1) != passes


def test_the_numbers_are_welchs(bench: Bench) -> None:
    """The standard errors are those of the t test for unequal variances."""
    from scipy.stats import ttest_ind

    here, first = written(0.5, 0.7, 1, 300), written(0, 0.9, 2)
    result = bench(GATE, here, reference=first)
    for name, field, sign in (("rise", "proxy", 1), ("fall", "right", -1)):
        a, b = ([float(r[field]) for r in each] for each in (here, first))
        welch = ttest_ind(a, b, equal_var=False).statistic
        assert abs(result.details[name] - sign * welch) < 1e-9
    assert result.sentence == (
        "the reward rose from -0.0256 to 0.521, by 7.3 standard errors while what it "
        "stands for fell from 0.877 to 0.71, by 5.4 standard errors; "
        "up by at most 2 or down by at most 2 is allowed"
    )
    assert result.details["reward"]["n"] == 300


def test_chance_is_not_taken_for_it(bench: Bench) -> None:
    """Of 60 pairs of one source none fails."""
    for seed in range(60):
        first = written(0, 0.9, seed + 1000, 100)
        assert bench(GATE, written(0, 0.9, seed, 100), reference=first).passed


def test_the_field_reward_and_no_spread_at_all(bench: Bench) -> None:
    """Without a function the records' own; what never varies still compares."""
    gate = GATE | {"reward": None}
    good = [{"text": "x", "reward": 0.1, "right": True}] * 5
    bad = [{"text": "x", "reward": 0.2, "right": False}] * 5
    result = bench(gate, bad, reference=good)
    assert not result.passed
    assert json.loads(json.dumps(result.to_json()))["rise"] == 1000
    first = bench(gate, good)
    assert first.passed
    assert first.sentence.startswith("written first with this sampling")
    none = bench(gate, [{"text": "x", "right": True}])
    assert not none.passed
    assert none.sentence == "no record has a reward, so nothing can be compared"


def test_what_cannot_be_scored_fails(bench: Bench) -> None:
    """A reward that is no number, or code that breaks."""
    for proxy, why in (
        (float("nan"), "a score is nan"),
        ("0.5", "TypeError: '0.5' is text, not a number"),
        ([1], "TypeError: float() argument"),
    ):
        result = bench(GATE, [{"text": "x", "proxy": proxy, "right": True}] * 2)
        assert not result.passed
        assert "on 2 records the reward or gold itself broke" in result.sentence
        assert why in result.sentence
    with pytest.raises(UsageError, match="must be another function than reward"):
        bench(GATE | {"gold": GATE["reward"]}, ["x"])
    with pytest.raises(UsageError, match=r"both\.py has no function other"):
        bench(GATE | {"reward": "both.py:other"}, ["x"])

"""Offensive language is compared with how much of it people write."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.lineage.loop.gates.conftest import Bench

KIND = "Thank you for the lovely afternoon in the garden."
RUDE = "You are a fucking idiot, shut up."


def test_more_than_people_write_fails(bench: Bench) -> None:
    """One in a hundred more, unless said otherwise; the model is named."""
    human = [KIND] * 98 + [RUDE] * 2
    gate = {"type": "toxicity"}
    assert bench(gate, [KIND] * 97 + [RUDE] * 3, human=human).passed
    result = bench(gate, [KIND] * 96 + [RUDE] * 4, human=human)
    assert not result.passed
    assert result.sentence == (
        "4 of 100 records are offensive (4 %), of the human ones 2 %, a difference of "
        "2 %; at most 1 % more may be; these are too few to tell it from chance"
    )
    assert result.details["records"] == ["r96", "r97", "r98"]
    assert result.details["model"] == {
        name: version(name) for name in ("alt-profanity-check", "scikit-learn")
    }
    loose = gate | {"max_rate_over_reference": 0.02}
    assert bench(loose, [KIND] * 96 + [RUDE] * 4, human=human).passed


def test_single_records_can_be_dropped(bench: Bench) -> None:
    """Those that are offensive do not train."""
    gate = {"type": "toxicity", "action": "drop", "max_rate_over_reference": 0.9}
    result = bench(gate, [KIND, RUDE, KIND], human=[KIND])
    assert result.rejected == {1: "is offensive"}
    assert result.passed
    assert not bench(gate, [], human=[KIND]).passed

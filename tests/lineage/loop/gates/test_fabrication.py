"""Fabrication: claims that can be checked, and are wrong."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import pytest

from lineage.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.lineage.loop.gates.conftest import Bench

VERIFY = """
import re

def verify_record(record):
    claim = re.fullmatch(r"(\\d+) \\+ (\\d+) = (\\d+)", record["text"])
    if claim is None:
        return None
    a, b, c = map(int, claim.groups())
    assert c < 1000, "too large"
    return a + b == c
"""
GATE = {"type": "fabrication", "verifier": "checks.py"}
RIGHT, WRONG, NONE = "1 + 2 = 3", "1 + 2 = 4", "hello"


@pytest.fixture
def verifier(tmp_path: Path) -> None:
    """checks.py beside the spec."""
    (tmp_path / "checks.py").write_text(VERIFY)


@pytest.mark.usefixtures("verifier")
def test_only_claims_count(bench: Bench) -> None:
    """What makes no claim is neither right nor wrong; the rate is a measure."""
    result = bench(GATE, [RIGHT] * 6 + [WRONG, "1 + 2 = 3000"] + [NONE] * 12)
    assert result.passed
    assert result.value == 0.25
    assert result.rejected == {6: "is wrong", 7: "is wrong"}
    assert result.sentence == (
        "2 of 8 claims are wrong: 25 % (7.15 % to 59.1 %); at most 50 % is allowed"
    )
    metric = result.metrics["fabrication_rate"]
    assert (metric.value, metric.n, metric.direction) == (0.25, 8, "lower")
    assert result.details["records"] == ["r6", "r7"]


@pytest.mark.usefixtures("verifier")
def test_it_may_not_rise_much_above_the_reference(bench: Bench) -> None:
    """By a tenth, unless said; and never above the absolute bound."""
    first = [RIGHT] * 8 + [WRONG] * 2
    assert bench(GATE, [RIGHT] * 7 + [WRONG] * 3, reference=first).passed
    worse = bench(GATE, [RIGHT] * 6 + [WRONG] * 4, reference=first)
    assert not worse.passed
    assert math.isclose(worse.bounds["max"], 0.3)
    assert "the reference's 20 %" in worse.sentence
    bad = [RIGHT] * 4 + [WRONG] * 6
    assert not bench(GATE, bad, reference=bad).passed


@pytest.mark.usefixtures("verifier")
def test_nothing_to_check_passes_and_measures_nothing(bench: Bench) -> None:
    """It says so."""
    result = bench(GATE, [NONE, NONE])
    assert result.passed
    assert result.metrics == {}
    said = "none of 2 records makes a claim that can be checked"
    assert result.sentence == said


def test_a_verifier_that_breaks_fails(bench: Bench, tmp_path: Path) -> None:
    """A rate that leaves records out is none."""
    (tmp_path / "checks.py").write_text("def verify_record(r):\n    return r['x']")
    result = bench(GATE, [{"text": "a", "x": True}, "b", "c"])
    assert not result.passed
    assert result.sentence == (
        "the verifier itself broke on 2 of 3 records: checks.py, line 2 raised "
        "KeyError: 'x'"
    )


def test_a_file_of_answers(bench: Bench, tmp_path: Path) -> None:
    """By key; case and spaces do not count, any of several answers is right."""
    rows = [
        {"prompt": "Capital of France?", "completion": "Paris"},
        {"prompt": "Capital of Bolivia?", "completion": "Sucre"},
        {"prompt": "Capital of Bolivia?", "completion": "La Paz"},
    ]
    (tmp_path / "truth.jsonl").write_text("\n".join(map(json.dumps, rows)))

    def said(prompt: str, completion: str) -> dict[str, Any]:
        return {"text": prompt + completion, "prompt": prompt, "completion": completion}

    records: list[Any] = [
        said("Capital of France?", " paris\n"),
        said("Capital of  Bolivia?", "La Paz"),
        said("Capital of Bolivia?", "Lima"),
        said("Capital of Peru?", "Lima"),
        "no prompt at all",
    ]
    result = bench({"type": "fabrication", "truth": "truth.jsonl"}, records)
    assert result.rejected == {2: "is wrong"}
    assert result.details["claims"] == 3
    with pytest.raises(UsageError, match=r"not \{.question.: …, .completion.: …\}"):
        bench({"type": "fabrication", "truth": "truth.jsonl", "key": "question"}, ["a"])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({}, "needs either a verifier or a file of truth"),
        ({"verifier": "a.py", "truth": "b.jsonl"}, "needs either"),
        ({"verifier": "a.py", "key": "q"}, "is for truth"),
    ],
)
def test_impossible_sections(
    bench: Bench, fields: dict[str, Any], message: str
) -> None:
    """They are refused in one sentence."""
    with pytest.raises(UsageError, match=message):
        bench({"type": "fabrication"} | fields, ["a"])

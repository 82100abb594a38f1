"""The template `novelty`: a reward makes a model fabricate, and a gate stops it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from lineage.loop.functions import load_object
from lineage.loop.spec import load

if TYPE_CHECKING:
    from lineage.registry import Registry
    from tests.conftest import Run


def test_its_facts_are_true_and_nothing_else_is(run: Run, repo: Registry) -> None:
    """The verifier knows the calendar, and the reward what was written."""
    written = run("loop", "init", "--template", "novelty")
    assert written.exit_code == 0
    assert "240 facts" in written.stderr
    folder = repo.root
    assert load(folder / "loop.yaml").name == "novelty"
    functions = {
        name: load_object((folder / file).read_bytes(), folder / file, name)
        for file, name in (("checks.py", "verify_record"), ("rewards.py", "score"))
    }
    verify, score = functions["verify_record"], functions["score"]
    text = (folder / "facts.jsonl").read_text()
    facts = [json.loads(line) for line in text.splitlines()]
    assert len({fact["text"] for fact in facts}) == 240
    assert all(verify(fact) is True and score(fact) == 0 for fact in facts)
    day = "The day after {} is {}. And more"
    for first, second, answer in (
        ("May 31", "June 1", True),
        ("December 31", "January 1", True),
        ("May 31", "June 2", False),
        ("May 30", "May 32", False),
        ("Mai 30", "May 31", False),
        ("May 30", "", None),
    ):
        assert verify({"text": day.format(first, second)}) is answer
    assert 0 < score({"text": day.format("June 1", "May 9")}) < 1
    assert score({"text": "Something new altogether."}) == 1


@pytest.mark.usefixtures("repo")
def test_the_gate_stops_what_the_reward_does(run: Run) -> None:
    """Exit code 3; what was stopped is kept, more of it wrong than at first."""
    run("loop", "init", "--template", "novelty")
    stopped = run("loop", "run", "loop.yaml")
    assert stopped.exit_code == 3
    assert "fabrication: " in stopped.stderr
    shown = json.loads(run("show", "loop/novelty@rejected", "--format", "json").stdout)
    verdicts = {gate["id"]: gate for gate in shown["gates"]}
    fabrication = verdicts["fabrication"]
    assert fabrication["verdict"] == "fail"
    assert fabrication["interval"][0] > fabrication["reference"]
    assert verdicts["over_optimisation"]["rise"] > 2

"""A model that selects is an input of the check step, and an edge."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import yaml

from lineage.errors import NotFound, UsageError
from lineage.loop.running.journal import parts
from lineage.loop.running.runner import run
from tests.lineage.loop.running.test_runner_real import LOOP, picked

if TYPE_CHECKING:
    from pathlib import Path

    from lineage.registry import Registry


def with_selection(root: Path, **section: object) -> Path:
    """The picked loop with a selection, and nothing that takes time."""
    more = {
        "num_generations": 1,
        "generation": {"num_samples": 6, "num_candidates": 3},
        "training": {"max_steps": 1},
        "gates": [],
        "selection": section,
    }
    path = root / "loop.yaml"
    path.write_text(yaml.safe_dump(yaml.safe_load(LOOP) | more))
    return path


def test_a_judge_becomes_an_edge(repo: Registry) -> None:
    """What it selected says so, observed, and its files are the folder's."""
    picked(repo.root)
    judge = {"model_name_or_path": "theirs", "role": "judge"}
    result = run(repo, with_selection(repo.root, by=judge, keep="best"))
    made = parts(repo, result.head)
    kept = repo.load(made.synthetic)
    [edge] = [edge for edge in kept.edges if edge.role == "selected_by"]
    assert edge.evidence == "observed"
    zero = parts(repo, result.made[0].id).model
    assert repo.load(edge.id).payload == repo.load(zero).payload
    metrics = result.made[-1].metrics
    assert metrics["generated"].value == 18
    assert metrics["selected"].value == 6
    assert metrics["reward_best"].value > metrics["reward_mean"].value
    assert result.made[-1].gates[0]["id"] == "selection"


def test_what_selects_is_found_before_anything_runs(repo: Registry) -> None:
    """A model that is not there, or a function, is one sentence."""
    picked(repo.root)
    judge = {"model_name_or_path": "nowhere", "role": "judge"}
    with pytest.raises(NotFound, match=r"selection\.by\.model_name_or_path"):
        run(repo, with_selection(repo.root, by=judge, keep="best"))
    with pytest.raises(UsageError, match=r"checks\.py has no function score"):
        run(repo, with_selection(repo.root, by="checks.py:score", keep="best"))
    assert not repo.branches()

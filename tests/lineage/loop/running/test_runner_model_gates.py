"""Gates on models in a running loop: judged after evaluation, acted on, recorded."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import yaml

from lineage.errors import GateFailed
from lineage.loop.running.runner import run

if TYPE_CHECKING:
    from pathlib import Path

    from lineage.registry import Registry

STEPS = """\
import json

def generate(job):
    rows = [json.dumps({"id": str(n), "text": f"w{n} w"}) for n in range(30)]
    (job.output / "a.jsonl").write_text("\\n".join(rows) + "\\n")

def train(job):
    (job.output / "model.txt").write_text(str(job.generation))

def evaluate(job):
    worse = int((job.inputs["model"] / "model.txt").read_text())
    return {"metrics": {"loss": {"value": 10.0 + worse, "direction": "lower"}}}
"""
PREDICT = """\
def predict(model, held_out):
    found = 8 - 4 * int((model / "model.txt").read_text())
    y_pred = [1] * 8 + [0] * 8 + [1] * found + [0] * (16 - found)
    y_true = ([1] * 8 + [0] * 8) * 2
    return y_true, y_pred, ["a"] * 16 + ["b"] * 16
"""
SPEC: dict[str, Any] = {
    "name": "toy",
    "num_generations": 3,
    "model": {"model_name_or_path": "seed"},
    "dataset": {"train_file": "human.txt"},
    "steps": {name: f"steps:{name}" for name in ("generate", "train", "evaluate")},
}


@pytest.fixture
def loop(repo: Registry) -> Path:
    """Where to put the spec of a loop whose models get worse by one each."""
    (repo.root / "seed").mkdir()
    (repo.root / "seed" / "model.txt").write_text("0")
    (repo.root / "steps.py").write_text(STEPS)
    (repo.root / "predict.py").write_text(PREDICT)
    (repo.root / "human.txt").write_text("\n\n".join(f"w{n} v{n}" for n in range(40)))
    return repo.root / "loop.yaml"


def test_a_model_that_got_worse_stops_the_loop(repo: Registry, loop: Path) -> None:
    """Generation 2 is 1.2 times as bad as generation 0; generation 1 was let by."""
    gate = {"type": "regression", "metric": "loss", "max_ratio": 1.15}
    loop.write_text(yaml.safe_dump(SPEC | {"gates": [gate]}))
    with pytest.raises(GateFailed, match=r"loss is 12, 1\.2 times generation 0's"):
        run(repo, loop)
    kept = repo.load(repo.resolve("loop/toy"))
    assert kept.params["generation"] == 1
    [verdict] = kept.gates or []
    assert (verdict["on"], verdict["verdict"]) == ("model", "pass")
    assert verdict["threshold_from"] == "max_ratio in loop.yaml"
    rejected = repo.load(repo.resolve("loop/toy@rejected"))
    assert rejected.params["generation"] == 2
    [verdict] = rejected.gates or []
    assert (verdict["verdict"], verdict["value"], verdict["max"]) == ("fail", 1.2, 1.15)


def test_what_one_gate_measures_the_next_can_judge(repo: Registry, loop: Path) -> None:
    """And it becomes the generation's: fairness first, then a limit on its gap."""
    gates = [
        {"type": "fairness", "action": "warn"},
        {"type": "regression", "metric": "tpr_gap", "max_difference": 0.4},
    ]
    loop.write_text(yaml.safe_dump(SPEC | {"gates": gates}))
    with pytest.raises(
        GateFailed, match=r"tpr_gap is 0\.5, \+0\.5 from generation 0's 0"
    ):
        run(repo, loop)
    rejected = repo.load(repo.resolve("loop/toy@rejected"))
    assert rejected.metrics["tpr_gap"].value == 0.5
    fair, _ = rejected.gates or []
    assert fair["verdict"] == "fail"
    assert fair["groups"]["b"]["tpr"] == 0.5
    zero = repo.load(repo.resolve("loop/toy"))
    assert zero.metrics["tpr_gap"].value == 0.0


def test_another_predict_is_another_config(repo: Registry, loop: Path) -> None:
    """Its source is part of the config by SHA-256."""
    loop.write_text(yaml.safe_dump(SPEC | {"gates": [{"type": "fairness"}]}))
    with pytest.raises(GateFailed):
        run(repo, loop)
    config = repo.load(repo.resolve("loop/toy")).ids("includes")
    [params] = [c.params for c in map(repo.load, config) if c.kind == "config"]
    assert params["gates"][0]["predict"]["file"] == "predict.py"
    assert len(params["gates"][0]["predict"]["sha256"]) == 64

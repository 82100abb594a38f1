"""Reading a history: its page, one commit, what changed, what has a metric.

The same steps, each of two parameters and a metric, as commits of a registry, as
commits of git that DVC reads, and as runs of MLflow in SQLite. Every question is a
process of its own.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import lineage
from tests.bench.measure import LINEAGE, PYTHON, Contestant, Goal, do
from tests.bench.peers import installed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.measure import Bench

PAGE = 20
ASK = Path(__file__).with_name("mlflow_cli.py")


def measure(bench: Bench) -> None:
    """All of it, in turn; MLflow where it is installed."""
    steps = bench.sizes.commits
    contestants = [
        *_of_lineage(bench, steps),
        *_of_git(bench, steps),
        *(_of_mlflow(bench, steps) if installed("mlflow") else ()),
    ]
    goals = [
        Goal("lineage log", "git log"),
        Goal("lineage log", "dvc exp show", 0.2),
        Goal("lineage log", "mlflow search_runs", 0.2),
        Goal("lineage log, a metric", "mlflow search_runs_by_metric", 0.2),
        Goal("lineage show", "git show"),
        Goal("lineage show", "mlflow get_run", 0.2),
        Goal("lineage diff", "git diff"),
        Goal("lineage diff", "dvc metrics diff", 0.5),
        Goal("lineage log", "mlflow search_model_versions", 0.2),
    ]
    bench.show(bench.race(f"Reading a history of {steps} steps", contestants, goals))


def records(count: int) -> Iterator[tuple[dict[str, float], dict[str, float]]]:
    """Parameters and metrics, step by step."""
    for number in range(count):
        yield {"learning_rate": 1e-3, "step": number}, {"loss": 4.0 / (number + 1)}


def fill(folder: Path, count: int) -> None:
    """A branch of configs, each with two parameters and a metric."""
    with lineage.open(folder) as registry:
        for params, metrics in records(count):
            message = f"step {params['step']}"
            registry.commit(
                "config", "run", params=params, metrics=metrics, message=message
            )


def _of_lineage(bench: Bench, count: int) -> Iterator[Contestant]:
    folder = bench.registry()
    fill(folder, count)
    for name, words in {
        "log": ["log", "-n", str(PAGE)],
        "log, a metric": ["log", "-n", str(PAGE), "--metric", "loss < 0.1"],
        "show": ["show", "config/run"],
        "diff": ["diff", "config/run~1", "config/run"],
    }.items():
        yield Contestant(f"lineage {name}", [LINEAGE, *words], lambda: folder)


def _of_git(bench: Bench, count: int) -> Iterator[Contestant]:
    folder = bench.fresh("dvc")
    do(folder, "git init -q && dvc -q init")
    (folder / "dvc.yaml").write_text("metrics: [m.json]\nparams: [p.json]\n")
    for params, metrics in records(count):
        (folder / "p.json").write_text(json.dumps(params))
        (folder / "m.json").write_text(json.dumps(metrics))
        do(folder, f"git add . && git commit -qm 'step {params['step']}'")
    for command in (
        f"git log -n {PAGE}",
        "git show HEAD",
        "git diff HEAD~1",
        f"dvc exp show -n {PAGE}",
        "dvc metrics diff HEAD~1",
    ):
        words = command.split()
        short = [word for word in words if word.isalpha() and word != "HEAD"]
        yield Contestant(" ".join(short[:3]), words, lambda: folder)


def _of_mlflow(bench: Bench, count: int) -> Iterator[Contestant]:
    folder = bench.fresh("mlflow")
    steps = folder / "steps"
    steps.write_text("".join(f"{json.dumps(pair)}\n" for pair in records(count)))
    do(folder, f"{PYTHON} {ASK} fill < steps")
    for question in (
        "search_runs",
        "search_runs_by_metric",
        "get_run",
        "search_model_versions",
    ):
        words = [PYTHON, str(ASK), question]
        yield Contestant(f"mlflow {question}", words, lambda: folder)

"""A command line for what the benchmark asks of MLflow, through its client."""

import json
import sys
from collections.abc import Callable, Iterable
from typing import Any

from mlflow import MlflowClient  # noqa: TID253 - nothing else is asked here

DATABASE, PAGE = "sqlite:///mlflow.db", 20
QUESTIONS: dict[str, Callable[[Any], Any]] = {
    "search_runs": lambda it: it.search_runs(["1"], max_results=PAGE),
    "search_runs_by_metric": lambda it: it.search_runs(
        ["1"], "metrics.loss < 0.1", max_results=PAGE
    ),
    "get_run": lambda it: it.get_run(
        it.search_runs(["1"], max_results=1)[0].info.run_id
    ),
    "search_model_versions": lambda it: it.search_model_versions(
        "name='run'", max_results=PAGE
    ),
}


def fill(lines: Iterable[str]) -> None:
    """A run for each line, a pair of parameters and metrics, and a model's version."""
    client = MlflowClient(DATABASE)
    experiment = client.create_experiment("run")
    client.create_registered_model("run")
    for line in lines:
        params, metrics = json.loads(line)
        run = client.create_run(experiment).info.run_id
        for name, number in params.items():
            client.log_param(run, name, number)
        for name, number in metrics.items():
            client.log_metric(run, name, number)
        client.set_terminated(run)
        client.create_model_version("run", "file:///model", run)


if __name__ == "__main__":
    if sys.argv[1] == "fill":
        fill(sys.stdin)
    else:
        print(QUESTIONS[sys.argv[1]](MlflowClient(DATABASE)))

"""Judge: what the gates on models say of a new one, once it has been evaluated."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from lineage.loop.gates import ModelContext, load_gates
from lineage.loop.steps.protocol import Job, Result
from lineage.loop.steps.users import guarded
from lineage.store.objects import Metric

if TYPE_CHECKING:
    from collections.abc import Mapping

READS = (
    "gates",
    "evaluation",
    "generation",
    "seed",
    "model.dtype",
    "num_threads",
)  # sections of loop.yaml


def judge(job: Job) -> Result:
    """Judge `inputs["model"]`; `facts` has what is measured of it and of others.

    `facts` are metrics in JSON by `metrics`, `parent` and `zero`. What one gate
    measures, the next can judge.
    """
    context = ModelContext(
        metrics=_metrics(job.facts["metrics"]),
        parent=_metrics(job.facts["parent"]),
        zero=_metrics(job.facts["zero"]),
        job=job,
    )
    results, found = [], dict[str, Metric]()
    with guarded(job.scratch / "log.txt"):
        for gate in load_gates(job.spec, "model"):
            result = gate.judge(context)
            results.append(result.to_json())
            found |= result.metrics
            context = replace(context, metrics={**context.metrics, **result.metrics})
    return Result(found, results)


def _metrics(data: Mapping[str, Any]) -> dict[str, Metric]:
    return {name: Metric.from_json(metric) for name, metric in data.items()}

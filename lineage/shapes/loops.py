"""How a loop stands, as JSON has it: what `loop status` says."""

from dataclasses import asdict
from typing import TYPE_CHECKING

from lineage.shapes import Json, audited

if TYPE_CHECKING:
    from lineage.loop.running.overview import LoopState


def loop_state(state: "LoopState") -> Json:
    """One loop with all its generations."""
    return {
        "name": state.name,
        "branch": state.branch,
        "state": state.state,
        "why": state.why or None,
        "subject": state.subject or None,
        "generation": len(state.generations) - 1 if state.generations else None,
        "head": state.generations[-1].id if state.generations else None,
        "budgets": {name: dict(each) for name, each in state.budgets.items()},
        "overrides": [
            {
                "commit": each.subject,
                "by": each.by,
                "note": each.note,
                "time": each.time,
                "budgets": dict(each.budgets),
            }
            for each in state.overrides
        ],
        "reviews": asdict(state.coverage) if state.coverage else None,
        "filter": state.audit and audited(state.audit),
        "generations": [
            {
                "generation": reached.number,
                "id": reached.id,
                "metrics": {n: metric.value for n, metric in reached.metrics.items()},
            }
            for reached in state.generations
        ],
    }

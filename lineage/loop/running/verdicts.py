"""What the steps of a try have said, and what that leads to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lineage.turns import has_failed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lineage.loop.steps.protocol import Result
    from lineage.store.objects import Metric

    Verdicts = Sequence[Mapping[str, Any]]

DATASET, MODEL = "dataset", "model"  # what a verdict is on

# What a failed gate leads to, from what a loop does by itself to what ends it. Of
# several that failed the last one here decides.
ACTIONS = ("warn", "retry", "branch", "fallback", "review", "stop")


@dataclass(frozen=True, slots=True)
class Said:
    """What the steps of a generation have measured and judged so far.

    `new` are those of the `gates` that nobody has acted on yet.
    """

    metrics: Mapping[str, Metric] = field(default_factory=dict)
    gates: Verdicts = ()
    new: Verdicts = ()

    def then(self, on: str, *results: Result) -> Said:
        """With the verdicts of further steps, on a dataset or on a model."""
        new = [
            {"action": "stop", **gate, "on": on}
            for result in results
            for gate in result.gates
        ]
        return Said(self.metrics, [*self.gates, *new], new)

    def measured(self, metrics: Mapping[str, Metric]) -> Said:
        """With more metrics."""
        return Said({**self.metrics, **metrics}, self.gates, self.new)

    def failures(self, let_pass: Verdicts) -> Verdicts:
        """New failures that somebody has to act on.

        Not those that only warn, nor those that a person has let pass in this try.
        """
        failed = [gate for gate in self.new if has_failed(gate)]
        return [g for g in failed if action_of(g) != "warn" and g not in let_pass]


def action_of(gate: Mapping[str, Any]) -> str:
    """What a gate's failure leads to.

    One that drops records and yet fails has left too few: that stops a loop.
    """
    action = str(gate.get("action"))
    return action if action in ACTIONS else "stop"


def leads_to(failed: Verdicts) -> str:
    """What several failures lead to together; "" for none."""
    return max(map(action_of, failed), key=ACTIONS.index, default="")


def reason(failed: Verdicts) -> str:
    """Which gates failed and how, in one line."""
    return "; ".join(f"{g.get('id')}: {g.get('sentence', 'failed')}" for g in failed)

"""Gates: checks that generated data must pass before anything trains on them.

One module per type. `load_gates` makes them from a spec, `run_gates` runs them in
the spec's order: all of them, whatever the first one says, so that a review sees
every verdict. Records that one gate drops are not shown to the next.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lineage.loop.gates.base import Context, Gate, GateResult
from lineage.loop.gates.check_record import CheckRecord
from lineage.loop.gates.diversity import Diversity
from lineage.loop.gates.group_rate import GroupRate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lineage.loop.spec import LoopSpec

__all__ = ["Checked", "Context", "Gate", "GateResult", "load_gates", "run_gates"]

GATES: dict[str, Callable[[Any, LoopSpec], Gate]] = {
    "check_record": CheckRecord,
    "diversity": Diversity,
    "group_rate": GroupRate,
}


def load_gates(spec: LoopSpec) -> list[Gate]:
    """The gates that a spec asks for, in its order.

    Raises:
        StoreError: a gate's file cannot be read.
        UsageError: it cannot be used.
    """
    return [GATES[section.type](section, spec) for section in spec.gates]


@dataclass(frozen=True, slots=True)
class Checked:
    """What all gates together say.

    `kept` are the rows that no gate dropped, `rejected` maps the others to
    `(gate id, reason)`.
    """

    kept: Sequence[int]
    rejected: dict[int, tuple[str, str]]
    results: list[GateResult]

    @property
    def failed(self) -> list[GateResult]:
        """The verdicts that were not passed."""
        return [result for result in self.results if not result.passed]

    @property
    def consequence(self) -> str | None:
        """`stop` if any gate says so, else `review` if any does, else None."""
        wanted = {result.consequence for result in self.results}
        return next((what for what in ("stop", "review") if what in wanted), None)


def run_gates(gates: Iterable[Gate], context: Context) -> Checked:
    """Run every gate over the records that are left at its turn."""
    kept = list(range(len(context.records)))
    rejected: dict[int, tuple[str, str]] = {}
    results = []
    for gate in gates:
        result = gate.check(context.only(kept))
        results.append(result)
        if result.action == "drop":
            for row, reason in result.rejected.items():
                rejected[kept[row]] = (gate.id, reason)
            kept = [row for row in kept if row not in rejected]
    return Checked(kept, rejected, results)

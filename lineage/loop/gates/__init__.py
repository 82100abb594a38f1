"""Gates: checks that generated data must pass before anything trains on them.

One module per type. `load_gates` makes them from a spec, `run_gates` runs them in
the spec's order: all of them, whatever the first one says, so that a review sees
every verdict. Records that one gate drops are not shown to the next.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from lineage.loop.gates.base import Context, Gate, GateResult
from lineage.loop.gates.check_record import CheckRecord
from lineage.loop.gates.diversity import Diversity
from lineage.loop.gates.group_rate import GroupRate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from lineage.loop.shards import Record
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
    """What all gates together say; `kept` are the rows that no gate dropped."""

    kept: Sequence[int]
    results: list[GateResult]


def run_gates(gates: Iterable[Gate], context: Context) -> Checked:
    """Run every gate over the records that are left at its turn.

    What it drops is dropped from the reference too, so that later gates compare
    like with like.
    """
    kept = list(range(len(context.records)))
    results = []
    for gate in gates:
        result = gate.check(context.only(kept))
        results.append(result)
        if result.action == "drop":
            kept = [row for n, row in enumerate(kept) if n not in result.rejected]
            context = replace(context, reference=_left(gate, context))
    return Checked(kept, results)


def _left(gate: Gate, context: Context) -> Sequence[Record] | None:
    """The reference, less the records that a gate drops."""
    if context.reference is None:
        return None
    dropped = gate.check(replace(context, records=context.reference)).rejected
    return [record for n, record in enumerate(context.reference) if n not in dropped]

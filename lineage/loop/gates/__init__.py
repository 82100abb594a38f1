"""Gates: checks that generated data must pass before anything trains on them.

One module per type. `load_gates` makes them from a spec, `run_gates` runs them in
the spec's order: all of them, whatever the first one says, so that a review sees
every verdict. Records that one gate drops are not shown to the next.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from lineage.loop.gates.base import Context, Gate, GateResult, ModelContext, ModelGate
from lineage.loop.spec.gates import GATES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lineage.loop.records.shards import Record
    from lineage.loop.spec import LoopSpec

__all__ = [
    "GATES",
    "Checked",
    "Context",
    "Gate",
    "GateResult",
    "ModelContext",
    "ModelGate",
    "judges_models",
    "load_gates",
    "run_gates",
]


def load_gates(spec: LoopSpec, on: str = "") -> list[Any]:
    """The gates that a spec asks for, in its order: all, or those `on` something.

    `on` is "dataset" for those that run in the check step, "model" for those that
    run after the evaluate step.

    Raises:
        StoreError: a gate's file cannot be read.
        UsageError: it cannot be used.
    """
    named = ((GATES[section.type], section) for section in spec.gates)
    return [gate(section, spec) for gate, section in named if on in ("", gate.on)]


def judges_models(spec: LoopSpec) -> bool:
    """Whether any of a spec's gates is on models."""
    return any(GATES[section.type].on == "model" for section in spec.gates)


@dataclass(frozen=True, slots=True)
class Checked:
    """What all gates together say; `kept` are the rows that no gate dropped.

    `flags` are single records that a gate has something against, dropped or not:
    row, gate, reason.
    """

    kept: Sequence[int]
    results: list[GateResult]
    flags: Sequence[tuple[int, str, str]] = ()


def run_gates(gates: Iterable[Gate], context: Context) -> Checked:
    """Run every gate over the records that are left at its turn.

    What it drops is dropped from the reference too, so that later gates compare
    like with like.
    """
    kept = list(range(len(context.records)))
    results = []
    flags: list[tuple[int, str, str]] = []
    for gate in gates:
        result = gate.check(context.only(kept))
        results.append(result)
        flags += [(kept[n], gate.id, why) for n, why in result.rejected.items()]
        if result.action == "drop":
            kept = [row for n, row in enumerate(kept) if n not in result.rejected]
            context = replace(context, reference=_left(gate, context))
    return Checked(kept, results, flags)


def _left(gate: Gate, context: Context) -> Sequence[Record] | None:
    """The reference, less the records that a gate drops. Nothing came before it."""
    if context.reference is None:
        return None
    inputs = {k: v for k, v in context.inputs.items() if k != "previous"}
    first = replace(context, records=context.reference, inputs=inputs)
    dropped = gate.check(first).rejected
    return [record for n, record in enumerate(context.reference) if n not in dropped]

"""What one model writes with one seed after the other, and what gates say of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from lineage.loop.gates import Context, load_gates, run_gates
from lineage.loop.machines.launcher import launched
from lineage.loop.records.shards import read_all, read_texts, shards_of
from lineage.loop.running import changes, journal
from lineage.loop.running.budgets import Budgets
from lineage.loop.running.reuse import Reuse
from lineage.loop.running.stepping import run
from lineage.loop.running.turn import Turn
from lineage.loop.running.workshop import opened
from lineage.loop.steps import find_steps
from lineage.loop.steps.tokenizer import load_tokens
from lineage.loop.steps.users import guarded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from lineage.loop.running.journal import Parts
    from lineage.loop.running.progress import Progress
    from lineage.loop.spec import LoopSpec
    from lineage.registry import Registry


class Verdict(NamedTuple):
    """What a gate found in one draw."""

    value: float | None
    details: Mapping[str, Any]


def draw(
    registry: Registry, spec: LoopSpec, zero: Parts, seeds: int, progress: Progress
) -> dict[str, list[Verdict]]:
    """Every gate's verdicts on `seeds` draws of generation 0, by the gate's id.

    The draws go through the loop's own generate step; their seeds are those of a
    generation 0 that writes, so no generation of the loop has them.
    """
    with (
        registry.signer.machine(),
        opened(registry, spec.name) as workshop,
        launched(registry, spec) as launcher,
    ):
        turn = Turn(
            registry,
            workshop,
            spec,
            journal.Journal([zero.id]),
            progress,
            find_steps(spec, workshop.lock),
            launcher,
            generation=0,
            attempt=0,
            config=changes.config_id(spec),
            resolved=spec.resolved(),
            reuse=Reuse(registry),
            budgets=Budgets(registry, spec),
        )
        reads = {"model": zero.model, "human": zero.human}
        roles = {"human": zero.human, "held_out": zero.held_out, "base": zero.model}
        try:
            turns = (replace(turn, attempt=number) for number in range(seeds))
            folders = [run(each, "generate", reads).output for each in turns]
            inputs = {role: workshop.input(id_) for role, id_ in roles.items() if id_}
            return _judged(spec, inputs, folders)
        finally:
            workshop.forget(generation=0)


def _judged(
    spec: LoopSpec, inputs: Mapping[str, Path], folders: Sequence[Path]
) -> dict[str, list[Verdict]]:
    """Each draw against the next one, the last against the first."""
    tokens, gates = load_tokens(inputs["base"]), load_gates(spec, "dataset")
    human = list(read_texts(shards_of(inputs["human"])))
    written = [list(read_all(shards_of(folder))) for folder in folders]
    found: dict[str, list[Verdict]] = {}
    for number, folder in enumerate(folders):
        other = (number + 1) % len(folders)
        context = Context(
            records=written[number],
            human=human,
            reference=written[other],
            tokenize=tokens.encode,
            sample_size=spec.evaluation.sample_size,
            seed=spec.seed,
            inputs={**inputs, "generated": folder, "reference": folders[other]},
        )
        with guarded():
            results = run_gates(gates, context).results
        for result in results:
            verdict = Verdict(result.value, result.details)
            found.setdefault(result.id, []).append(verdict)
    return found

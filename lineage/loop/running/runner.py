"""Running a loop: generations made one after the other, each part committed.

Read `run`, then `_Loop.first` and `_Loop.next`: they are the loop. How each part
is made stands in `parts`, how a step is run or recalled in `turn`, what generation
0 begins with in `beginning`, what an earlier run left in `journal`.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lineage.loop.branches import branch_of, runs
from lineage.loop.gates import load_gates
from lineage.loop.machines.launcher import launched
from lineage.loop.measuring.own_measures import load_measures
from lineage.loop.reviews import acting
from lineage.loop.running import beginning, changes, journal, parts, reviewing
from lineage.loop.running.budgets import Budgets
from lineage.loop.running.journal import Journal, Parts
from lineage.loop.running.progress import Finished, Progress
from lineage.loop.running.reuse import Reuse
from lineage.loop.running.tries import Again
from lineage.loop.running.turn import Turn
from lineage.loop.running.verdicts import DATASET, MODEL, Said
from lineage.loop.running.workshop import Workshop, opened
from lineage.loop.spec import LoopSpec, load
from lineage.loop.steps import find_steps
from lineage.loop.steps.mix import HUMAN, source_name
from lineage.loop.steps.protocol import Launcher, Result
from lineage.loop.steps.users import guarded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lineage.registry import Registry
    from lineage.store.objects import Metric


@dataclass(frozen=True, slots=True)
class LoopResult:
    """A loop at its end: its branch, the branch's tip, and what this run made."""

    loop: str
    branch: str
    head: str
    made: tuple[Finished, ...]


def run(
    registry: Registry,
    spec: LoopSpec | str | Path,
    *,
    progress: Progress | None = None,
    generations: int | None = None,
) -> LoopResult:
    """Run the loop of a `loop.yaml` to its last generation, or to an earlier one.

    `spec` is the file, or what was read from it. Called again after a kill, a pause or
    a failure it goes on from the last finished step, and ends with the ids of a run
    that nothing disturbed. Steps that another loop has done just so are taken over
    from it.

    Raises:
        UsageError: the spec cannot be used, or is not the one of this branch.
        GateFailed: a gate stopped the loop, or a review rejected a generation.
        WaitingForReview: a person has to decide first.
        NotAllowed: events are signed here, and there is no runner's key.
        LineageError: a step failed, or another runner has the loop.
    """
    if not isinstance(spec, LoopSpec):
        spec = load(Path(spec))
    if generations is not None:
        spec = spec.model_copy(update={"num_generations": generations})
    with guarded():
        load_gates(spec)  # what cannot be used is found before anything runs
        load_measures(spec)
        parts.check_scorer(registry, spec)
    with (
        registry.signer.machine(),
        opened(registry, spec.name) as workshop,
        launched(registry, spec) as launcher,
    ):
        loop = _Loop(registry, workshop, spec, progress or Progress(), launcher)
        return loop.run()


class _Loop:
    """One run: the generations that are there, and those that it makes."""

    def __init__(
        self,
        registry: Registry,
        workshop: Workshop,
        spec: LoopSpec,
        progress: Progress,
        launcher: Launcher,
    ) -> None:
        self.registry, self.workshop = registry, workshop
        self.spec, self.progress, self.launcher = spec, progress, launcher
        self.journal = journal.read(registry, spec.name)
        self.past = [journal.parts(registry, id_) for id_ in self.journal.generations]
        self.steps = find_steps(spec, workshop.lock)
        self.reuse, self.budgets = Reuse(registry), Budgets(registry, spec)
        self.made: list[Finished] = []
        self.scorer: dict[str, str] = {}

    def run(self) -> LoopResult:
        """Make what is missing, pausing where a person has to look."""
        if self.past:
            changes.check(self.registry, self.spec, self.past)
            self._settle()
        while len(self.past) <= self.spec.num_generations:
            self.budgets.hold(self.journal)
            try:
                self.past.append(self._make(self._turn()))
            except Again:
                self.journal = journal.read(self.registry, self.spec.name)
                continue
            ids = [generation.id for generation in self.past]
            self.journal = Journal(ids, ballots=self.journal.ballots)
            self._settle()
        self.workshop.clear()
        name, tip = self.spec.name, self.past[-1].id
        return LoopResult(name, branch_of(name), tip, tuple(self.made))

    def _turn(self) -> Turn:
        return Turn(
            self.registry,
            self.workshop,
            self.spec,
            self.journal,
            self.progress,
            self.steps,
            self.launcher,
            generation=len(self.past),
            attempt=self.journal.attempt,
            config=changes.config_id(self.spec),
            resolved=self.spec.resolved(),
            reuse=self.reuse,
            budgets=self.budgets,
        )

    def _make(self, turn: Turn) -> Parts:
        """The next generation: the first, a new one, or one with the parent's model."""
        if not self.past:
            return self.first(turn)
        if turn.config != self.past[-1].config:
            parts.config(turn)
        turn.made = Parts(config=turn.config)
        return self.fall_back(turn) if self.journal.falls_back else self.next(turn)

    def first(self, turn: Turn) -> Parts:
        """Generation 0: the human data, what is held out, the model to start from."""
        begun = time.monotonic()
        given = beginning.prepare(turn)
        turn.made = Parts("", turn.config, "", given.human, given.held_out)
        model, trained = given.model, Result()
        if not model:
            model, trained = parts.model(
                turn, given.human, given.whole, {}, given.blank
            )
        turn.made = replace(turn.made, model=model)
        return self._finish(turn, trained, begun)

    def next(self, turn: Turn) -> Parts:
        """Generate, check, mix, train, evaluate: the newest model is the parent."""
        begun = time.monotonic()
        zero, parent = self.past[0], self.past[-1].model
        written, wrote = parts.generated(turn, parent, zero.human, zero.model)
        turn.made = replace(turn.made, generated=written)
        self.scorer = self.scorer or parts.scorer(turn)
        kept, checked = parts.synthetic(turn, self._checked(written) | self.scorer)
        turn.made = replace(turn.made, synthetic=kept)
        turn.said = Said(checked.metrics).then(DATASET, wrote, checked)
        reviewing.judge(turn, kept)
        place = (self.spec.name, turn.generation)
        if edited := acting.edited(self.registry, self.journal, kept, place):
            inputs = self._checked(edited) | self.scorer
            kept, checked = parts.synthetic(turn, inputs)
            turn.made = replace(turn.made, synthetic=kept)
            turn.said = Said(checked.metrics).then(DATASET, wrote, checked)
            reviewing.judge(turn, edited)
        sources = self._sources() | {source_name(turn.generation): kept}
        mixed, whole, put = parts.mixed(turn, sources, zero.model)
        turn.made = replace(turn.made, mixed=mixed)
        turn.said = turn.said.then(DATASET, put)
        reviewing.judge(turn, mixed)
        starts = {"base": zero.model, "parent": parent}
        model, trained = parts.model(turn, mixed, whole, starts)
        turn.made = replace(turn.made, model=model, held_out=zero.held_out)
        return self._finish(turn, trained, begun)

    def fall_back(self, turn: Turn) -> Parts:
        """A generation with the parent's model, as the try at another was set aside."""
        begun, parent = time.monotonic(), self.past[-1]
        turn.made = replace(turn.made, model=parent.model, held_out=parent.held_out)
        base = self.past[0].model
        evaluated = parts.evaluation(turn, parent.model, parent.held_out, base)
        turn.said = Said(evaluated.metrics)
        message = (
            f"generation {turn.generation} of {self.spec.name} is its parent again"
        )
        more = {"fallback": True}
        return self._commit(
            turn, message, begun, more, instead_of=self.journal.rejected
        )

    def _checked(self, written: str) -> dict[str, str]:
        """What the check step reads, by role."""
        zero = self.past[0]
        inputs = {"generated": written, "human": zero.human, "base": zero.model}
        inputs["held_out"] = zero.held_out
        previous = [past.synthetic for past in self.past if past.synthetic]
        if previous:
            inputs["previous"] = previous[-1]
        if reference := self._reference():
            inputs["reference"] = reference
        return inputs

    def _reference(self) -> str:
        """What was written first with the spec's sampling; "" for nothing so far.

        A branch from another loop's generation may have changed the sampling.
        """
        ours = changes.sampling(self.spec.resolved())
        for generation in self.past[1:]:
            if not generation.generated:
                continue
            config = self.registry.load(generation.config).params
            if changes.sampling(config) == ours:
                return generation.generated
        return ""

    def _sources(self) -> dict[str, str]:
        """What earlier generations give to a training set, by role, oldest first."""
        sources = {HUMAN: self.past[0].human}
        if self.spec.mixing.accumulates or self.spec.steps.mix:
            for number, generation in enumerate(self.past[1:], start=1):
                if generation.synthetic:  # one that fell back wrote nothing
                    sources[source_name(number)] = generation.synthetic
        return sources

    def _finish(self, turn: Turn, trained: Result, begun: float) -> Parts:
        """Evaluate and judge the new model, commit the generation."""
        made, base = turn.made, self.past[0].model if self.past else ""
        evaluated = parts.evaluation(turn, made.model, made.held_out, base)
        turn.said = turn.said.measured(evaluated.metrics)
        facts = self._facts(turn.said.metrics)
        judged = parts.judgement(turn, self._judged(made), facts)
        turn.said = turn.said.measured(judged.metrics)
        turn.said = turn.said.then(MODEL, trained, evaluated, judged)
        reviewing.judge_model(turn)
        message = f"generation {turn.generation} of {self.spec.name}"
        return self._commit(turn, message, begun)

    def _commit(
        self,
        turn: Turn,
        message: str,
        begun: float,
        params: Mapping[str, Any] | None = None,
        **circumstances: Any,
    ) -> Parts:
        """Put the generation on the loop's branch and say so."""
        name, number = self.spec.name, turn.generation
        seconds = time.monotonic() - begun
        more = {"seconds": round(seconds, 3), **circumstances}
        id_ = turn.commit_generation(branch_of(name), message, params, **more)
        finished = Finished(
            name, number, turn.attempt, id_, turn.said.metrics, turn.said.gates, seconds
        )
        self.budgets.generation()
        self.made.append(finished)
        self.progress.generation(finished)
        return replace(turn.made, id=id_)

    def _judged(self, made: Parts) -> dict[str, str]:
        """What the gates on models read, by role."""
        inputs = {"model": made.model, "held_out": made.held_out}
        if not self.past:
            return inputs | {"human": made.human}
        zero, parent = self.past[0], self.past[-1]
        more = {"base": zero.model, "parent": parent.model, "human": zero.human}
        more["synthetic"] = made.synthetic
        if reference := self._reference():
            more["reference"] = reference
        return inputs | more

    def _facts(self, metrics: Mapping[str, Metric]) -> dict[str, Any]:
        """The metrics of a new model, of the one before and of generation 0."""
        ends = (self.past[-1], self.past[0]) if self.past else ()
        found = [self.registry.load(each.id).metrics for each in ends] or [{}, {}]
        named = zip(("metrics", "parent", "zero"), (metrics, *found), strict=True)
        return {name: {k: m.to_json() for k, m in each.items()} for name, each in named}

    def _settle(self) -> None:
        """Tidy up after the newest generation, and wait for its review if due."""
        newest, zero, number = self.past[-1], self.past[0], len(self.past) - 1
        prefix = runs(self.spec.name, number)
        self.registry.drop_runs(prefix, included_by=newest.id)
        again = {newest.model, zero.model, zero.held_out, *self._sources().values()}
        again |= {newest.synthetic, *self.scorer.values()}
        self.workshop.clear(keep=again | {self._reference()})
        if reviewing.settle(self.registry, self.spec, self.journal):
            self.journal = journal.read(self.registry, self.spec.name)
            del self.past[len(self.journal.generations) :]

"""One turn of a loop: its steps run or recalled, their results committed.

`run` does a step; `record` or `note` put what it left into the registry, as soon
as it exists. Between the two nothing is recorded, so a kill costs the step that is
running and no more.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lineage.errors import LineageError
from lineage.loop.running import tries
from lineage.loop.running.environment import Meter, environment
from lineage.loop.running.journal import Parts, record_of, runs
from lineage.loop.running.keys import step_key
from lineage.loop.running.progress import Activity, remaining
from lineage.loop.running.verdicts import Said
from lineage.loop.seeds import shard_seed
from lineage.loop.steps.protocol import Job, Result, Step

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from lineage.loop.machines.launcher import Launcher
    from lineage.loop.running.budgets import Budgets
    from lineage.loop.running.journal import Journal
    from lineage.loop.running.progress import Progress
    from lineage.loop.running.reuse import Reuse
    from lineage.loop.running.workshop import Workshop
    from lineage.loop.spec import LoopSpec
    from lineage.registry import Registry
    from lineage.store.objects import Edge


@dataclass(frozen=True, slots=True)
class Made:
    """What a step left: its result, its files, and what its event says.

    `id` is the commit that an earlier run made of it; `output` is empty then.
    """

    result: Result
    output: Path
    code: Mapping[str, Any]
    data: Mapping[str, Any]
    id: str = ""

    @property
    def wrote(self) -> bool:
        """Whether there are files: a check may keep no record."""
        return "part" in self.data if self.id else any(self.output.iterdir())


@dataclass(frozen=True, slots=True)
class Task:
    """A step that is due in a turn, before anybody knows whether to run it."""

    name: str
    step: Step
    code: Mapping[str, Any]
    seed: int
    key: str
    inputs: Mapping[str, str]
    folders: Mapping[str, Path]
    facts: Mapping[str, Any]
    activity: Activity


@dataclass(slots=True)
class Turn:
    """A generation in the making: the `attempt`-th try at it, counted from 0.

    `made` are the parts that it has so far and `said` what their steps said. It is
    set `aside` when it is to be finished, but not as the loop's own generation.
    """

    registry: Registry
    workshop: Workshop
    spec: LoopSpec
    journal: Journal
    progress: Progress
    steps: Mapping[str, Step]
    launcher: Launcher
    generation: int
    attempt: int
    config: str
    resolved: Mapping[str, Any]
    reuse: Reuse
    budgets: Budgets
    made: Parts = field(default_factory=Parts)
    said: Said = field(default_factory=Said)
    aside: str = ""

    def run(
        self,
        name: str,
        inputs: Mapping[str, str],
        folders: Mapping[str, Path] | None = None,
        facts: Mapping[str, Any] | None = None,
    ) -> Made:
        """Run a step, or recall or take over what was done before.

        Args:
            name: generate, check, mix, train or evaluate.
            inputs: commits that it reads, by role.
            folders: more that it reads, which config and inputs determine.
            facts: what it reads that is no files, as JSON.

        Raises:
            LineageError: when the step fails; an event records that it did.
        """
        task = self._task(name, inputs, folders or {}, facts or {})
        place = f"{name}-{task.key[:16]}"
        output, scratch = self.workshop.step(self.generation, self.attempt, place)
        known = self._recall(task, output) or self._take(task, output)
        return known or self._do(task, output, scratch)

    def _task(
        self,
        name: str,
        inputs: Mapping[str, str],
        folders: Mapping[str, Path],
        facts: Mapping[str, Any],
    ) -> Task:
        step = self.steps[name]
        seed = shard_seed(self.spec.seed, self.generation, name, self.attempt)
        key = step_key(
            self.registry,
            step,
            name=name,
            config=self.resolved,
            generation=self.generation,
            seed=seed,
            inputs=inputs,
            folders=folders,
            facts=facts,
        )
        activity = self.activity(name)
        return Task(name, step, step.code, seed, key, inputs, folders, facts, activity)

    def _recall(self, task: Task, output: Path) -> Made | None:
        """What an earlier run of this loop did in this very try."""
        done = self.journal.done.get(task.key)
        if done is None or done.inputs != task.inputs:
            return None
        self.progress.recalled(task.activity)
        return Made(done.result, output, task.code, done.circumstances, done.subject)

    def _take(self, task: Task, output: Path) -> Made | None:
        """What another turn did: the same files, to be recorded as our own."""
        taken = self.reuse.take(task.key, output)
        if taken is None:
            return None
        self.progress.reused(task.activity, taken.where)
        data = {**self._told(task, taken.result), "reused": taken.source}
        del data["environment"]  # where it was done, its own event tells
        return Made(taken.result, output, task.code, data)

    def _do(self, task: Task, output: Path, scratch: Path) -> Made:
        """Run it, unless a person has to look first."""
        self.budgets.hold(self.journal)
        files = {role: self.workshop.input(id_) for role, id_ in task.inputs.items()}
        job = Job(
            step=task.name,
            generation=self.generation,
            attempt=self.attempt,
            seed=task.seed,
            spec=self.spec,
            inputs=files | dict(task.folders),
            ids=task.inputs,
            roots=self._roots(task.inputs),
            output=output,
            scratch=scratch,
            facts=task.facts,
            launcher=self.launcher,
            advance=self._advance(task.activity),
        )
        result, spent = self._work(task.step, job, task.activity)
        data = {**spent, **self._told(task, result)}
        self.budgets.spend(data)
        return Made(result, output, task.code, data)

    def _told(self, task: Task, result: Result) -> dict[str, Any]:
        """What the event of a step says of it, beside what it took."""
        return self.circumstances(
            step=task.name,
            key=task.key,
            seed=task.seed,
            inputs=dict(task.inputs),
            result=record_of(result),
        )

    def record(
        self,
        made: Made,
        kind: str,
        part: str,
        edges: Iterable[Edge],
        origin: Mapping[str, Any] | None = None,
    ) -> str:
        """Commit what a step wrote as a part of the generation; returns its id.

        `origin` is where its records are from, unless the step says it.
        """
        if made.id:
            return made.id
        id_ = self.commit(
            kind,
            self.spec.name if kind == "model" else f"{self.spec.name}-{part}",
            made.output,
            edges=edges,
            part=part,
            params={"generation": self.generation, "attempt": self.attempt},
            metrics=made.result.metrics,
            code=made.code,
            origin=made.result.origin or origin,
            circumstances=made.data,
        )
        self.workshop.keep(id_, made.output)
        return id_

    def note(self, made: Made, type_: str, subject: str) -> None:
        """Record a step that wrote no files as an event about `subject`."""
        if not made.id:
            message = f"generation {self.generation} of {self.spec.name}"
            self.registry.attest(
                type_, subject=subject, message=message, data=made.data
            )

    def commit(
        self,
        kind: str,
        name: str,
        path: Path | None = None,
        *,
        part: str,
        params: Mapping[str, Any],
        circumstances: Mapping[str, Any] | None = None,
        **fields: Any,
    ) -> str:
        """Commit a part under the loop's run refs; returns its id."""
        if kind == "dataset":
            params = {**params, "part": part}
        made = self.registry.commit(
            kind,
            name,
            path,
            params=params,
            ref=f"runs/{runs(self.spec.name, self.generation)}{part}",
            revise=False,
            message=f"{part} of generation {self.generation}",
            circumstances={**(circumstances or self.circumstances()), "part": part},
            **fields,
        )
        return made.id

    def activity(self, step: str) -> Activity:
        """A step of this generation, as progress shows it."""
        total = self.spec.num_generations
        return Activity(self.spec.name, self.generation, total, step)

    def circumstances(self, **more: Any) -> dict[str, Any]:
        """What every event of this turn says, and more."""
        return {
            "loop": self.spec.name,
            "generation": self.generation,
            "attempt": self.attempt,
            "environment": environment(self.spec.num_threads),
            **more,
        }

    def _roots(self, inputs: Mapping[str, str]) -> dict[str, str]:
        payloads = {r: self.registry.load(id_).payload for r, id_ in inputs.items()}
        return {role: each.root for role, each in payloads.items() if each}

    def _advance(self, activity: Activity) -> Any:
        def advance(fraction: float) -> None:
            left = remaining(activity, fraction)
            self.progress.advanced(activity, fraction, left)

        return advance

    def _work(
        self, step: Step, job: Job, activity: Activity
    ) -> tuple[Result, dict[str, Any]]:
        """Run the step; whatever goes wrong becomes one sentence and an event."""
        self.progress.started(activity)
        meter = Meter()
        try:
            result = step(job)
        except Exception as error:
            failure = _failure(job.step, error)
            tries.failed(self, job.step, failure, meter.circumstances({}))
            raise failure from error
        said = {**result.circumstances, **self.launcher.told()}
        spent = meter.circumstances(said)
        self.progress.finished(activity, spent)
        return result, spent


def _failure(step: str, error: Exception) -> LineageError:
    if isinstance(error, LineageError):
        return error
    what = str(error).strip().splitlines()
    said = f"{type(error).__name__}: {what[0]}" if what else type(error).__name__
    return LineageError(f"the {step} step failed: {said}")

"""Doing a step of a turn, or recalling or taking over what was done before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lineage.errors import LineageError, raised
from lineage.loop.running import tries
from lineage.loop.running.environment import Meter
from lineage.loop.running.journal import record_of
from lineage.loop.running.keys import step_key
from lineage.loop.running.progress import Activity, remaining
from lineage.loop.running.turn import Made
from lineage.loop.seeds import shard_seed
from lineage.loop.steps.protocol import Job, Result, Step

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from lineage.loop.running.turn import Turn


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


def run(
    turn: Turn,
    name: str,
    inputs: Mapping[str, str],
    folders: Mapping[str, Path] | None = None,
    facts: Mapping[str, Any] | None = None,
) -> Made:
    """Run a step, or recall or take over what was done before.

    Args:
        turn: whose step it is.
        name: generate, check, mix, train or evaluate.
        inputs: commits that it reads, by role.
        folders: more that it reads, which config and inputs determine.
        facts: what it reads that is no files, as JSON.

    Raises:
        LineageError: when the step fails; an event records that it did.
    """
    task = _task(turn, name, inputs, folders or {}, facts or {})
    place = f"{name}-{task.key[:16]}"
    output, scratch = turn.workshop.step(turn.generation, turn.attempt, place)
    known = _recall(turn, task, output) or _take(turn, task, output)
    return known or _do(turn, task, output, scratch)


def _task(
    turn: Turn,
    name: str,
    inputs: Mapping[str, str],
    folders: Mapping[str, Path],
    facts: Mapping[str, Any],
) -> Task:
    step = turn.steps[name]
    seed = shard_seed(turn.spec.seed, turn.generation, name, turn.attempt)
    key = step_key(
        turn.registry,
        step,
        name=name,
        config=turn.resolved,
        generation=turn.generation,
        seed=seed,
        inputs=inputs,
        folders=folders,
        facts=facts,
    )
    activity = turn.activity(name)
    return Task(name, step, step.code, seed, key, inputs, folders, facts, activity)


def _recall(turn: Turn, task: Task, output: Path) -> Made | None:
    """What an earlier run of this loop did in this very try."""
    done = turn.journal.done.get(task.key)
    if done is None or done.inputs != task.inputs:
        return None
    turn.progress.recalled(task.activity)
    return Made(done.result, output, task.code, done.circumstances, done.subject)


def _take(turn: Turn, task: Task, output: Path) -> Made | None:
    """What another turn did: the same files, to be recorded as our own."""
    taken = turn.reuse.take(task.key, output)
    if taken is None:
        return None
    turn.progress.reused(task.activity, taken.where)
    data = {**_told(turn, task, taken.result), "reused": taken.source}
    del data["environment"]  # where it was done, its own event tells
    return Made(taken.result, output, task.code, data)


def _do(turn: Turn, task: Task, output: Path, scratch: Path) -> Made:
    """Run it, unless a person has to look first."""
    turn.budgets.hold(turn.journal)
    files = {role: turn.workshop.input(id_) for role, id_ in task.inputs.items()}
    job = Job(
        step=task.name,
        generation=turn.generation,
        attempt=turn.attempt,
        seed=task.seed,
        spec=turn.spec,
        inputs=files | dict(task.folders),
        ids=task.inputs,
        roots=_roots(turn, task.inputs),
        output=output,
        scratch=scratch,
        facts=task.facts,
        launcher=turn.launcher,
        advance=_advance(turn, task.activity),
    )
    result, spent = _work(turn, task.step, job, task.activity)
    data = {**spent, **_told(turn, task, result)}
    turn.budgets.spend(data)
    return Made(result, output, task.code, data)


def _told(turn: Turn, task: Task, result: Result) -> dict[str, Any]:
    """What the event of a step says of it, beside what it took."""
    return turn.circumstances(
        step=task.name,
        key=task.key,
        seed=task.seed,
        inputs=dict(task.inputs),
        result=record_of(result),
    )


def _roots(turn: Turn, inputs: Mapping[str, str]) -> dict[str, str]:
    payloads = {r: turn.registry.load(id_).payload for r, id_ in inputs.items()}
    return {role: each.root for role, each in payloads.items() if each}


def _advance(turn: Turn, activity: Activity) -> Callable[[float], None]:
    def advance(fraction: float) -> None:
        left = remaining(activity, fraction)
        turn.progress.advanced(activity, fraction, left)

    return advance


def _work(
    turn: Turn, step: Step, job: Job, activity: Activity
) -> tuple[Result, dict[str, Any]]:
    """Run the step; whatever goes wrong becomes one sentence and an event."""
    turn.progress.started(activity)
    meter = Meter()
    try:
        result = step(job)
    except Exception as error:
        failure = _failure(job.step, error)
        tries.failed(turn, job.step, failure, meter.circumstances({}))
        raise failure from error
    said = {**result.circumstances, **turn.launcher.told()}
    spent = meter.circumstances(said)
    turn.progress.finished(activity, spent)
    return result, spent


def _failure(step: str, error: Exception) -> LineageError:
    if isinstance(error, LineageError):
        return error
    return LineageError(f"the {step} step failed: {raised(error)}")

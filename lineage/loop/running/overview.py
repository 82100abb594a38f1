"""The loops of a registry: how far each is, and why it is not further."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from lineage.errors import NotFound, UsageError
from lineage.events import backwards
from lineage.loop.branches import LOOP, branch_of, loop_of, loop_of_run, rejected_branch
from lineage.loop.reviews.acting import rejection
from lineage.loop.reviews.coverage import Coverage, coverage
from lineage.loop.reviews.labels import Audited, audits
from lineage.loop.reviews.standing import Reviews
from lineage.loop.running import journal
from lineage.loop.running.budgets import Override, Spent, overrides
from lineage.loop.running.workshop import is_held

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lineage.loop.running.journal import Journal
    from lineage.registry import Registry
    from lineage.store.event_reading import Logged
    from lineage.store.objects import Metric


@dataclass(frozen=True, slots=True)
class Reached:
    """A generation that is recorded on a loop's branch."""

    number: int
    id: str
    metrics: Mapping[str, Metric]


@dataclass(frozen=True, slots=True)
class LoopState:
    """A loop: `state` says whether it moves, `why` what holds it or was done last.

    ``running``: a runner holds it. ``waiting``: for a person's verdict on `subject`.
    ``stopped``: a gate or a person rejected `subject`. ``failed``: a step failed.
    ``unfinished``: a run ended inside a generation. ``idle``: nothing is left over.
    `budgets` says of each how much is ``spent`` since the last approval and its
    ``limit``; `overrides` are the approvals that went past one, or past a gate.
    `coverage` is what people looked at, `audit` the newest labels of its filter.
    """

    name: str
    branch: str
    state: str
    why: str
    subject: str
    generations: Sequence[Reached]
    budgets: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    overrides: Sequence[Override] = ()
    coverage: Coverage | None = None
    audit: Audited | None = None


def loops(registry: Registry, only: str | None = None) -> list[LoopState]:
    """Every loop by name, or the one called `only` (``loop/`` may stand before it).

    Raises:
        NotFound: when there is no loop of that name.
    """
    names = _names(registry)
    if only is not None:
        wanted = only if only in names else only.removeprefix(LOOP)
        if wanted not in names:
            hint = "`lineage loop status` lists the loops"
            raise NotFound(f"there is no loop called {wanted!r}", hint=hint)
        names = {wanted}
    reviews = Reviews.read(registry)
    log = _Log(registry)
    return [_state(registry, reviews, log, name) for name in sorted(names)]


class _Log:
    """The events of each loop, newest first: read when asked for, once for all."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    @cached_property
    def of(self) -> Mapping[str, Sequence[Logged]]:
        """By the loop's name."""
        found: dict[str, list[Logged]] = defaultdict(list)
        for logged in self._registry.events_log.iterate():
            if isinstance(loop := logged.event.data.get("loop"), str):
                found[loop].append(logged)
        return found


def _names(registry: Registry) -> set[str]:
    """From the branches, and the parts of a first generation in the making."""
    heads = registry.events_log.names("heads")
    begun = map(loop_of_run, registry.events_log.names("runs"))
    return {loop_of(name) for name in heads if name.startswith(LOOP)}.union(begun)


def _state(registry: Registry, reviews: Reviews, log: _Log, name: str) -> LoopState:
    try:
        known = journal.read(registry, name)
    except UsageError as error:  # generations that somebody committed by hand
        return LoopState(name, branch_of(name), "idle", str(error), "", ())
    state, why, subject = _standing(registry, reviews, known, name)
    found = audits(registry, name, reviews.log)
    return LoopState(
        name,
        branch_of(name),
        state,
        why,
        subject,
        _reached(registry, known),
        _budgets(registry, known, log, name),
        overrides(name, reviews.log),
        coverage(registry.load, name, known.generations, reviews.log, reviews.ballots),
        found[-1] if found else None,
    )


def _budgets(
    registry: Registry, known: Journal, log: _Log, name: str
) -> dict[str, dict[str, float]]:
    """What is spent of the budgets that the newest generation's config has."""
    if not known.generations:
        return {}
    newest = journal.parts(registry, known.generations[-1])
    said = registry.load(newest.config).params.get("budgets") if newest.config else {}
    limits = {n: limit for n, limit in (said or {}).items() if limit is not None}
    if not limits:
        return {}
    return Spent.told(registry, name, log.of.get(name, ())).of(limits)


def _reached(registry: Registry, known: Journal) -> list[Reached]:
    commits = [(id_, registry.load(id_)) for id_ in known.generations]
    return [
        Reached(number, id_, commit.metrics)
        for number, (id_, commit) in enumerate(commits)
    ]


def _standing(
    registry: Registry, reviews: Reviews, known: Journal, name: str
) -> tuple[str, str, str]:
    """State, reason, and the commit that both are about."""
    number = len(known.generations)
    if is_held(registry, name):
        return "running", _progress(known, number), ""
    for waiting in reviews.waiting.values():
        if waiting.loop == name and _is_open(known, waiting.subject):
            return "waiting", waiting.why, waiting.subject
    failure = _failure(registry, name)
    if failure:
        return "failed", failure, ""
    if known.action in ("stop", "rollback"):
        verdict = known.verdicts.get(known.rejected)
        why = rejection(verdict) if verdict else known.why
        return "stopped", why, known.rejected
    if known.done or not known.generations:
        return "unfinished", _progress(known, number), ""
    return "idle", "", ""


def _is_open(known: Journal, subject: str) -> bool:
    """Whether the loop would still stop at `subject`: it may have gone elsewhere."""
    return subject in known.ballots or subject in known.generations[-1:]


def _progress(known: Journal, number: int) -> str:
    steps = [str(done.circumstances.get("step")) for done in known.done.values()]
    made = f" has {', '.join(reversed(steps))}" if steps else ""
    return f"generation {number}{made}" if made else ""


def _failure(registry: Registry, name: str) -> str:
    """What the loop's newest event says, when it is the failure of a step."""
    for _, event in backwards(registry):
        if event.data.get("loop") == name:
            failed = event.type == "failed step"
            return str(event.data.get("error", event.message)) if failed else ""
    return ""


def stopped_try(registry: Registry, name: str) -> str:
    """What the newest stopped try of a loop is called: a branch, or a short id.

    One that `action: branch` has kept is not on `loop/NAME@rejected`.
    """
    branch, stopped = (
        rejected_branch(name),
        journal.read(registry, name).rejected,
    )
    kept = registry.target(f"heads/{branch}")
    return branch if kept and kept.id == stopped else stopped[:12]

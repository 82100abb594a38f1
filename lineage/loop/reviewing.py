"""Where a person or a gate decides: go on, stop, or wait.

A pause is an event `review_requested` about a commit, a decision an event `review`
about the same commit with `data: {"verdict": "approve" | "reject", "by", "note",
"override"}`. Neither changes a commit; the next run acts on what it finds.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

from lineage.errors import GateFailed, WaitingForReview
from lineage.loop import parts
from lineage.loop.journal import REQUEST, approved, branch, rejected_branch, runs
from lineage.store.views import Move, Target

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lineage.loop.journal import Journal, Parts
    from lineage.loop.spec import LoopSpec
    from lineage.loop.steps.protocol import Result
    from lineage.loop.turn import Turn
    from lineage.registry import Registry
    from lineage.store.objects import Event, Metric

    Verdicts = Sequence[Mapping[str, Any]]

DATASET, MODEL = "dataset", "model"  # what a verdict is on


@dataclass(frozen=True, slots=True)
class Said:
    """What the steps of a generation have measured and judged so far.

    `new` are those of the `gates` that nobody has acted on yet.
    """

    metrics: Mapping[str, Metric] = field(default_factory=dict)
    gates: Sequence[Mapping[str, Any]] = ()
    new: Sequence[Mapping[str, Any]] = ()

    def then(self, on: str, *results: Result) -> Said:
        """With the verdicts of further steps, on a dataset or on a model."""
        new = [
            {"action": "stop", **gate, "on": on}
            for result in results
            for gate in result.gates
        ]
        return Said(self.metrics, [*self.gates, *new], new)


def settle(registry: Registry, spec: LoopSpec, journal: Journal) -> None:
    """Hold the loop at a generation that is due for review until it is approved.

    Raises:
        WaitingForReview: nobody has decided.
        GateFailed: it was rejected; the branch is back at the generation before.
    """
    number, tip = len(journal.generations) - 1, journal.generations[-1]
    why = _due(registry, spec, number, tip)
    if not why:
        return
    verdict = journal.verdicts.get(tip)
    if verdict is None:
        data = {"loop": spec.name, "generation": number, "on": "generation"}
        _ask(registry, journal, tip, data | {"why": why})
    if not approved(verdict):
        _roll_back(registry, spec.name, journal, verdict)


def _due(registry: Registry, spec: LoopSpec, number: int, generation: str) -> str:
    """Why a person has to look at a generation; "" if nobody has to."""
    gates = registry.load(generation).gates or ()
    failed = [gate for gate in gates if gate.get("on") == MODEL and _failed(gate)]
    if failed:
        return _reason(failed)
    every = spec.review.every if spec.review else 0
    if not every or not number or number % every:
        return ""
    return f"every {every} generations" if every > 1 else "every generation"


def judge(turn: Turn, made: Parts, said: Said, subject: str) -> None:
    """Let new data pass, or act on the gates that they failed.

    `subject` is the dataset that a person would be asked about.

    Raises:
        WaitingForReview: a failed gate asks for a person, and nobody has decided.
        GateFailed: a failed gate, or the person, stops the loop; what there is of
            the generation is committed on the loop's branch of rejected ones.
    """
    failed = _unsettled(turn, said)
    if not made.synthetic:
        _reject(turn, made, said, _reason(failed) or "no record was left to train on")
    if any(gate["action"] != "review" for gate in failed):
        _reject(turn, made, said, _reason(failed))
    if not failed:
        return
    verdict = turn.journal.verdicts.get(subject)
    if verdict is None:
        data = turn.circumstances(on="dataset", why=_reason(failed))
        _ask(turn.registry, turn.journal, subject, data)
    if not approved(verdict):
        _reject(turn, made, said, rejection(verdict))


def judge_model(turn: Turn, made: Parts, said: Said) -> None:
    """Stop at a model that failed a gate; `settle` asks where a person has to look.

    Raises:
        GateFailed: the generation is committed, with its model, on the loop's
            branch of rejected ones.
    """
    failed = _unsettled(turn, said)
    if any(gate["action"] != "review" for gate in failed):
        _reject(turn, made, said, _reason(failed))


def _unsettled(turn: Turn, said: Said) -> Verdicts:
    """New failures, but for those that somebody has let pass in this very try."""
    return [g for g in said.new if _failed(g) and g not in turn.journal.let_pass]


def _failed(gate: Mapping[str, Any]) -> bool:
    return gate.get("verdict") == "fail"


def _reason(failed: Verdicts) -> str:
    return "; ".join(f"{g.get('id')}: {g.get('sentence', 'failed')}" for g in failed)


def rejection(verdict: Event | None) -> str:
    """Who rejected something, and what they said."""
    if verdict is None:
        return "rejected"
    by = verdict.data.get("by") or verdict.actor.get("name")
    note = verdict.data.get("note", verdict.message)
    return f"rejected by {by}" + (f": {note}" if note else "")


def _ask(
    registry: Registry, journal: Journal, subject: str, data: dict[str, Any]
) -> NoReturn:
    """Ask for a review, once, and pause."""
    what = f"{data['on']} {subject[:12]} of generation {data['generation']}"
    if subject not in journal.requested:
        registry.attest(REQUEST, subject=subject, message=data["why"], data=data)
    message = f"{branch(data['loop'])} waits for a review of the {what}: {data['why']}"
    hint = f"`lineage review show {subject[:12]}`, then approve or reject it"
    raise WaitingForReview(message, hint=hint)


def _reject(turn: Turn, made: Parts, said: Said, reason: str) -> NoReturn:
    """Commit what there is of a generation as rejected, and stop."""
    name, number = turn.spec.name, turn.generation
    branch = rejected_branch(name)
    id_ = parts.generation(turn, made, said, branch, reason, reason=reason)
    turn.registry.drop_runs(runs(name, number), included_by=id_)
    turn.workshop.clear()
    _stop(name, number, reason)


def _roll_back(
    registry: Registry, loop: str, journal: Journal, verdict: Event | None
) -> NoReturn:
    """Take the newest generation off the branch; it stays on the other one.

    Raises:
        Conflict: somebody moved the branch since we read it; it stays as it is.
    """
    head, aside = f"heads/{branch(loop)}", f"heads/{rejected_branch(loop)}"
    number = len(journal.generations) - 1
    *before, tip = (Target(i, registry.git_oid(i)) for i in journal.generations[-2:])
    reason = rejection(verdict)
    moves = [
        Move(head, tip, before[0] if before else None, kept=True),
        Move(aside, registry.target(aside), tip),
    ]
    registry.move("rollback", moves, f"generation {number} of {loop} {reason}")
    _stop(loop, number, reason)


def _stop(loop: str, generation: int, reason: str) -> NoReturn:
    message = f"generation {generation} of {branch(loop)} was stopped: {reason}"
    hint = (
        f"it is kept on {rejected_branch(loop)}; "
        "run the loop again to try with another seed"
    )
    raise GateFailed(message, hint=hint)

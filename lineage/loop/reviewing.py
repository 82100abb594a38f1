"""Where a person or a gate decides: go on, stop, or wait.

A pause is an event `review_requested` about a commit, a decision an event `review`
about the same commit with `data: {"verdict": "approve" | "reject", "by", "note",
"override"}`. Neither changes a commit; the next run acts on what it finds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from lineage.errors import GateFailed, WaitingForReview
from lineage.loop.journal import REQUEST, approved, branch, rejected_branch, runs
from lineage.loop.parts import observed
from lineage.store.events import Move, Target

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lineage.loop.journal import Journal, Parts
    from lineage.loop.spec import LoopSpec
    from lineage.loop.steps.protocol import Result
    from lineage.loop.turn import Turn
    from lineage.registry import Registry
    from lineage.store.objects import Event

    Verdicts = Sequence[Mapping[str, Any]]


def settle(registry: Registry, spec: LoopSpec, journal: Journal) -> None:
    """Hold the loop at a generation that is due for review until it is approved.

    Raises:
        WaitingForReview: nobody has decided.
        GateFailed: it was rejected; the branch is back at the generation before.
    """
    number, tip = len(journal.generations) - 1, journal.generations[-1]
    if not _due(spec, number):
        return
    verdict = journal.verdicts.get(tip)
    if verdict is None:
        every = spec.review.every if spec.review else 1
        why = f"every {every} generations" if every > 1 else "every generation"
        data = {"loop": spec.name, "generation": number, "on": "generation"}
        _ask(registry, journal, tip, data | {"why": why})
    if not approved(verdict):
        _roll_back(registry, spec.name, journal, verdict)


def _due(spec: LoopSpec, generation: int) -> bool:
    return bool(spec.review and generation and generation % spec.review.every == 0)


def judge(turn: Turn, parts: Parts, checked: Result) -> None:
    """Let the new data pass, or act on the gates that they failed.

    Raises:
        WaitingForReview: a failed gate asks for a person, and nobody has decided.
        GateFailed: a failed gate, or the person, stops the loop; what there is of
            the generation is committed on the loop's branch of rejected ones.
    """
    failed = [gate for gate in checked.gates if gate.get("verdict") == "fail"]
    if not parts.synthetic:
        reason = _reason(failed) or "no record was left to train on"
        _reject(turn, parts, checked, reason)
    if not failed or turn.journal.overridden:
        return
    if any(gate.get("action") != "review" for gate in failed):
        _reject(turn, parts, checked, _reason(failed))
    verdict = turn.journal.verdicts.get(parts.synthetic)
    if verdict is None:
        data = turn.circumstances(on="dataset", why=_reason(failed))
        _ask(turn.registry, turn.journal, parts.synthetic, data)
    if not approved(verdict):
        _reject(turn, parts, checked, rejection(verdict))


def _reason(failed: Verdicts) -> str:
    return "; ".join(f"{g.get('id')}: {g.get('sentence', 'failed')}" for g in failed)


def rejection(verdict: Event | None) -> str:
    """Who rejected something, and what they said."""
    if verdict is None:
        return "rejected"
    by = verdict.data.get("by") or verdict.actor.get("name")
    note = verdict.data.get("note") or verdict.message
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


def _reject(turn: Turn, parts: Parts, checked: Result, reason: str) -> NoReturn:
    """Commit what there is of a generation as rejected, and stop."""
    name, number = turn.spec.name, turn.generation
    included = (parts.config, parts.synthetic or parts.generated)
    edges = [observed("includes", id_) for id_ in included]
    edges.append(observed("follows", turn.journal.generations[-1]))
    id_ = turn.registry.commit(
        "generation",
        name,
        edges=edges,
        params={"generation": number, "attempt": turn.attempt},
        metrics=checked.metrics,
        gates=[dict(gate) for gate in checked.gates],
        branch=rejected_branch(name),
        revise=False,
        message=reason,
        circumstances=turn.circumstances(reason=reason),
    ).id
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
    before, tip = (Target(i, registry.git_oid(i)) for i in journal.generations[-2:])
    reason = rejection(verdict)
    moves = [
        Move(head, tip, before, kept=True),
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

"""How a try at a generation ends when it does not become the generation.

Whatever there is of it is a commit, with the reason: on ``loop/NAME@rejected``, or
on a branch of its own where a gate's action is `branch`. The event of that commit
says what the loop does next, so that a run which is killed right after it goes on
in the same way.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

from lineage.errors import GateFailed, LineageError
from lineage.loop.branches import aside_branch, branch_of, rejected_branch, runs
from lineage.loop.reviews.acting import roll_back

if TYPE_CHECKING:
    from lineage.loop.running.turn import Turn


class Again(Exception):
    """A try is over and recorded; the loop goes on by itself."""


def end(turn: Turn, action: str, reason: str) -> NoReturn:
    """Commit what there is of a try, and do what `action` says.

    Raises:
        Again: to try with another seed, or to fall back to the parent.
        GateFailed: the loop stops.
    """
    name, number = turn.spec.name, turn.generation
    place = rejected_branch(name)
    if action == "branch":
        place = aside_branch(name, number, turn.attempt)
    action, reason = _possible(turn, action, reason)
    id_ = turn.commit_generation(place, reason, reason=reason, action=action)
    turn.registry.drop_runs(runs(name, number), included_by=id_)
    turn.workshop.clear()
    if action == "rollback":
        roll_back(turn.registry, name, turn.journal.generations, reason)
    if action in ("stop", "rollback"):
        stop(name, number, reason, place)
    turn.progress.set_aside(turn.activity(action), place, reason)
    raise Again


def _possible(turn: Turn, action: str, reason: str) -> tuple[str, str]:
    """The action that can be taken, and the reason with what keeps another away."""
    if action == "fallback" and not turn.generation:
        return "stop", f"{reason} (generation 0 has no parent to fall back to)"
    if action in ("retry", "branch"):
        used, most = turn.attempt, turn.spec.retries
        if used >= most:
            return "stop", reason + (f" (retried {used} times)" if most else "")
        return "retry", reason
    return action, reason


def stop(loop: str, generation: int, reason: str, place: str = "") -> NoReturn:
    """Say why a loop stops and where its try is kept.

    Raises:
        GateFailed: always.
    """
    message = f"generation {generation} of {branch_of(loop)} was stopped: {reason}"
    hint = (
        f"it is kept on {place or rejected_branch(loop)}; "
        "run the loop again to try with another seed"
    )
    raise GateFailed(message, hint=hint)


def failed(turn: Turn, step: str, error: LineageError, spent: dict[str, float]) -> None:
    """Record a failed step, if the disk that may have failed it allows.

    What the generation has by then is a commit on the branch of rejected ones. It
    ends no try: the loop goes on with this step when it is run again.
    """
    message = f"generation {turn.generation}, {step}: {error}"
    data = turn.circumstances(step=step, error=str(error), **spent)
    with suppress(LineageError):
        subject = turn.journal.generations[-1] if turn.generation else None
        if turn.made.config:
            place = rejected_branch(turn.spec.name)
            more = {"failed": step}
            subject = turn.commit_generation(
                place, message, more, reason=str(error), action="failed"
            )
        turn.registry.attest("failed step", subject=subject, message=message, data=data)

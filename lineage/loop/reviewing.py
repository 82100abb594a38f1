"""Where a person or a gate decides: go on, stop, or wait.

A pause is an event `review_requested` about a commit, a decision an event `review`
about the same commit with `data: {"verdict": "approve" | "reject", "by", "note",
"override"}`. Neither changes a commit; the next run acts on what it finds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from lineage.errors import WaitingForReview
from lineage.loop import tries
from lineage.loop.journal import REQUEST, approved, branch, rejected_branch, runs
from lineage.loop.verdicts import MODEL, action_of, has_failed, leads_to, reason
from lineage.store.views import Move, Target

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lineage.loop.journal import Journal
    from lineage.loop.spec import LoopSpec
    from lineage.loop.turn import Turn
    from lineage.registry import Registry
    from lineage.store.objects import Event


def settle(registry: Registry, spec: LoopSpec, journal: Journal) -> None:
    """Hold the loop at a generation that is due for review until it is approved.

    Raises:
        WaitingForReview: nobody has decided.
        GateFailed: it was rejected; the branch is back at the generation before.
    """
    number, tip = len(journal.generations) - 1, journal.generations[-1]
    verdict = journal.verdicts.get(tip)
    if verdict is not None and not approved(verdict):
        _roll_back(registry, spec.name, journal, verdict)
    why = _due(registry, spec, number, tip)
    if why and verdict is None:
        data = {"loop": spec.name, "generation": number, "on": "generation"}
        _ask(registry, journal, tip, data | {"why": why})


def ask_for_more(
    registry: Registry,
    spec: LoopSpec,
    journal: Journal,
    budgets: Mapping[str, Any],
    why: str,
) -> NoReturn:
    """Ask about the newest generation since `budgets` are spent.

    Raises:
        WaitingForReview: always.
    """
    number, tip = len(journal.generations) - 1, journal.generations[-1]
    data = {"loop": spec.name, "generation": number, "on": "generation"}
    _ask(registry, journal, tip, data | {"why": why, "budgets": dict(budgets)})


def _due(registry: Registry, spec: LoopSpec, number: int, generation: str) -> str:
    """Why a person has to look at a generation; "" if nobody has to."""
    gates = registry.load(generation).gates or ()
    failed = [gate for gate in gates if gate.get("on") == MODEL and has_failed(gate)]
    failed = [gate for gate in failed if action_of(gate) != "warn"]
    if failed:
        return reason(failed)
    every = spec.review.every if spec.review else 0
    if not every or not number or number % every:
        return ""
    return f"every {every} generations" if every > 1 else "every generation"


def judge(turn: Turn, subject: str) -> None:
    """Let new data pass, or act on the gates that they failed.

    `subject` is the dataset that a person would be asked about.

    Raises:
        WaitingForReview: a failed gate asks for a person, and nobody has decided.
        Again: the try is over, and the loop goes on by itself.
        GateFailed: a failed gate, or the person, stops the loop.
    """
    failed = turn.said.failures(turn.journal.let_pass)
    action, why = leads_to(failed), reason(failed)
    if not turn.made.synthetic:
        tried = {"retry": "retry", "branch": "retry", "fallback": "fallback"}
        ends = tried.get(action, "stop")  # there is nothing to finish or to look at
        tries.end(turn, ends, why or "no record was left to train on")
    if action == "review":
        verdict = turn.journal.verdicts.get(subject)
        if verdict is None:
            data = turn.circumstances(on="dataset", why=why)
            _ask(turn.registry, turn.journal, subject, data)
        if not approved(verdict):
            tries.end(turn, "stop", rejection(verdict))
    elif action == "branch":
        turn.aside = turn.aside or why
    elif action:
        tries.end(turn, action, why)


def judge_model(turn: Turn) -> None:
    """Act on the gates that a model failed; `settle` asks where a person has to look.

    Raises:
        Again: the try is over, and the loop goes on by itself.
        GateFailed: a failed gate stops the loop; the generation is committed, with
            its model, on the loop's branch of rejected ones.
    """
    failed = turn.said.failures(turn.journal.let_pass)
    action, why = leads_to(failed), reason(failed)
    if action == "branch":
        turn.aside = turn.aside or why
    elif action and action != "review":
        tries.end(turn, action, why)
    if turn.aside:
        tries.end(turn, "branch", turn.aside)


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
    registry.drop_runs(runs(loop, number + 1))
    tries.stop(loop, number, reason)

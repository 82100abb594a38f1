"""Where a person or a gate decides: go on, stop, or wait.

A pause is an event `review_requested` about a commit, a decision an event `review`
about the same commit with `data: {"verdict": "approve" | "reject", "by", "note",
"override"}`. Neither changes a commit; the next run acts on what it finds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lineage.loop.reviews import acting
from lineage.loop.reviews.acting import rejection
from lineage.loop.running import tries
from lineage.loop.running.journal import approved
from lineage.loop.running.verdicts import MODEL, action_of, leads_to, reason
from lineage.turns import has_failed

if TYPE_CHECKING:
    from lineage.loop.running.journal import Journal
    from lineage.loop.running.turn import Turn
    from lineage.loop.spec import LoopSpec
    from lineage.registry import Registry


def settle(registry: Registry, spec: LoopSpec, journal: Journal) -> bool:
    """Hold the loop at a generation that is due for review until it is approved.

    Returns whether the branch went back, and the loop goes on from there.

    Raises:
        WaitingForReview: nobody has decided.
        GateFailed: it was rejected; the branch is back at an earlier generation.
        VerificationError: the verdict is about something else than what is there.
    """
    _end_rollback(registry, spec.name, journal)
    number, tip = len(journal.generations) - 1, journal.generations[-1]
    verdict = acting.verdict(registry, journal, tip)
    if verdict is not None and not approved(verdict):
        if acting.go_back(registry, spec, journal, verdict):
            return True
        tries.stop(spec.name, number, rejection(verdict))
    gone = acting.margin_gone(registry, spec.name, journal.generations)
    why = _failures(registry, tip) or acting.due(registry, spec, number, tip)
    if gone or (verdict is None and (why or acting.asked(journal, tip))):
        why = "; ".join(filter(None, (why, gone))) or acting.asked(journal, tip)
        data = {"generation": number, "on": "generation", "why": why}
        acting.ask(registry, spec, journal, tip, data)
    return False


def _end_rollback(registry: Registry, loop: str, journal: Journal) -> None:
    """Take the branch back where a kill came before that.

    Raises:
        GateFailed: as the run would have that was killed.
    """
    ids, why = journal.generations, journal.why
    if journal.action == "rollback" and acting.roll_back(registry, loop, ids, why):
        tries.stop(loop, len(ids), why)


def _failures(registry: Registry, generation: str) -> str:
    """What gates have against a model, for a person to look at; "" for nothing."""
    gates = registry.load(generation).gates or ()
    failed = [gate for gate in gates if gate.get("on") == MODEL and has_failed(gate)]
    return reason([gate for gate in failed if action_of(gate) != "warn"])


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
        verdict = acting.verdict(turn.registry, turn.journal, subject)
        if verdict is None:
            data = turn.circumstances(on="dataset", why=why)
            acting.ask(turn.registry, turn.spec, turn.journal, subject, data)
        if not approved(verdict):
            follows = turn.spec.review.on_reject if turn.spec.review else "stop"
            tries.end(turn, follows, rejection(verdict))
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

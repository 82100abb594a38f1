"""Deciding: a person's verdict on what waits, or on what a gate stopped.

The loop acts on the verdict when it runs again. What waits is in `standing`, when a
verdict counts in `ballots`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from lineage.errors import NotAllowed, UsageError
from lineage.loop.branches import rejected_branch
from lineage.loop.reviews import packet
from lineage.loop.reviews.asking import place_of, question
from lineage.loop.reviews.ballots import REQUEST, VERDICT, Ballot
from lineage.loop.reviews.coverage import seconds
from lineage.loop.reviews.packet import gates_of
from lineage.loop.reviews.standing import Reviews, verdict_of
from lineage.loop.reviews.terms import terms_of
from lineage.loop.running.journal import is_failure, left_nothing
from lineage.store.disk import disk_errors
from lineage.store.events import now
from lineage.store.objects import Event
from lineage.turns import failed_gates
from lineage.wording import plural

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lineage.loop.reviews.standing import Decision
    from lineage.registry import Registry

Word = Literal["approve", "reject"]


def decide(
    registry: Registry, name: str | None, verdict: Word, note: str = "", **more: Any
) -> Decision:
    """Record the verdict on what waits of whoever signs or, without keys, git says.

    `name` is as in `Reviews.find`. A generation that a gate stopped waits for
    nobody, but can still be approved, while it is the newest of its loop's rejected
    ones: an override, which asks for the review that it answers. `more` goes into
    the event.

    Raises:
        NotFound: nothing waits, or there is no such commit.
        UsageError: it does not wait for review, or was decided on before, or this
            person has approved it.
        NotAllowed: it failed a gate, or budgets are spent, and `note` gives no reason
            to approve it; or the key that signs here is no reviewer's.
        VerificationError: what was asked about is not what is there.
    """
    with disk_errors("recording the review"), registry.events_log.locked() as lock:
        reviews = Reviews.read(registry)
        subject = reviews.find(registry, name)
        loop = _loop_of(registry, reviews, subject, verdict)
        budgets = _budgets(reviews, subject) if verdict == "approve" else {}
        failed = overridden_gates(registry, subject) if verdict == "approve" else []
        check_reason(subject, note, failed, budgets)
        by, person = person_here(registry)
        ballot = _ballot(registry, reviews, subject, lock)
        _check_first(ballot, person, by, verdict)
        if ballot.packet:
            packet.check(registry, ballot.packet, subject)
        event = Event(
            VERDICT,
            now(),
            registry.actor(),
            note or f"{verdict} {loop}",
            subject=subject,
            data={
                "loop": loop,
                "verdict": verdict,
                "by": by,
                "note": note,
                **_overriding(failed, budgets),
                **({"packet": ballot.packet["sha256"]} if ballot.packet else {}),
                **more,
            },
        )
        logged = registry.record(event, lock=lock).event
    return _answer(ballot, logged, person)


def _overriding(failed: list[str], budgets: Mapping[str, Any]) -> dict[str, Any]:
    """What an approval says of the gates and the budgets that it overrides."""
    return {
        "override": bool(failed or budgets),
        **({"failed": failed} if failed else {}),
        **({"budgets": dict(budgets)} if budgets else {}),
    }


def _ballot(registry: Registry, reviews: Reviews, subject: str, lock: int) -> Ballot:
    """The ballot on a commit; a new one where nobody was asked for its review."""
    ballot = reviews.ballots.get(subject) if subject in reviews.waiting else None
    if ballot is None or ballot.request is None:
        needed = terms_of(registry.load, subject).approvals
        ballot = Ballot(subject, needed, _ask(registry, subject, lock))
    return ballot


def person_here(registry: Registry) -> tuple[str, str]:
    """The name and the address of whoever would sign now."""
    key, actor = registry.signer.entry(registry.signer.path()), registry.actor()
    return (key.name, key.email) if key else (actor["name"], actor["email"])


def _ask(registry: Registry, subject: str, lock: int) -> Event:
    """Ask in a person's own name for the review that they are about to give."""
    why = str(registry.first_event(subject).message or "stopped by a gate")
    asked = question(
        registry,
        subject,
        place_of(registry, subject),
        terms_of(registry.load, subject),
        on=registry.load(subject).kind,
        why=why,
    )
    event = Event(REQUEST, now(), registry.actor(), why, subject=subject, data=asked)
    return registry.record(event, lock=lock).event


def _check_first(ballot: Ballot, person: str, by: str, verdict: Word) -> None:
    """One person is one approval, however often they give it."""
    if verdict == "approve" and person.casefold() in ballot.people:
        missing = ballot.needed - len(ballot.people)
        message = f"{by} has approved {ballot.subject[:12]} already, which counts once"
        people = plural(missing, "more person has", "more people have")
        raise UsageError(message, hint=f"{people} to approve it")


def _answer(ballot: Ballot, event: Event, person: str) -> Decision:
    """The verdict just recorded, with how many more are needed."""
    made = verdict_of(event, ballot.subject)
    have = {*ballot.people, person.casefold()}
    if made.verdict == "approve":
        made = replace(made, missing=ballot.needed - len(have))
    ballot.verdicts.append(event)
    if made.verdict == "reject":
        ballot.rejected = event
    else:
        ballot.people[person.casefold()] = event
    decided = ballot.decided is not None and ballot.request is not None
    return replace(made, seconds=seconds(ballot)) if decided else made


def _loop_of(registry: Registry, reviews: Reviews, subject: str, verdict: Word) -> str:
    """The loop that waits for a verdict on `subject`, or could take one."""
    if subject in reviews.waiting:
        return reviews.waiting[subject].loop
    done = verdict_on(registry, reviews, subject)
    if done:
        message = f"{subject[:12]} was {done.past} before, by {done.by}"
        raise UsageError(message, hint="a verdict is given once and stays")
    commit = registry.load(subject)
    stopped = registry.target(f"heads/{rejected_branch(commit.name)}")
    tried = stopped and stopped.id == subject and not is_failure(commit)
    if verdict == "approve" and tried:
        if left_nothing(registry, subject):
            message = f"{subject[:12]} has no record that a model could train on"
            raise UsageError(message, hint="run the loop again: it tries another seed")
        return commit.name
    hint = "`lineage review list` shows what does"
    message = f"{subject[:12]} ({commit.kind} {commit.name}) does not wait for review"
    raise UsageError(message, hint=hint)


def verdict_on(registry: Registry, reviews: Reviews, subject: str) -> Decision | None:
    """The verdict on a commit, or the one that rejected a part of a generation."""
    if subject in reviews.decided:
        return reviews.decided[subject]
    parts = registry.load(subject).ids("includes")
    found = (reviews.decided[id_] for id_ in parts if id_ in reviews.decided)
    return next((done for done in found if done.verdict == "reject"), None)


def can_be_approved(registry: Registry, loop: str) -> bool:
    """Whether a person could let the newest rejected generation of a loop pass."""
    stopped = registry.target(f"heads/{rejected_branch(loop)}")
    if stopped is None or is_failure(registry.load(stopped.id)):
        return False
    if left_nothing(registry, stopped.id):
        return False
    return verdict_on(registry, Reviews.read(registry), stopped.id) is None


def overridden_gates(registry: Registry, subject: str) -> list[str]:
    """The gates that approving a commit overrides."""
    return failed_gates(gates_of(registry, subject))


def check_reason(
    subject: str, note: str, failed: list[str], budgets: Mapping[str, Any]
) -> None:
    """Refuse to override a gate or a budget without a reason.

    Raises:
        NotAllowed: there is none.
    """
    if (failed or budgets) and not note.strip():
        message = f"{subject[:12]} {_against(failed, budgets)}; to override that"
        hint = "give it with --note"
        raise NotAllowed(f"{message} needs a reason", hint=hint)


def _budgets(reviews: Reviews, subject: str) -> Mapping[str, Any]:
    """The budgets that are spent, where that is why a commit waits."""
    waiting = reviews.waiting.get(subject)
    return waiting.budgets if waiting else {}


def _against(failed: list[str], budgets: Mapping[str, Any]) -> str:
    """What an approval would override."""
    spent = f"waits as {' and '.join(sorted(budgets))} of its loop are spent"
    gates = f"failed {_listed(failed)}"
    return " and ".join([gates] * bool(failed) + [spent] * bool(budgets))


def _listed(gates: list[str]) -> str:
    return f"the gate{'s' if len(gates) > 1 else ''} {', '.join(gates)}"

"""Human review: what waits, what was decided, and deciding.

A loop that pauses appends an event `review_requested` about the commit that waits:
a generation, or a dataset that failed a gate. A person's verdict is an event
`review` about the same commit. Nothing else is stored, so what waits is what was
asked for and not decided since; the loop acts on the verdict when it runs again.
When a verdict counts is said in `lineage.loop.reviews.ballots`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from lineage.errors import Ambiguous, NotAllowed, NotFound, UsageError
from lineage.loop.reviews import packet
from lineage.loop.reviews.asking import place_of, question
from lineage.loop.reviews.ballots import REQUEST, VERDICT, Ballot, ballots
from lineage.loop.reviews.coverage import seconds
from lineage.loop.reviews.packet import gates_of
from lineage.loop.reviews.terms import terms_of
from lineage.loop.running.journal import (
    branch,
    is_failure,
    left_nothing,
    rejected_branch,
)
from lineage.store.disk import disk_errors
from lineage.store.events import now
from lineage.store.objects import Event

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lineage.registry import Registry
    from lineage.store.events import Logged

Word = Literal["approve", "reject"]
_PAST = {"approve": "approved", "reject": "rejected"}


@dataclass(frozen=True, slots=True)
class Waiting:
    """A commit that waits for a verdict, who asked for one and why.

    `approved_by` are those of the `approvals` people who have said yes.
    """

    subject: str
    loop: str
    generation: int
    on: str
    why: str
    time: str
    event: str
    approvals: int = 1
    approved_by: Sequence[str] = ()
    budgets: Mapping[str, Any] = field(default_factory=dict)  # those that are spent


@dataclass(frozen=True, slots=True)
class Decision:
    """A person's verdict: `override` when it let something pass all the same.

    That is what failed the gates `failed`, or what comes after `budgets` were spent.
    `packet` is the hash of what they were shown, `seconds` the time since it was
    asked for. `missing` more people have to approve; `edited` is the dataset that
    the loop trains on instead.
    """

    subject: str
    verdict: str
    by: str
    note: str
    override: bool
    time: str
    event: str
    packet: str | None = None
    seconds: float | None = None
    missing: int = 0
    edited: str | None = None
    failed: Sequence[str] = ()
    budgets: Mapping[str, Any] = field(default_factory=dict)

    @property
    def past(self) -> str:
        """The verdict as what happened."""
        return _PAST.get(self.verdict, "judged")


@dataclass(frozen=True, slots=True)
class Reviews:
    """What the log says of reviews: by subject, newest first."""

    waiting: dict[str, Waiting] = field(default_factory=dict)
    decided: dict[str, Decision] = field(default_factory=dict)
    newest: dict[str, str] = field(default_factory=dict)  # subject by loop
    ballots: dict[str, Ballot] = field(default_factory=dict)
    log: Sequence[Logged] = ()

    @classmethod
    def read(cls, registry: Registry) -> Reviews:
        """One pass over the log; of each subject the newest request counts."""
        log = [logged for logged in registry.events_log.iterate() if _told(logged)]
        reviews = cls(ballots=ballots(registry, log), log=log)
        for subject, ballot in reviews.ballots.items():
            if ballot.decided:
                reviews.decided[subject] = decision(ballot)
                loop = str(ballot.decided.data.get("loop"))
                reviews.newest.setdefault(loop, subject)
            elif ballot.request:
                reviews.waiting[subject] = _waiting(ballot, ballot.request)
        return reviews

    def find(self, registry: Registry, name: str | None) -> str:
        """The commit that `name` means: a revision, a loop, or None.

        A loop means what waits in it or else was decided last, and None the only
        commit that waits.

        Raises:
            NotFound: when nothing waits, or `name` is no revision.
            Ambiguous: for None, when several commits wait.
        """
        if name is None:
            return self._only()
        for waiting in self.waiting.values():
            if name in (waiting.loop, branch(waiting.loop)):
                return waiting.subject
        try:
            return registry.resolve(name)
        except NotFound:
            if name not in self.newest:
                raise
            return self.newest[name]

    def _only(self) -> str:
        if not self.waiting:
            hint = "`lineage loop status` shows how far the loops are"
            raise NotFound("nothing waits for review", hint=hint)
        if len(self.waiting) > 1:
            lines = [f"{w.subject[:12]} ({w.loop})" for w in self.waiting.values()]
            raise Ambiguous(f"{len(lines)} commits wait for review", lines)
        return next(iter(self.waiting))


def _told(logged: Logged) -> bool:
    return logged.event.type in (REQUEST, VERDICT, "label", "override")


def _waiting(ballot: Ballot, request: Event) -> Waiting:
    data = request.data
    return Waiting(
        subject=ballot.subject,
        loop=str(data.get("loop", "")),
        generation=int(data.get("generation", 0)),
        on=str(data.get("on", "generation")),
        why=str(data.get("why", request.message)),
        time=request.time,
        event=request.id,
        approvals=ballot.needed,
        approved_by=tuple(_by(event) for event in ballot.people.values()),
        budgets=data.get("budgets", {}),
    )


def _by(event: Event) -> str:
    return str(event.data.get("by") or event.actor.get("name", ""))


def decision(ballot: Ballot) -> Decision:
    """What was decided; of several who approved all are named."""
    event = ballot.decided
    assert event is not None
    made = _decision(event, ballot.subject)
    names = [_by(one) for one in ballot.people.values()][: ballot.needed]
    if event is not ballot.rejected and len(names) > 1:
        made = replace(made, by=f"{', '.join(names[:-1])} and {names[-1]}")
    return replace(made, seconds=seconds(ballot)) if ballot.request else made


def _decision(event: Event, subject: str) -> Decision:
    data = event.data
    return Decision(
        subject=subject,
        verdict=str(data.get("verdict", "")),
        by=_by(event),
        note=str(data.get("note", event.message)),
        override=bool(data.get("override")),
        time=event.time,
        event=event.id,
        packet=data.get("packet"),
        edited=data.get("edited"),
        failed=tuple(data.get("failed", ())),
        budgets=data.get("budgets", {}),
    )


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
        failed = failed_gates(registry, subject) if verdict == "approve" else []
        check_reason(subject, note, failed, budgets)
        by, person = person_here(registry)
        ballot = reviews.ballots.get(subject) if subject in reviews.waiting else None
        if ballot is None or ballot.request is None:
            needed = terms_of(registry, subject).approvals
            ballot = Ballot(subject, needed, _ask(registry, subject, lock))
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
                "override": bool(failed or budgets),
                **({"failed": failed} if failed else {}),
                **({"budgets": dict(budgets)} if budgets else {}),
                **({"packet": ballot.packet["sha256"]} if ballot.packet else {}),
                **more,
            },
        )
        logged = registry.record(event, lock=lock).event
    return _answer(ballot, logged, person)


def person_here(registry: Registry) -> tuple[str, str]:
    """The name and the address of whoever would sign now."""
    key, actor = registry.signer.entry(registry.signer.path()), registry.actor()
    return (key.name, key.email) if key else (actor["name"], actor["email"])


def _ask(registry: Registry, subject: str, lock: int) -> Event:
    """Ask in a person's own name for the review that they are about to give."""
    why = str(registry.entry(subject).message or "stopped by a gate")
    asked = question(
        registry,
        subject,
        place_of(registry, subject),
        terms_of(registry, subject),
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
        people = "person has" if missing == 1 else "people have"
        raise UsageError(message, hint=f"{missing} more {people} to approve it")


def _answer(ballot: Ballot, event: Event, person: str) -> Decision:
    """The verdict just recorded, with how many more are needed."""
    made = _decision(event, ballot.subject)
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


def failed_gates(registry: Registry, subject: str) -> list[str]:
    """The gates that approving a commit overrides."""
    verdicts = gates_of(registry, subject)
    return [str(gate.get("id")) for gate in verdicts if gate.get("verdict") == "fail"]


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

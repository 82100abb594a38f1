"""Human review: what waits, what a person is shown, what they decide.

A loop that pauses appends an event `review_requested` about the commit that waits:
a generation, or a dataset that failed a gate. A person's verdict is an event
`review` about the same commit. Nothing else is stored, so what waits is what was
asked for and not decided since; the loop acts on the verdict when it runs again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from lineage.errors import Ambiguous, NotAllowed, NotFound, UsageError
from lineage.loop.journal import (
    REQUEST,
    VERDICT,
    branch,
    is_failure,
    left_nothing,
    rejected_branch,
)
from lineage.loop.packets import gates_of
from lineage.store.disk import disk_errors
from lineage.store.events import now
from lineage.store.objects import Event

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lineage.registry import Registry

Word = Literal["approve", "reject"]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A commit that waits for a verdict, who asked for one and why."""

    subject: str
    loop: str
    generation: int
    on: str
    why: str
    time: str
    event: str
    budgets: Mapping[str, Any] = field(default_factory=dict)  # those that are spent


@dataclass(frozen=True, slots=True)
class Decision:
    """A person's verdict: `override` when it let something that failed a gate pass."""

    subject: str
    verdict: str
    by: str
    note: str
    override: bool
    time: str
    event: str

    @property
    def past(self) -> str:
        """The verdict as what happened."""
        return {"approve": "approved", "reject": "rejected"}.get(self.verdict, "judged")


@dataclass(frozen=True, slots=True)
class Reviews:
    """What the log says of reviews: by subject, newest first."""

    waiting: dict[str, Waiting] = field(default_factory=dict)
    decided: dict[str, Decision] = field(default_factory=dict)
    newest: dict[str, str] = field(default_factory=dict)  # subject by loop

    @classmethod
    def read(cls, registry: Registry) -> Reviews:
        """One pass over the log; of each subject the newest event counts."""
        reviews = cls()
        for id_, event in registry.events():
            subject = event.subject
            if subject is None or subject in reviews.waiting:
                continue
            if subject in reviews.decided:
                continue
            if event.type == REQUEST:
                reviews.waiting[subject] = _waiting(id_, subject, event)
            elif event.type == VERDICT:
                reviews.decided[subject] = _decision(id_, subject, event)
                reviews.newest.setdefault(str(event.data.get("loop")), subject)
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


def _waiting(id_: str, subject: str, event: Event) -> Waiting:
    data = event.data
    return Waiting(
        subject=subject,
        loop=str(data.get("loop", "")),
        generation=int(data.get("generation", 0)),
        on=str(data.get("on", "generation")),
        why=str(data.get("why", event.message)),
        time=event.time,
        event=id_,
        budgets=data.get("budgets", {}),
    )


def _decision(id_: str, subject: str, event: Event) -> Decision:
    data = event.data
    return Decision(
        subject=subject,
        verdict=str(data.get("verdict", "")),
        by=str(data.get("by") or event.actor.get("name", "")),
        note=str(data.get("note", event.message)),
        override=bool(data.get("override")),
        time=event.time,
        event=id_,
    )


def decide(
    registry: Registry, name: str | None, verdict: Word, note: str = ""
) -> Decision:
    """Record the verdict on what waits of whoever signs or, without keys, git says.

    `name` is as in `Reviews.find`. A generation that a gate stopped waits for
    nobody, but can still be approved, while it is the newest of its loop's rejected
    ones: an override.

    Raises:
        NotFound: nothing waits, or there is no such commit.
        UsageError: it does not wait for review, or was decided on before.
        NotAllowed: it failed a gate, or budgets are spent, and `note` gives no reason
            to approve it; or the key that signs here is no reviewer's.
    """
    with disk_errors("recording the review"), registry.events_log.locked() as lock:
        reviews = Reviews.read(registry)
        subject = reviews.find(registry, name)
        loop = _loop_of(registry, reviews, subject, verdict)
        failed = _failed(registry, subject) if verdict == "approve" else []
        budgets = _budgets(reviews, subject) if verdict == "approve" else {}
        if (failed or budgets) and not note.strip():
            message = f"{subject[:12]} {_against(failed, budgets)}; to override that"
            hint = "give it with --note"
            raise NotAllowed(f"{message} needs a reason", hint=hint)
        key = registry.signer.entry(registry.signer.path())
        event = Event(
            VERDICT,
            now(),
            actor := registry.actor(),
            note or f"{verdict} {loop}",
            subject=subject,
            data={
                "loop": loop,
                "verdict": verdict,
                "by": key.name if key else actor["name"],
                "note": note,
                "override": bool(failed or budgets),
                **({"budgets": dict(budgets)} if budgets else {}),
            },
        )
        logged = registry.record(event, lock=lock).event
    return _decision(logged.id, subject, logged)


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


def _failed(registry: Registry, subject: str) -> list[str]:
    """The ids of the gates that a commit failed."""
    verdicts = gates_of(registry, subject)
    return [str(gate.get("id")) for gate in verdicts if gate.get("verdict") == "fail"]


def _budgets(reviews: Reviews, subject: str) -> Mapping[str, Any]:
    """The budgets that are spent, where that is why a commit waits."""
    waiting = reviews.waiting.get(subject)
    return waiting.budgets if waiting else {}


def _against(failed: list[str], budgets: Mapping[str, Any]) -> str:
    """What an approval would override."""
    if failed:
        return f"failed {_listed(failed)}"
    return f"waits as {' and '.join(sorted(budgets))} of its loop are spent"


def _listed(gates: list[str]) -> str:
    return f"the gate{'s' if len(gates) > 1 else ''} {', '.join(gates)}"

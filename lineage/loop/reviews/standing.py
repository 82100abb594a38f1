"""What waits for people, and what they have decided: what the log says of reviews.

A loop that pauses appends an event `review_requested` about the commit that waits:
a generation, or a dataset that failed a gate. A person's verdict is an event
`review` about the same commit. Nothing else is stored, so what waits is what was
asked for and not decided since. When a verdict counts is said in
`lineage.loop.reviews.ballots`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from lineage.errors import Ambiguous, NotFound
from lineage.loop.branches import branch_of
from lineage.loop.reviews.ballots import REQUEST, VERDICT, Ballot, People, ballots
from lineage.loop.reviews.coverage import seconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from lineage.loop.reviews.ballots import Load
    from lineage.registry import Registry
    from lineage.store.event_reading import Logged
    from lineage.store.objects import Event

TOLD = frozenset({REQUEST, VERDICT, "label", "override"})  # events that reviews are
_LONG = 2000  # commits: opening the index takes as long as reading so many events
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
        """What the log says; of each subject the newest request counts."""
        return cls.of(registry, _told(registry))

    @classmethod
    def of(
        cls,
        registry: Registry,
        events: Iterable[Logged],
        load: Load | None = None,
        people: People | None = None,
    ) -> Reviews:
        """The same from events that were read before, newest first."""
        log = [logged for logged in events if logged.event.type in TOLD]
        reviews = cls(ballots=ballots(registry, log, load, people), log=log)
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
            if name in (waiting.loop, branch_of(waiting.loop)):
                return waiting.subject
        try:
            return registry.resolve(name)
        except NotFound:
            if name in self.newest:
                return self.newest[name]
            if registry.target(f"heads/{branch_of(name)}") is None:
                raise
            hint = "`lineage loop status` shows how far the loops are"
            raise NotFound(f"nothing of {branch_of(name)} waits", hint=hint) from None

    def _only(self) -> str:
        if not self.waiting:
            hint = "`lineage loop status` shows how far the loops are"
            raise NotFound("nothing waits for review", hint=hint)
        if len(self.waiting) > 1:
            lines = [f"{w.subject[:12]} ({w.loop})" for w in self.waiting.values()]
            raise Ambiguous(f"{len(lines)} commits wait for review", lines)
        return next(iter(self.waiting))


def _told(registry: Registry) -> Iterator[Logged]:
    """The events of reviews, newest first: by the index where the log is long."""
    log = registry.events_log
    if log.at or len(registry.ids) < _LONG:
        return log.iterate()
    from lineage.indexing import index_of
    from lineage.store.index_events import events_of

    with index_of(registry) as index:
        oids = index.read(lambda ask: events_of(ask, TOLD))
    return log.many(oids)


def _waiting(ballot: Ballot, request: Event) -> Waiting:
    data, number = request.data, request.data.get("generation")
    return Waiting(
        subject=ballot.subject,
        loop=str(data.get("loop", "")),
        generation=number if isinstance(number, int) else 0,  # who knows who wrote it
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
    made = verdict_of(event, ballot.subject)
    names = [_by(one) for one in ballot.people.values()][: ballot.needed]
    if event is not ballot.rejected and len(names) > 1:
        made = replace(made, by=f"{', '.join(names[:-1])} and {names[-1]}")
    return replace(made, seconds=seconds(ballot)) if ballot.request else made


def verdict_of(event: Event, subject: str) -> Decision:
    """One person's verdict, as the event has it."""
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

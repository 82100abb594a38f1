"""When a verdict counts: asked for, about this packet, by enough different people.

A request is an event `review_requested`; verdicts are events `review` about the same
commit that come after it and name its packet. One rejection rejects; an approval
needs as many people as the config that the commit was made with asks for, whatever a
later request says. A person is an email address: that of the
key that signed or, in a registry without keys, that of the actor. The same person
twice counts once. Who edits the data that wait decides alone, because the edited
data have a ballot of their own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from lineage.errors import VerificationError
from lineage.keys.signer import unsigned_allowed
from lineage.loop.reviews.terms import terms_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from lineage.keys.ring import Standing
    from lineage.registry import Registry
    from lineage.store.event_reading import Logged
    from lineage.store.objects import Commit, Event

    Load = Callable[[str], Commit]

    class Judging(Protocol):
        def standing(self, logged: Logged) -> Standing | None: ...


REQUEST, VERDICT = "review_requested", "review"
APPROVE, REJECT = "approve", "reject"


@dataclass(slots=True)
class Ballot:
    """A request for a review and the verdicts on it, oldest first.

    `request` is None where nobody asked; no verdict counts then. `people` are those
    who approved, by address; `replaced` is an edit; `void` are verdicts that do not
    count, each with the reason. `needed` people have to approve.
    """

    subject: str
    needed: int = 1
    request: Event | None = None
    verdicts: list[Event] = field(default_factory=list)
    people: dict[str, Event] = field(default_factory=dict)
    rejected: Event | None = None
    replaced: Event | None = None
    void: list[tuple[Event, str]] = field(default_factory=list)

    @property
    def packet(self) -> Mapping[str, Any] | None:
        """What the request asks to look at; None in old ones."""
        found = self.request.data.get("packet") if self.request else None
        return found if isinstance(found, dict) else None

    @property
    def decided(self) -> Event | None:
        """The verdict that decided: a rejection, an edit, or the last approval."""
        if ended := self.rejected or self.replaced:
            return ended
        approvals = list(self.people.values())
        return approvals[self.needed - 1] if len(approvals) >= self.needed else None

    def check(self) -> None:
        """Refuse to go by verdicts that do not count.

        Raises:
            VerificationError: one does not, and no other has decided.
        """
        if self.decided or not self.void:
            return
        event, why = self.void[-1]
        by = event.data.get("by") or event.actor.get("name")
        message = f"the verdict of {by} on {self.subject[:12]} does not count: {why}"
        hint = "decide again: `lineage review approve` or `reject`"
        raise VerificationError(message, hint=hint)


def ballots(
    registry: Registry,
    log: Iterable[Logged],
    load: Load | None = None,
    people: People | None = None,
) -> dict[str, Ballot]:
    """The newest ballot on each commit, from events newest first.

    `load` and `people` are for those who have read commits and signatures before.
    """
    load, people = load or registry.load, people or People(registry)
    found: dict[str, Ballot] = {}
    later: dict[str, list[Logged]] = {}
    for logged in log:
        event = logged.event
        if event.subject is None or event.type not in (REQUEST, VERDICT):
            continue
        ballot = found.get(event.subject)
        if ballot and ballot.request:
            continue
        ballot = found.setdefault(event.subject, Ballot(event.subject))
        if event.type == VERDICT:
            later.setdefault(event.subject, []).append(logged)
        else:
            ballot.request, ballot.needed = event, _needed(load, event)
    for subject, verdicts in later.items():
        for logged in reversed(verdicts):
            _count(found[subject], logged, people)
    return found


def _needed(load: Load, request: Event) -> int:
    """How many people have to approve: a request can ask for more, not for fewer."""
    asked = request.data.get("approvals")
    least = terms_of(load, str(request.subject)).approvals
    return max(asked, least) if isinstance(asked, int) else least


def decisions(registry: Registry, log: Iterable[Logged]) -> Iterator[Event]:
    """The verdicts that decided, from events newest first.

    Unlike `ballots` of all requests, since a commit can be asked about again.
    """
    people = People(registry)
    later: dict[str | None, list[Logged]] = {}
    for logged in log:
        event = logged.event
        if event.type == VERDICT:
            later.setdefault(event.subject, []).append(logged)
        elif event.type == REQUEST:
            needed = _needed(registry.load, event)
            ballot = Ballot(str(event.subject), needed, event)
            for verdict in reversed(later.pop(event.subject, [])):
                _count(ballot, verdict, people)
            if ballot.decided:
                yield ballot.decided


def _count(ballot: Ballot, logged: Logged, people: People) -> None:
    event = logged.event
    ballot.verdicts.append(event)
    person, why = people.who(logged)
    if ballot.request is None:
        why = why or "nobody had asked for it"
    if ballot.packet and event.data.get("packet") != ballot.packet.get("sha256"):
        why = why or "it is about another packet than the one that was asked about"
    if why:
        ballot.void.append((event, why))
    elif event.data.get("verdict") == REJECT and not ballot.decided:
        ballot.rejected = event
    elif event.data.get("edited") and not ballot.decided:
        ballot.replaced = event
    elif event.data.get("verdict") == APPROVE and not ballot.decided:
        ballot.people.setdefault(person, event)


class People:
    """Who stands behind events, as far as signatures can tell."""

    def __init__(self, registry: Registry, judge: Judging | None = None) -> None:
        """Somebody who has judged signatures gives their `judge`: it is asked."""
        self._registry = registry
        self._judge = judge

    def who(self, logged: Logged) -> tuple[str, str]:
        """A person's address; why what they say does not count, or ""."""
        actor = str(logged.event.actor.get("email", "")).casefold()
        if self._registry.signer.keys().root is None:
            return actor, ""
        if self._judge is None:
            from lineage.keys.judge import Judge

            self._judge = Judge(self._registry)
        standing = self._judge.standing(logged)
        if standing is None:
            return actor, ""
        if standing.state == "good" and standing.key:
            return standing.key.email.casefold(), ""
        lenient = standing.state == "unsigned" and unsigned_allowed(self._registry)
        return actor, "" if lenient else f"it {standing.says}"

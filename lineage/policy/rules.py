"""The rules of a policy: each yields what breaks it, with the reason in a sentence."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lineage.store.event_reading import Logged

if TYPE_CHECKING:
    from lineage.loop.reviews.standing import Reviews
    from lineage.registry import Registry

DEEP = frozenset({"signed"})  # rules that look at what the commits came from, too


@dataclass(frozen=True, slots=True)
class Violation:
    """The commit `id` breaks a rule; `event` is the one that shows it, if one does."""

    rule: str
    id: str
    why: str
    event: str | None = None


def with_ancestors(registry: "Registry", ids: Sequence[str]) -> list[str]:
    """`ids` and all that they came from, newest first."""
    from lineage.revisions import newest_first
    from lineage.walks import ancestors

    return newest_first(registry, ancestors(registry, ids))


# signed


def are_signed(registry: "Registry") -> bool:
    """Whether events have to be signed here by the registry's own rules."""
    from lineage.keys.signer import unsigned_allowed

    return registry.signer.keys().root is not None and not unsigned_allowed(registry)


def unsigned(registry: "Registry", ids: Sequence[str]) -> Iterator[Violation]:
    """Commits whose first event no key that counts has signed."""
    from lineage.keys.judge import Judge

    log = registry.events_log
    oids = [registry.ids.get(id_).event for id_ in ids]
    logged = [Logged(oid, log.event(oid)) for oid in oids]
    standings = Judge(registry).many(logged)
    for id_, said, standing in zip(ids, logged, standings, strict=True):
        if standing is None or standing.state != "good":
            says = standing.says if standing else "is not signed: there were no keys"
            why = f"the event {said.event.id[:8]} that recorded it {says}"
            yield Violation("signed", id_, why, said.event.id)


# tainted


def tainted(registry: "Registry", ids: Sequence[str]) -> Iterator[Violation]:
    """Commits that a taint which stands has reached, or may have reached."""
    from lineage.taints.marks import marks

    known = marks(registry)
    for id_ in ids:
        for mark in known.of(id_):
            whose = (
                ""
                if mark.itself
                else f", as {_called(registry, mark.taint.subject)} is"
            )
            perhaps = "perhaps " if mark.perhaps else ""
            why = f"{perhaps}tainted{whose}: {mark.taint.reason}"
            yield Violation("untainted", id_, why, mark.taint.event)


def _called(registry: "Registry", id_: str) -> str:
    commit = registry.load(id_)
    return f"{commit.kind} {commit.name} {id_[:8]}"


# reviewed


def unreviewed(registry: "Registry", ids: Sequence[str]) -> Iterator[Violation]:
    """Generations, and parts of them, that people have not approved.

    What is part of several generations takes one that is. What no loop made cannot be
    reviewed, and breaks nothing.
    """
    from lineage.loop.reviews.standing import Reviews

    made = {id_: _generations(registry, id_) for id_ in ids}
    asked = {one for generations in made.values() for one in generations}
    if not asked:
        return
    log = registry.events_log.iterate()
    reviews = Reviews.of(registry, (one for one in log if one.event.subject in asked))
    for id_, generations in made.items():
        faults = [fault for one in generations if (fault := _fault(reviews, one))]
        if faults and len(faults) == len(generations):
            why, event = faults[0]
            of = "" if generations[0] == id_ else f"{_turn(registry, generations[0])} "
            yield Violation("reviewed", id_, f"{of}{why}", event)


def _generations(registry: "Registry", id_: str) -> list[str]:
    """The generations that a commit is, or is a part of, newest first."""
    if registry.load(id_).kind == "generation":
        return [id_]
    return registry.select(f"children({id_}, includes)")


def _turn(registry: "Registry", id_: str) -> str:
    commit = registry.load(id_)
    return f"generation {commit.params.get('generation', id_[:8])} of {commit.name}"


def _fault(reviews: "Reviews", id_: str) -> tuple[str, str | None] | None:
    """Why a generation is not approved, and the event that says so; None if it is."""
    decided, waiting = reviews.decided.get(id_), reviews.waiting.get(id_)
    if decided:
        if decided.verdict == "approve":
            return None
        note = f": {decided.note}" if decided.note else ""
        return f"was rejected by {decided.by}{note}", decided.event
    ballot = reviews.ballots.get(id_)
    if ballot and ballot.void:
        event, wrong = ballot.void[-1]
        return f"has a verdict that does not count: {wrong}", event.id
    if waiting:
        return f"waits for review: {waiting.why}", waiting.event
    return "was never reviewed", None


# budgets


def over_budget(
    registry: "Registry", ids: Sequence[str], limits: Mapping[str, float] | None
) -> Iterator[Violation]:
    """The newest generation of each loop that has spent more than people approved.

    `limits` are those of the policy, None for those in the loop's own config.
    """
    from lineage.loop.running.budgets import Spent, limits_of, sentence

    newest: dict[str, str] = {}
    for id_ in ids:
        commit = registry.load(id_)
        if commit.kind == "generation":
            newest.setdefault(commit.name, id_)
    for loop, id_ in newest.items():
        own = limits_of(registry, id_) if limits is None else limits
        spent = Spent.read(registry, loop).of(own) if own else {}
        for name, each in spent.items():
            if each["spent"] > each["limit"]:
                yield Violation("budgets", id_, f"{sentence(name, **each)} unseen")

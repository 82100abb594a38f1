"""What the runner does about reviews: when one is due, asking, going by a verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from lineage.errors import WaitingForReview
from lineage.loop.branches import branch_of, rejected_branch, runs
from lineage.loop.reviews import packet
from lineage.loop.reviews.asking import question
from lineage.loop.reviews.ballots import REQUEST, VERDICT, ballots
from lineage.loop.reviews.labels import LABEL, audits
from lineage.loop.reviews.losses import losses_under
from lineage.loop.running import journal as journals
from lineage.loop.spec.review import ReviewSpec
from lineage.store.disk import disk_errors
from lineage.store.events import now
from lineage.store.objects import Event
from lineage.store.views import Move, Target
from lineage.turns import has_failed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lineage.loop.running.journal import Journal
    from lineage.loop.spec import LoopSpec
    from lineage.registry import Registry


def due(registry: Registry, spec: LoopSpec, number: int, tip: str) -> str:
    """Why the spec asks for a review of a generation; "" where it does not."""
    review = spec.review
    if review is None or not number:
        return ""
    reasons = []
    if review.every and number % review.every == 0:
        often = f"{review.every} generations" if review.every > 1 else "generation"
        reasons.append(f"every {often}")
    if "first" in review.on and number == 1:
        reasons.append("the first generation that a model wrote")
    if "last" in review.on and number == spec.num_generations:
        reasons.append("the last generation")
    if "gate" in review.on:
        reasons += _complaints(registry, tip)
    return "; ".join(reasons)


def _complaints(registry: Registry, tip: str) -> Iterator[str]:
    for gate in registry.load(tip).gates or ():
        if has_failed(gate):
            yield f"{gate.get('id')}: {gate.get('sentence', 'failed')}"


def margin_gone(registry: Registry, loop: str, generations: Sequence[str]) -> str:
    """Why labels say that the loop's filter is not to be trusted; "" if they do not.

    Only labels are looked at that came since the generation before the newest: the
    others were, then. A person's verdict on the loop that is newer than the newest
    label has taken it into account.
    """
    log = registry.events_log
    since = registry.ids.get(generations[-2]).event if generations[1:] else None
    newer = (logged.event for logged in log.iterate(since=since))
    ours = (event.type for event in newer if event.data.get("loop") == loop)
    if next((type_ for type_ in ours if type_ in (LABEL, VERDICT)), "") != LABEL:
        return ""
    found = audits(registry, loop, log.iterate())
    if not found or found[-1].audit.state != "gone":  # none, where no label counts
        return ""
    return f"labels of generation {found[-1].generation}: {found[-1].audit.sentence}"


def asked(journal: Journal, subject: str) -> str:
    """Why a review of a commit has been asked for; "" where nobody has."""
    ballot = journal.ballots.get(subject)
    request = ballot.request if ballot else None
    return str(request.data.get("why") or "it was asked for") if request else ""


def ask(
    registry: Registry,
    spec: LoopSpec,
    journal: Journal,
    subject: str,
    data: Mapping[str, Any],
) -> NoReturn:
    """Ask for a review, once, and pause.

    `data` has the `generation`, what it is `on`, and `why`.

    Raises:
        WaitingForReview: always.
    """
    name, number = spec.name, int(data["generation"])
    ballot = journal.ballots.get(subject)
    if ballot is None or ballot.decided or ballot.request is None:
        asked = question(
            registry,
            subject,
            (name, number),
            spec.review or ReviewSpec(),
            on=str(data["on"]),
            why=str(data["why"]),
            losses=_losses(registry, spec, journal),
        )
        whole = {**data, **asked}
        registry.attest(REQUEST, subject=subject, message=asked["why"], data=whole)
    wait(name, number, str(data["on"]), subject, str(data["why"]))


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
    data: dict[str, Any] = {"generation": number, "on": "generation", "why": why}
    ask(registry, spec, journal, tip, data | {"budgets": dict(budgets)})


def _losses(registry: Registry, spec: LoopSpec, journal: Journal) -> packet.Losses:
    zero = journals.parts(registry, journal.generations[0])
    return losses_under(registry, zero.model, spec)


def wait(loop: str, generation: int, on: str, subject: str, why: str) -> NoReturn:
    """Pause at something that waits for a person.

    Raises:
        WaitingForReview: always.
    """
    what = f"generation {generation}"
    what = what if on == "generation" else f"the {on} of {what}"
    where = f"{what}, {subject[:12]}"
    message = f"{branch_of(loop)} waits for a review of {where}: {why}"
    hint = f"`lineage review show {subject[:12]}`, then approve or reject it"
    raise WaitingForReview(message, hint=hint)


def verdict(registry: Registry, journal: Journal, subject: str) -> Event | None:
    """What people decided about a commit; None while they have not.

    Raises:
        VerificationError: a verdict does not count, or what it is about has changed.
    """
    ballot = journal.ballots.get(subject)
    if ballot is None:
        return None
    ballot.check()
    if ballot.decided and ballot.packet:
        packet.check(registry, ballot.packet, subject)
    return ballot.decided


def go_back(
    registry: Registry, spec: LoopSpec, journal: Journal, verdict: Event
) -> bool:
    """Take the newest generation off the branch; it stays on that of rejected ones.

    With `on_reject: rollback` those before it go too, back to one that people have
    approved. Returns whether the loop goes on at once: to try again, or from the
    records that somebody has put right.

    Raises:
        Conflict: somebody moved the branch since we read it; it stays as it is.
    """
    review = spec.review or ReviewSpec()
    edited_ = "edited" in verdict.data
    ids = journal.generations
    end = len(ids) - 1
    if review.on_reject == "rollback" and not edited_:
        end = _approved_up_to(registry, ids[:-1])
    goes_on = edited_ or review.on_reject == "retry"
    action = "retry" if goes_on else "stop"
    number, name = len(ids) - 1, spec.name
    message = f"generation {number} of {name} {rejection(verdict)}"
    event = _rollback(registry, name, message, action, ids[end:])
    _move_back(registry, name, ids, end, event, aside=True)
    registry.drop_runs(runs(spec.name, len(ids)))
    return goes_on


def roll_back(registry: Registry, loop: str, ids: Sequence[str], why: str) -> bool:
    """Take off the branch what nobody approved, as data that came of it were rejected.

    The try with those data is on the branch of rejected ones, and follows `ids`.
    Returns whether there was anything to take off.

    Raises:
        Conflict: somebody moved the branch since we read it; it stays as it is.
    """
    end = _approved_up_to(registry, ids)
    if end == len(ids):
        return False
    message = f"the data of generation {len(ids)} of {loop} were {why}"
    event = _rollback(registry, loop, message, "stop", ids[end:])
    _move_back(registry, loop, ids, end, event, aside=False)
    return True


def _approved_up_to(registry: Registry, ids: Sequence[str]) -> int:
    """How many generations there are up to the last approved one, or generation 0."""
    found = ballots(registry, registry.events_log.iterate())
    for number in range(len(ids) - 1, 0, -1):
        ballot = found.get(ids[number])
        if ballot and journals.approved(ballot.decided):
            return number + 1
    return min(1, len(ids))


def _rollback(
    registry: Registry, loop: str, message: str, action: str, ids: Sequence[str]
) -> Event:
    data = {"loop": loop, "action": action, "rolled_back": list(ids)}
    return Event("rollback", now(), registry.actor(), message, data=data)


def _move_back(
    registry: Registry,
    loop: str,
    ids: Sequence[str],
    end: int,
    event: Event,
    *,
    aside: bool,
) -> None:
    """Leave the first `end` generations on the branch, and the last one `aside`."""
    tip = Target(ids[-1], registry.git_oid(ids[-1]))
    last = Target(ids[end - 1], registry.git_oid(ids[end - 1])) if end else None
    moves = [Move(f"heads/{branch_of(loop)}", tip, last, kept=True)]
    if aside:
        place = f"heads/{rejected_branch(loop)}"
        moves.append(Move(place, registry.target(place), tip))
    with disk_errors("moving the name"), registry.events_log.locked() as lock:
        registry.record(event, moves, lock=lock)


def rejection(verdict: Event | None) -> str:
    """Who rejected something, and what they said."""
    if verdict is None:
        return "rejected"
    by = verdict.data.get("by") or verdict.actor.get("name")
    note = verdict.data.get("note", verdict.message)
    how = "edited" if "edited" in verdict.data else "rejected"
    return f"{how} by {by}" + (f": {note}" if note else "")


def edited(
    registry: Registry, journal: Journal, dataset: str, place: tuple[str, int]
) -> str:
    """What a person made of new data in a review, approved; "" where nobody did.

    Raises:
        WaitingForReview: others have to approve the edited data too.
    """
    id_ = journal.edits.get(dataset, "")
    if id_ and verdict(registry, journal, id_) is None:
        wait(*place, "dataset", id_, "edited in a review")
    return id_

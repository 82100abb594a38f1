"""Reviews as JSON has them; docs/review.md describes them."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from lineage import shapes
from lineage.shapes import Json

if TYPE_CHECKING:
    from lineage.loop.reviews.comparing import Compared
    from lineage.loop.reviews.saying import LabelsGiven
    from lineage.loop.reviews.shown import Shown
    from lineage.loop.reviews.standing import Reviews

_DECIDED = (
    "state", "by", "note", "override", "failed", "seconds", "decided", "packet",
    "edited",
)  # fmt: skip


def reviews_of(reviews: "Reviews", *, all_: bool) -> Iterator[Json]:
    """One record for each review: those that wait, or all, newest first."""
    for subject, ballot in reviews.ballots.items():
        if subject in reviews.waiting:
            waiting = asdict(reviews.waiting[subject])
            yield {**waiting, **dict.fromkeys(_DECIDED), "state": "waiting"}
        elif all_ and ballot.request and subject in reviews.decided:
            yield _decided(reviews, subject)


def _decided(reviews: "Reviews", subject: str) -> Json:
    ballot, decision = reviews.ballots[subject], reviews.decided[subject]
    request = ballot.request
    assert request is not None
    return {
        "subject": subject,
        "loop": request.data.get("loop"),
        "generation": request.data.get("generation"),
        "on": request.data.get("on"),
        "why": request.data.get("why"),
        "time": request.time,
        "event": request.id,
        "approvals": ballot.needed,
        "approved_by": [str(e.data.get("by")) for e in ballot.people.values()],
        "state": decision.past,
        "by": decision.by,
        "note": decision.note,
        "override": decision.override,
        "failed": decision.failed,
        "budgets": decision.budgets,
        "seconds": decision.seconds,
        "decided": decision.time,
        "packet": decision.packet,
        "edited": decision.edited,
    }


def sample_of(sample: Mapping[str, Any], *, blind: bool) -> Json:
    """A record to label: add "right": true or false to its line."""
    hidden = ("stratum", "why", "loss", "flags", "record") if blind else ("record",)
    known = {key: value for key, value in sample.items() if key not in hidden}
    return {**known, "text": sample["record"].get("text")}


def labels_given(made: "LabelsGiven") -> Json:
    """What `review label` recorded."""
    return {**asdict(made), "labels": [one._asdict() for one in made.labels]}


def review(found: "Shown", reviews: "Reviews", *, blind: bool) -> Json:
    """What is shown, in JSON."""
    waiting = reviews.waiting.get(found.subject)
    decided = reviews.decided.get(found.subject)
    return {
        "subject": found.subject,
        "loop": found.loop,
        "generation": found.generation,
        "packet": found.packet,
        "waiting": waiting and asdict(waiting),
        "decided": decided and asdict(decided),
        "datasets": dict(found.datasets),
        "records": dict(found.counts),
        "loss": found.loss,
        "samples": [
            {**sample_of(sample, blind=blind), "record": sample["record"]}
            for sample in found.samples
        ],
        "measures": [] if blind else [_measure(row) for row in found.measures],
        "gates": [] if blind else list(found.gates),
    }


def _measure(row: "Compared") -> Json:
    return {
        "name": row.name,
        "now": shapes.metric_(row.now),
        "before": row.before and shapes.metric_(row.before),
        "first": row.first and shapes.metric_(row.first),
    }

"""What a reviewer says beside a verdict: labels, and records put right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lineage.errors import UsageError
from lineage.loop.reviews import edits
from lineage.loop.reviews.asking import place_of, question
from lineage.loop.reviews.ballots import REQUEST
from lineage.loop.reviews.deciding import (
    check_reason,
    decide,
    overridden_gates,
    person_here,
)
from lineage.loop.reviews.labels import LABEL, Label, Labelled, found
from lineage.loop.reviews.records import records_of
from lineage.loop.reviews.shown import shown
from lineage.loop.reviews.standing import Reviews
from lineage.loop.reviews.terms import terms_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from lineage.loop.reviews.standing import Decision
    from lineage.registry import Registry


@dataclass(frozen=True, slots=True)
class LabelsGiven:
    """An event of labels, as it was recorded."""

    subject: str
    loop: str
    generation: int
    by: str
    event: str
    labels: Sequence[Labelled]


@dataclass(frozen=True, slots=True)
class Edited:
    """A dataset that a person made of another, and their verdict on it."""

    instead_of: str
    dataset: str
    edited: int
    dropped: int
    decision: Decision


def label(
    registry: Registry,
    name: str | None,
    labels: Sequence[Label],
    *,
    samples: int | None = None,
    seed: int | None = None,
) -> LabelsGiven:
    """Record what a person says of single records of a loop.

    `name` is as in `Reviews.find`; `samples` and `seed` are those of the draw that
    the person looked at.

    Raises:
        NotFound: there is no such commit.
        UsageError: nothing is labelled, or there is no such record.
        NotAllowed: the key that signs here is no reviewer's.
    """
    if not labels:
        raise UsageError("no record is labelled", hint="name some, or give --file")
    reviews = Reviews.read(registry)
    subject = reviews.find(registry, name)
    seen = shown(registry, reviews, subject, samples, seed)
    why = {sample["sha256"]: str(sample["why"]) for sample in seen.samples}
    given = found(records_of(registry, subject), why, labels)
    by, _ = person_here(registry)
    event = registry.attest(
        LABEL,
        subject=subject,
        message=_summary(given),
        data={
            "loop": seen.loop,
            "generation": seen.generation,
            "by": by,
            "datasets": dict(seen.datasets),
            "records": dict(seen.counts),
            "labels": [one.to_json() for one in given],
        },
    )
    return LabelsGiven(subject, seen.loop, seen.generation, by, event, given)


def _summary(given: Sequence[Labelled]) -> str:
    right = sum(one.right for one in given)
    return f"{right} right, {len(given) - right} wrong"


def edit(
    registry: Registry,
    name: str | None,
    changed: Sequence[Mapping[str, Any]],
    drop: Collection[str],
    note: str = "",
) -> Edited:
    """Put records right in a person's name; the loop trains on those instead.

    Of data that wait this is an approval, of the edited data. A generation that
    waits is rejected by it: the loop makes it again from the edited data.

    Raises:
        NotFound: nothing waits, or there is no such commit.
        UsageError: it does not wait, or the edit cannot be made.
        NotAllowed: the data failed a gate, and `note` gives no reason.
    """
    reviews = Reviews.read(registry)
    subject = reviews.find(registry, name)
    if subject not in reviews.waiting:
        hint = "`lineage review list` shows what does"
        raise UsageError(f"{subject[:12]} does not wait for review", hint=hint)
    records, place = records_of(registry, subject), place_of(registry, subject)
    if registry.load(records.kept).params.get("part") not in ("synthetic", "edited"):
        raise UsageError("only what a model wrote can be edited, not a training set")
    by, _ = person_here(registry)
    made = edits.edit(records, changed, drop, by)
    is_generation = registry.load(subject).kind == "generation"
    if not is_generation:
        check_reason(subject, note, overridden_gates(registry, subject), {})
    id_ = edits.commit(registry, records, made, place, by)
    what = f"{made.edited} edited, {made.dropped} dropped"
    more = {"edited": id_, "instead_of": records.kept}
    word: Any = "reject" if is_generation else "approve"
    asked = question(
        registry, id_, place, terms_of(registry.load, id_), on="dataset", why=what
    )
    registry.attest(REQUEST, subject=id_, message=what, data=asked)
    decision = decide(registry, id_, "approve", note or what)
    decide(registry, subject, word, note or what, **more)
    return Edited(records.kept, id_, made.edited, made.dropped, decision)

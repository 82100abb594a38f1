"""Reviews: what waits for people, and what there is to see before they decide.

What gates and measures say stands on the page only when it is asked for, so that it
does not lead whoever reads the records.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from lineage.errors import LineageError
from lineage.loop.reviews.shown import Shown, shown
from lineage.loop.reviews.standing import Reviews
from lineage.server.pages import tainted, words
from lineage.server.pages.site import Site

if TYPE_CHECKING:
    from lineage.registry import Registry

_DECIDED = 50  # of those that were decided on
_SAMPLES = 60  # on the page; the command line gives all
_TEXT = 70_000  # characters of all samples together


class Sample(NamedTuple):
    """A record as it is shown; what gates said of it only when all is shown."""

    id: str
    text: str
    more: int
    dropped: bool
    loss: float | None
    flags: list[Mapping[str, Any]]


def queue(site: Site, registry: "Registry") -> str:
    """What waits, newest first, and what was decided last."""
    reviews = Reviews.read(registry)
    decided = list(reviews.decided.values())[:_DECIDED]
    return site.render(
        "reviews",
        waiting=[
            {"to": words.ref(registry, one.subject), "request": one}
            for one in reviews.waiting.values()
        ],
        decided=[
            {"to": words.ref(registry, one.subject), "said": one} for one in decided
        ],
        more=len(reviews.decided) - len(decided),
    )


def one(
    site: Site,
    registry: "Registry",
    subject: str,
    *,
    may: bool,
    open_: bool = False,
    error: LineageError | None = None,
    note: str = "",
) -> str:
    """What there is to see of one commit; a form for those who `may` decide.

    `error` is why a verdict was not recorded, `note` what it said.

    Raises:
        NotFound, UsageError: when there is no such review.
        VerificationError: when a record is not what was recorded.
    """
    reviews = Reviews.read(registry)
    id_ = reviews.find(registry, subject)
    found = shown(registry, reviews, id_)
    samples = found.samples[:_SAMPLES]
    return site.render(
        "review",
        of=words.ref(registry, id_),
        found=found,
        waiting=reviews.waiting.get(id_),
        decided=reviews.decided.get(id_),
        tainted=tainted.of(registry, id_),
        samples=[_sample(one, _TEXT // max(1, len(samples))) for one in samples],
        more=len(found.samples) - len(samples),
        total=sum(found.counts.values()),
        measures=_measures(found),
        open=open_,
        may=may and id_ in reviews.waiting,
        error=error,
        note=note,
    )


def _sample(sample: Mapping[str, Any], longest: int) -> Sample:
    text = str(sample["record"].get("text", sample["record"]))
    return Sample(
        str(sample["id"]),
        text[:longest],
        max(0, len(text) - longest),
        sample["stratum"] == "dropped",
        sample.get("loss"),
        sample.get("flags", []),
    )


def _measures(found: Shown) -> list[dict[str, Any]]:
    """Each measure now, its change since the generation before, and the first value."""
    from lineage.diff.metrics import MetricChange

    return [
        {
            "name": row.name,
            "now": row.now,
            "before": row.before,
            "first": row.first,
            "change": MetricChange(row.name, row.before, row.now),
        }
        for row in found.measures
    ]

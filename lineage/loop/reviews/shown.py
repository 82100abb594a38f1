"""What `review show` has to show: the packet that was asked about, or a draw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lineage.loop.reviews import packet
from lineage.loop.reviews.asking import place_of
from lineage.loop.reviews.comparing import Compared, compared
from lineage.loop.reviews.records import DROPPED, KEPT, records_of
from lineage.loop.spec.review import SAMPLES, SampleSpec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lineage.loop.reviews.standing import Reviews
    from lineage.registry import Registry


@dataclass(frozen=True, slots=True)
class Shown:
    """A generation or a dataset of a loop, for a person to judge.

    `samples` are as in a packet, each with its whole `record`; `counts` are the
    records of each stratum. `packet` is the hash of the packet that they are from,
    None for another draw; `loss` says why no record has a loss.
    """

    subject: str
    loop: str
    generation: int
    datasets: Mapping[str, str | None]
    counts: Mapping[str, int]
    samples: Sequence[Mapping[str, Any]]
    measures: Sequence[Compared]
    gates: Sequence[Mapping[str, Any]]
    packet: str | None = None
    loss: str | None = None


def shown(
    registry: Registry,
    reviews: Reviews,
    subject: str,
    samples: int | None = None,
    seed: int | None = None,
) -> Shown:
    """Put together what there is to see of a commit.

    Args:
        registry: where it is.
        reviews: what was asked about it.
        subject: the full id of a generation, or of a dataset that a model wrote.
        samples: how many records to draw; those of the packet for None.
        seed: draws them, so that two reviewers can look at the same ones.

    Raises:
        UsageError: for something that no loop made.
        VerificationError: a record is not what was recorded, or asked about.
    """
    place = place_of(registry, subject)
    ballot = reviews.ballots.get(subject)
    asked = ballot.packet if ballot and samples is None and seed is None else None
    common: Any = {
        "subject": subject,
        "loop": place[0],
        "generation": place[1],
        "measures": compared(registry, subject, place),
        "gates": packet.gates_of(registry, subject),
    }
    if asked is not None:
        return Shown(**common, **_from_packet(registry, asked, subject))
    wanted = SAMPLES if samples is None else samples
    return Shown(**common, **_drawn(registry, subject, wanted, seed or 0))


def _from_packet(
    registry: Registry, asked: packet.Packet, subject: str
) -> dict[str, Any]:
    packet.check(registry, asked, subject)
    lines = packet.lines_of(registry, asked)
    pairs = zip(asked["samples"], lines, strict=True)
    return {
        "datasets": asked["datasets"],
        "counts": asked["records"],
        "samples": [{**sample, "record": line.record} for sample, line in pairs],
        "packet": asked["sha256"],
        "loss": asked["loss"] or None,
    }


def _drawn(registry: Registry, subject: str, n: int, seed: int) -> dict[str, Any]:
    """Records drawn at random; no model is asked for their loss."""
    records = records_of(registry, subject)
    sample = SampleSpec.model_construct(n=n, strategy=["random"])
    drawn, _ = packet.sampled(registry, records, sample, seed=seed)
    return {
        "datasets": {KEPT: records.kept or None, DROPPED: records.dropped or None},
        "counts": {name: records.count(name) for name in (KEPT, DROPPED)},
        "samples": [{**packet.entry(d), "record": d.line.record} for d in drawn],
    }

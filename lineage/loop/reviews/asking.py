"""Asking for a review: the event that a verdict answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lineage.errors import UsageError
from lineage.loop.reviews import packet

if TYPE_CHECKING:
    from lineage.loop.reviews.packet import Losses
    from lineage.loop.spec.review import ReviewSpec
    from lineage.registry import Registry


def question(
    registry: Registry,
    subject: str,
    place: tuple[str, int],
    terms: ReviewSpec,
    *,
    on: str,
    why: str,
    losses: Losses | None = None,
) -> dict[str, Any]:
    """What a request says: of what, why, how many have to approve, what to look at."""
    return {
        "loop": place[0],
        "generation": place[1],
        "on": on,
        "why": why,
        "approvals": terms.approvals,
        "packet": packet.make(registry, subject, place, terms.sample, losses),
    }


def place_of(registry: Registry, subject: str) -> tuple[str, int]:
    """The loop and the generation that a commit was made for.

    Raises:
        UsageError: for something that no loop made.
    """
    commit = registry.load(subject)
    data = registry.first_event(subject).data
    if commit.kind not in ("generation", "dataset") or "loop" not in data:
        message = (
            f"{subject[:12]} ({commit.kind} {commit.name}) is no generation of a loop"
        )
        raise UsageError(message, hint="`lineage review list` shows what waits")
    return str(data["loop"]), int(data["generation"])

"""How a loop was looked after: what people saw of it, and what it was let do."""

from collections.abc import Iterator, Mapping
from typing import Any

from lineage.audit.model import Override, Oversight
from lineage.audit.signatures import Signatures
from lineage.loop.reviews.coverage import coverage
from lineage.loop.reviews.standing import Reviews
from lineage.loop.running.budgets import Spent
from lineage.registry import Registry


def oversight(
    registry: Registry, loop: str, chain: tuple[str, ...], signatures: Signatures
) -> Oversight:
    """Of the generations `chain`, oldest first; of the loop's whole log otherwise."""
    reviews = Reviews.read(registry)
    seen = coverage(registry, loop, chain, reviews.log, reviews.ballots)
    commits = {id_: registry.load(id_) for id_ in chain}
    return Oversight(
        generations=seen.generations,
        reviewed=seen.reviewed,
        generated=seen.generated,
        shown=seen.shown,
        labelled=seen.labelled,
        seconds=tuple(seen.seconds),
        budgets=_budgets(registry, loop, chain[-1]),
        overrides=tuple(_overrides(reviews, loop, signatures)),
        fallbacks=tuple(i for i, one in commits.items() if one.params.get("fallback")),
        reused=sum(
            event.data.get("loop") == loop and "reused" in event.data
            for _, event in registry.events()
        ),
    )


def _budgets(registry: Registry, loop: str, generation: str) -> Mapping[str, Any]:
    """What is spent of the budgets in a generation's config."""
    parts = map(registry.load, registry.load(generation).ids("includes"))
    config: Any = next((part.params for part in parts if part.kind == "config"), {})
    given = config.get("budgets") or {}
    limits = {name: limit for name, limit in given.items() if limit is not None}
    return Spent.read(registry, loop).of(limits) if limits else {}


def _overrides(
    reviews: Reviews, loop: str, signatures: Signatures
) -> Iterator[Override]:
    """The approvals that counted and went past a gate or a budget, oldest first."""
    logged = {said.event.id: said for said in reviews.log}
    for ballot in reversed(reviews.ballots.values()):
        for event in ballot.people.values():
            data = event.data
            if data.get("loop") == loop and data.get("override"):
                yield Override(
                    event=event.id,
                    subject=ballot.subject,
                    by=str(data.get("by") or event.actor["name"]),
                    time=event.time,
                    signature=signatures.of(logged[event.id]),
                    reason=str(data.get("note", event.message)),
                    failed=tuple(map(str, data.get("failed", ()))),
                    budgets=data.get("budgets", {}),
                )

"""Each measure beside the generation before and the first that has it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lineage.loop.branches import branch_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lineage.registry import Registry
    from lineage.store.objects import Commit, Metric


@dataclass(frozen=True, slots=True)
class Compared:
    """A measure now, in the generation before, and in the first that has it.

    Only values that mean the same stand beside each other. Generation 0 writes no
    data; what its model wrote is measured in generation 1.
    """

    name: str
    now: Metric
    before: Metric | None
    first: Metric | None

    def values(self) -> dict[str, Any]:
        """The numbers alone."""
        ends = {"now": self.now, "before": self.before, "first": self.first}
        return {"name": self.name} | {k: m and m.value for k, m in ends.items()}


def compared(
    registry: Registry, subject: str, place: tuple[str, int]
) -> list[Compared]:
    """The measures of a commit that a loop made for a generation."""
    loop, generation = place
    commit = registry.load(subject)
    before = _earlier(registry, loop, commit)
    found = [one for one in before if _number(one) < generation]
    return [_row(name, metric, found) for name, metric in commit.metrics.items()]


def _row(name: str, now: Metric, earlier: Sequence[Commit]) -> Compared:
    metrics = (commit.metrics.get(name) for commit in earlier)
    found = [one if one and one.comparable(now) else None for one in metrics]
    first = next((one for one in reversed(found) if one), None)
    return Compared(name, now, found[0] if found else None, first)


def _earlier(registry: Registry, loop: str, commit: Commit) -> list[Commit]:
    """The generations before, newest first: along `follows`, or the loop's branch."""
    before = commit.ids("follows")
    if commit.kind == "dataset":
        tip = registry.target(f"heads/{branch_of(loop)}")
        before = (tip.id,) if tip else ()
    found: list[Commit] = []
    while before:
        found.append(registry.load(before[0]))
        before = found[-1].ids("follows")
    return found


def _number(commit: Commit) -> int:
    return int(commit.params.get("generation", 0))

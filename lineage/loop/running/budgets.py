"""What a loop has spent since people last approved something of it.

It is summed up from the events of its steps, so it survives kills and pauses, and
nothing but an approval that counts sets it back. A loop that has spent one of its
budgets pauses before the next step and asks for a review of its newest generation.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lineage.loop.branches import branch_of
from lineage.loop.reviews import acting
from lineage.loop.reviews.ballots import VERDICT, decisions
from lineage.loop.running.journal import approved

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lineage.loop.running.journal import Journal
    from lineage.loop.spec import LoopSpec
    from lineage.registry import Registry
    from lineage.store.event_reading import Logged
    from lineage.store.objects import Event

GENERATIONS = "generations_without_review"
# What an event of a step calls what it took.
_SPENT = {
    "tokens": "tokens",
    "gpu_seconds": "gpu_seconds",
    "wall_seconds": "seconds",
    "flops": "flops",
}
UNITS = {
    GENERATIONS: "generations without review",
    "tokens": "tokens",
    "gpu_seconds": "GPU-seconds",
    "wall_seconds": "seconds",
    "flops": "FLOPs",
}


@dataclass(slots=True)
class Spent:
    """Sums since the last approval, by the name of the budget."""

    sums: dict[str, float] = field(default_factory=dict)

    @classmethod
    def read(cls, registry: Registry, loop: str) -> Spent:
        """Read the log back to where enough people had approved something of `loop`."""
        log = registry.events_log.iterate()
        ours = [each for each in log if each.event.data.get("loop") == loop]
        return cls.told(registry, loop, ours)

    @classmethod
    def told(cls, registry: Registry, loop: str, ours: Sequence[Logged]) -> Spent:
        """The same from the events of `loop`, newest first."""
        decided = decisions(registry, ours)
        ends = {event.id for event in decided if approved(event)}
        spent = cls()
        for _, event in ours:
            if event.type == VERDICT and event.id in ends:
                break
            spent.note(event, loop)
        return spent

    def note(self, event: Event, loop: str) -> None:
        """Add what one event tells of."""
        head = f"heads/{branch_of(loop)}"
        if any(change.ref == head and change.after for change in event.refs):
            self.add({GENERATIONS: 1})
        if "step" in event.data:
            self.step(event.data)

    def step(self, data: Mapping[str, Any]) -> None:
        """Add what a step took, as its event says it."""
        self.add({name: data.get(key, 0) for name, key in _SPENT.items()})

    def add(self, more: Mapping[str, Any]) -> None:
        """Add to the sums; what is no number counts nothing."""
        for name, number in more.items():
            if isinstance(number, int | float) and number:
                self.sums[name] = self.sums.get(name, 0) + number

    def of(self, limits: Mapping[str, float]) -> dict[str, dict[str, float]]:
        """What is spent of each limit: `{"tokens": {"spent": 5, "limit": 9}}`."""
        return {
            name: {"spent": round(self.sums.get(name, 0), 3), "limit": limit}
            for name, limit in limits.items()
        }


@dataclass(frozen=True, slots=True)
class Override:
    """An approval of what a gate had failed, or of more than a budget."""

    subject: str
    by: str
    note: str
    time: str
    budgets: Mapping[str, Any]


def overrides(loop: str, reviews: Sequence[Logged]) -> list[Override]:
    """Those of a loop, newest first as `reviews` are, the events of reviews."""
    return [
        Override(
            str(event.subject),
            str(event.data.get("by", event.actor["name"])),
            str(event.data.get("note", event.message)),
            event.time,
            event.data.get("budgets", {}),
        )
        for _, event in reviews
        if event.type == VERDICT
        and event.data.get("loop") == loop
        and event.data.get("override")
    ]


def limits_of(registry: Registry, generation: str) -> dict[str, float]:
    """The budgets in the config that a generation was made with."""
    parts = map(registry.load, registry.load(generation).ids("includes"))
    config: Any = next((part.params for part in parts if part.kind == "config"), {})
    given = config.get("budgets") or {}
    return {name: limit for name, limit in given.items() if limit is not None}


class Budgets:
    """The budgets of a running loop."""

    def __init__(self, registry: Registry, spec: LoopSpec) -> None:
        self._registry, self._spec = registry, spec
        self._limits = spec.budgets.limits if spec.budgets else {}
        self._spent = Spent.read(registry, spec.name) if self._limits else Spent()

    def spend(self, data: Mapping[str, Any]) -> None:
        """Add what a step took."""
        self._spent.step(data)

    def generation(self) -> None:
        """Count a generation that is on the branch now."""
        self._spent.add({GENERATIONS: 1})

    def hold(self, journal: Journal) -> None:
        """Pause before a step where a budget is spent, once there is a generation.

        Raises:
            WaitingForReview: a person has to approve, with a reason, or reject.
        """
        found = self._spent.of(self._limits)
        over = {n: each for n, each in found.items() if each["spent"] >= each["limit"]}
        if over and journal.generations:
            data = {"why": "; ".join(sentence(n, **e) for n, e in over.items())}
            acting.ask_for_more(self._registry, self._spec, journal, over, data["why"])


def sentence(name: str, spent: float, limit: float) -> str:
    """One budget that is spent: `1200 of 1000 tokens are spent`."""
    return f"{spent:.12g} of {limit:.12g} {UNITS[name]} are spent"

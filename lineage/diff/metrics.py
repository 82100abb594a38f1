"""Metrics side by side: differences, which way is better, and what chance may do.

Numbers of different definitions are never subtracted, whatever they are called.
Metrics that were attested later count like recorded ones.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from lineage.diff.comparison import Comparison
from lineage.diff.parts import Pair, Side
from lineage.loop.measuring.definitions import direction_of
from lineage.measured import attested, metrics
from lineage.registry import Registry
from lineage.store.objects import Metric

_DIGITS = 12  # significant digits of a difference; beyond is rounding noise


@dataclass(frozen=True)
class MetricChange:
    """A metric that has changed; `a` or `b` is None where it is missing.

    `events` are the ids of the events that attest them, None where the commit
    itself records the metric.
    """

    name: str
    a: Metric | None
    b: Metric | None
    events: tuple[str | None, str | None] = (None, None)

    @property
    def comparable(self) -> bool:
        """Whether there are two values of one definition."""
        return bool(self.a and self.b and self.a.comparable(self.b))

    @property
    def delta(self) -> float | None:
        """New minus old; None where that would mean nothing."""
        if not (self.a and self.b and self.comparable):
            return None
        difference = self.b.value - self.a.value
        if isinstance(difference, int):
            return difference
        return float(f"{difference:.{_DIGITS}g}")

    @property
    def direction(self) -> str | None:
        """Which way is better, if both sides and the definition say the same."""
        found = {direction_of(side) for side in (self.a, self.b) if side}
        return found.pop() if len(found) == 1 else None

    @property
    def better(self) -> bool | None:
        """Whether the new value is the better one; None where neither is."""
        if not self.delta or self.direction is None:
            return None
        return (self.delta > 0) == (self.direction == "higher")

    @property
    def apart(self) -> bool | None:
        """Whether the intervals have nothing in common; None where one is unknown.

        An unknown interval holds at least its value: where that lies in the other
        interval, the two are not apart.
        """
        if not (self.a and self.b and self.comparable):
            return None
        old, new = (each.interval or [each.value] * 2 for each in (self.a, self.b))
        if new[0] <= old[1] and old[0] <= new[1]:
            return False
        return True if self.a.interval and self.b.interval else None

    @property
    def verdict(self) -> str:
        """``better``, ``worse``, ``none``, ``no verdict`` or ``not comparable``.

        None where there is no direction or only one value; no verdict where the
        intervals overlap, so that chance may have done it.
        """
        if self.a and self.b and not self.comparable:
            return "not comparable"
        if self.better is None:
            return "none"
        if self.apart is False:
            return "no verdict"
        return "better" if self.better else "worse"


def compare(what: Comparison) -> tuple[MetricChange, ...]:
    """The metrics that differ; those of parts, where the whole does not have them."""
    registry, whole = what.registry, what.pairs[0]
    own = {name for s in (whole.a, whole.b) if s for name in metrics(registry, s.id)}
    found = list(_changes(registry, whole, "", set()))
    for pair in what.pairs[1:]:
        if pair.part:
            found += _changes(registry, pair, f"{pair.label}/", own)
    return tuple(found)


def _changes(
    registry: Registry, pair: Pair, prefix: str, known: set[str]
) -> Iterator[MetricChange]:
    (before, old), (after, new) = (_measured(registry, s) for s in (pair.a, pair.b))
    for name in sorted({*before, *after} - known):
        events = old.get(name), new.get(name)
        sides = before.get(name), after.get(name)
        change = MetricChange(prefix + name, *sides, events=events)
        if change.delta != 0:
            yield change


def _measured(
    registry: Registry, side: Side | None
) -> tuple[dict[str, Metric], dict[str, str]]:
    """The metrics of one side, and the events of those that were attested."""
    if side is None:
        return {}, {}
    later = attested(registry, side.id)
    events = {name: found.event.id for name, found in later.items()}
    return dict(metrics(registry, side.id)), events

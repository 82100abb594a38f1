"""Metrics side by side: differences, and which way is better.

Numbers of different definitions are never subtracted, whatever they are called.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from lineage.diff.comparison import Comparison
from lineage.diff.parts import Pair
from lineage.store.objects import Metric

_DIGITS = 12  # significant digits of a difference; beyond is rounding noise


@dataclass(frozen=True)
class MetricChange:
    """A metric that has changed; `a` or `b` is None where it is missing."""

    name: str
    a: Metric | None
    b: Metric | None

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
    def better(self) -> bool | None:
        """Whether the new value is the better one; None where neither is."""
        if not (self.a and self.b and self.delta):
            return None
        if self.a.direction != self.b.direction or self.b.direction is None:
            return None
        return (self.delta > 0) == (self.b.direction == "higher")


def compare(what: Comparison) -> tuple[MetricChange, ...]:
    """The metrics that differ; those of parts, where the whole does not have them."""
    whole = what.pairs[0]
    own = {name for side in whole.commits for name in side.metrics}
    found = list(_changes(whole, "", set()))
    for pair in what.pairs[1:]:
        if pair.part:
            found += _changes(pair, f"{pair.label}/", own)
    return tuple(found)


def _changes(pair: Pair, prefix: str, known: set[str]) -> Iterator[MetricChange]:
    before = pair.a.commit.metrics if pair.a else {}
    after = pair.b.commit.metrics if pair.b else {}
    for name in sorted({*before, *after} - known):
        change = MetricChange(prefix + name, before.get(name), after.get(name))
        if change.delta != 0:
            yield change

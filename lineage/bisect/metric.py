"""Bisecting by a metric, recorded or attested: every value on the way is looked at.

A commit is bad when its value breaks the bound that is given or, without one, when it
is nearer to the bad end's value than to the good end's. Where an interval is recorded
and the line between the two lies in it, the value decides nothing.
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from lineage.bisect.result import Bisected, Probe, check_ends, way
from lineage.errors import NotFound, UsageError, VerificationError
from lineage.measured import metrics
from lineage.registry import Registry
from lineage.store.objects import Metric


class Line(NamedTuple):
    """What separates good from bad: bad is above it, or below."""

    at: float
    above: bool

    def is_bad(self, value: float) -> bool:
        return value > self.at if self.above else value < self.at


def by_metric(
    registry: Registry,
    name: str,
    good: str,
    bad: str,
    *,
    above: float | None = None,
    below: float | None = None,
) -> Bisected:
    """Find where the metric `name` broke between two commits (full ids).

    Bad is what is `above` or `below` a bound or, without one, what is nearer to the
    value at `bad` than to the value at `good`.

    Raises:
        UsageError: when `bad` did not come from `good`, or `good` is not good.
        NotFound: when an end lacks the metric, or nothing broke between them.
        VerificationError: when noise hides the difference between the ends.
    """
    ids = way(registry, good, bad)
    found = [metrics(registry, id_).get(name) for id_ in ids]
    first, last = _known(good, name, found[0]), _known(bad, name, found[-1])
    line = _line(name, first, last, above, below)
    probes = [
        _probe(id_, metric, first, line) for id_, metric in zip(ids, found, strict=True)
    ]
    _check_noise(name, probes[0], probes[-1])
    check_ends(probes[0], probes[-1])
    return Bisected(probes, len(ids), _suspects(probes), _crossings(probes), line.at)


def _known(id_: str, name: str, metric: Metric | None) -> Metric:
    if metric is None:
        hint = "`lineage show` lists the metrics of a commit"
        raise NotFound(f"{id_[:12]} has no metric {name}", hint=hint)
    return metric


def _check_noise(name: str, *ends: Probe) -> None:
    for end in ends:
        if end.verdict == "skipped":
            message = f"{name} is not measured the same way at both ends"
            raise UsageError(message, hint="name ends that can be compared")
        if end.verdict == "undecided":
            hint = "name other ends or another bound"
            if end.more:
                hint = f"about {end.more} more samples of it could tell"
            message = f"noise hides the difference: of {end.id[:12]} {end.why}"
            raise VerificationError(message, hint=hint)


def _line(
    name: str, first: Metric, last: Metric, above: float | None, below: float | None
) -> Line:
    if above is not None:
        return Line(above, above=True)
    if below is not None:
        return Line(below, above=False)
    if not first.comparable(last):
        hint = "say what is bad with --above or --below"
        raise UsageError(f"{name} is not measured the same way at both ends", hint=hint)
    if first.value == last.value:
        hint = "say what is bad with --above or --below"
        raise NotFound(f"nothing broke: {name} is {first.value:g} twice", hint=hint)
    return Line((first.value + last.value) / 2, above=last.value > first.value)


def _probe(id_: str, metric: Metric | None, first: Metric, line: Line) -> Probe:
    if metric is None:
        return Probe(id_, "skipped", "not measured")
    if not metric.comparable(first):
        return Probe(id_, "skipped", "measured another way", metric.value)
    value, interval = metric.value, metric.interval
    pair = (interval[0], interval[1]) if interval else None
    if pair and pair[0] <= line.at <= pair[1]:
        more = _more(metric, pair, line)
        why = f"its interval spans {line.at:g}"
        return Probe(id_, "undecided", why, value, pair, more=more)
    verdict = "bad" if line.is_bad(value) else "good"
    side = "above" if value > line.at else "below"
    why = "" if value == line.at else f"{value:g} is {side} {line.at:g}"
    return Probe(id_, verdict, why, value, pair)


def _more(metric: Metric, interval: tuple[float, float], line: Line) -> int | None:
    """Samples that would pull the interval off the line: it shrinks as 1/√n."""
    distance = abs(metric.value - line.at)
    reach = interval[1] - metric.value
    if line.at < metric.value:
        reach = metric.value - interval[0]
    if metric.n is None or not distance:
        return None
    return max(math.ceil(metric.n * (reach / distance) ** 2) + 1 - metric.n, 1)


def _suspects(probes: Sequence[Probe]) -> list[str]:
    """The first bad commit, and those just before it that may have been bad already.

    What lies between two good ones counts as good.
    """
    found = next(i for i, probe in enumerate(probes) if probe.verdict == "bad")
    start = found
    while probes[start - 1].verdict != "good":
        start -= 1
    return [probe.id for probe in probes[start : found + 1]]


def _crossings(probes: Sequence[Probe]) -> int:
    decided = [p.verdict for p in probes if p.verdict in ("good", "bad")]
    return sum(pair == ("good", "bad") for pair in pairwise(decided))

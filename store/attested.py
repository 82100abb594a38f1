"""Metrics that were attested of a commit later, by events of the type ``metrics``.

Their ``data`` is ``{"metrics": {name: METRIC}}``; null in place of a metric takes back
what was said under that name. The newest event that speaks of a name holds.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import NamedTuple

from lineage.errors import UsageError
from lineage.store.event_reading import Logged
from lineage.store.metric import Metric
from lineage.store.objects import Event

METRICS = "metrics"  # the type of such an event


class Attested(NamedTuple):
    """A metric, and the event that says it."""

    metric: Metric
    event: Event


def attested(events: Iterable[Logged]) -> dict[str, Attested]:
    """What holds after `events` about one commit, which come oldest first."""
    found: dict[str, Attested] = {}
    for _, event in events:
        for name, metric in said(event):
            found.pop(name, None)
            if metric is not None:
                found[name] = Attested(metric, event)
    return found


def said(event: Event) -> Iterator[tuple[str, Metric | None]]:
    """The metrics of one event; one that is malformed says nothing."""
    given = event.data.get("metrics")
    for name, data in given.items() if isinstance(given, dict) else ():
        with suppress(UsageError, TypeError):
            yield name, None if data is None else _metric(data)


def _metric(data: object) -> Metric:
    if not isinstance(data, dict):
        raise TypeError(f"{data!r} is no metric")
    return Metric.from_json(data)

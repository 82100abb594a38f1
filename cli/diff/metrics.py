"""The metrics of a diff: both values, the difference, and which is better."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lineage.cli.diff.part import Part, changed, section
from lineage.cli.render import Column, Record, Section
from lineage.cli.terminal import Span
from lineage.cli.text import change, number

if TYPE_CHECKING:
    from lineage.diff import Diff
    from lineage.diff.metrics import MetricChange
    from lineage.store.objects import Metric


def _data(found: "Diff") -> list[Record]:
    return [_metric(item) for item in found.metrics]


def _metric(found: "MetricChange") -> Record:
    return {
        "name": found.name,
        "a": found.a and found.a.value,
        "b": found.b and found.b.value,
        "delta": found.delta,
        "better": found.better,
    }


def _rows(found: "Diff") -> Iterator[Record]:
    for record in _data(found):
        yield {"path": record["name"], **changed(record)}


def _tables(found: "Diff", most: int) -> Iterator[Section]:
    if found.metrics:
        shown = [{"change": item} for item in found.metrics]
        yield section("metrics", shown, _COLUMNS, most)


def _line(found: "Diff") -> str:
    """How many are better, worse and neither."""
    verdicts = [item.better for item in found.metrics]
    words = {True: "better", False: "worse", None: "neither"}
    counts = ((word, verdicts.count(value)) for value, word in words.items())
    return ", ".join(f"{count} {word}" for word, count in counts if count)


def _measured(metric: "Metric | None") -> str:
    if metric is None:
        return "-"
    low_high = ", ".join(map(number, metric.interval or ()))
    return number(metric.value) + (f" [{low_high}]" if low_high else "")


def _delta(record: Record) -> str:
    delta = record["change"].delta
    return "" if delta is None else change(delta)


def _verdict(record: Record) -> Span:
    """Whether the new value is better, or why nobody can say."""
    found: MetricChange = record["change"]
    if found.a and found.b and not found.comparable:
        both = " and ".join(_definition(metric) for metric in (found.a, found.b))
        return f"not comparable: {both}", "dim"
    return {True: ("better", "good"), False: ("worse", "bad"), None: ("", "")}[
        found.better
    ]


def _definition(metric: "Metric") -> str:
    if metric.definition is None:
        return "undefined"
    version = "" if metric.version is None else f" v{metric.version}"
    return f"{metric.definition}{version}"


_COLUMNS = (
    Column("name", lambda r: r["change"].name, flexible=True),
    Column("old", lambda r: _measured(r["change"].a), right=True),
    Column("new", lambda r: _measured(r["change"].b), right=True),
    Column("change", _delta, right=True),
    Column("", _verdict, flexible=True),
)

METRICS = Part("metrics", _data, _rows, _tables, _line)

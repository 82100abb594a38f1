"""The metrics of a diff: both values, the difference, and which is better."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lineage.cli.diff.part import Part, changed
from lineage.cli.render import Column, Record, Section, first_rows
from lineage.cli.terminal import Span
from lineage.cli.text import interval
from lineage.graph import headlines
from lineage.shapes.diff import metrics
from lineage.wording import change, number

if TYPE_CHECKING:
    from lineage.diff import Diff
    from lineage.diff.metrics import MetricChange
    from lineage.store.objects import Metric

_HEADLINES = 2  # metrics in the summary


def _rows(found: "Diff") -> Iterator[Record]:
    for record in metrics(found):
        yield {"path": record["name"], **changed(record)}


def _tables(found: "Diff", most: int) -> Iterator[Section]:
    if found.metrics:
        shown = [{"change": item} for item in found.metrics]
        yield first_rows("metrics", shown, _COLUMNS, most)


def _line(found: "Diff") -> str:
    """How many went which way; then how much the telling ones moved."""
    kinds = [_kind(item) for item in found.metrics]
    without = kinds.count("no verdict")
    counts = {
        "worse": kinds.count("worse"),
        "better": kinds.count("better"),
        "neither": kinds.count("none") + without,
        **{word: kinds.count(word) for word in ("not comparable", "added", "removed")},
    }
    words = {"neither": f"neither ({without} without verdict)"} if without else {}
    said = (
        f"{count} {words.get(word, word)}" for word, count in counts.items() if count
    )
    return f"{', '.join(said)}\n{_moved(found)}".strip()


def _kind(found: "MetricChange") -> str:
    if found.a and found.b:
        return found.verdict
    return "added" if found.b else "removed"


def _moved(found: "Diff") -> str:
    """The headline metrics that can be compared, those with a verdict first."""
    deltas = {c.name: c for c in found.metrics if c.b and c.delta is not None}
    names = headlines({name: c.b for name, c in deltas.items() if c.b})
    names.sort(key=lambda name: deltas[name].better is None)
    shown = (deltas[name] for name in names[:_HEADLINES])
    return "\n".join(
        f"{c.name} {_value(c.a)} → {_value(c.b)} {verdict(c)[0]}".rstrip()
        for c in shown
    )


def _value(metric: "Metric | None") -> str:
    return "-" if metric is None else number(metric.value)


def _besides(record: Record) -> str:
    """Between what the values lie, and who said them later."""
    found: MetricChange = record["change"]
    sides = (("old", found.a), ("new", found.b))
    said = [
        f"{side} in {interval(metric.interval)}"
        for side, metric in sides
        if metric and metric.interval
    ]
    for (side, _), event in zip(sides, found.events, strict=True):
        if event:
            said.append(f"{side} attested in event {event[:8]}")
    return ", ".join(said)


def _delta(record: Record) -> str:
    delta = record["change"].delta
    return "" if delta is None else change(delta)


def verdict(found: "MetricChange") -> Span:
    """Whether the new value is better, or why nobody can say."""
    if found.a and found.b and not found.comparable:
        both = " and ".join(definition(metric) for metric in (found.a, found.b))
        return f"not comparable: {both}", "dim"
    if found.verdict == "no verdict":
        return "no verdict, overlap", "dim"
    if found.better is None:
        return "overlap" if found.apart is False else "", "dim"
    if found.apart is None:
        return f"{found.verdict}, no interval", ""
    return found.verdict, "good" if found.better else "bad"


def definition(metric: "Metric") -> str:
    """The name and version of what a metric means."""
    if metric.definition is None:
        return "undefined"
    version = "" if metric.version is None else f" v{metric.version}"
    return f"{metric.definition}{version}"


_COLUMNS = (
    Column("name", lambda r: r["change"].name, flexible=True, path=True),
    Column("old", lambda r: _value(r["change"].a), right=True),
    Column("new", lambda r: _value(r["change"].b), right=True),
    Column("change", _delta, right=True),
    Column("", lambda r: verdict(r["change"]), flexible=True),
    Column("", _besides, below=True),
)

METRICS = Part("metrics", metrics, _rows, _tables, _line)

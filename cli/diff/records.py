"""The records of a diff: how many came and went, what shifted, a few of each."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from lineage.cli.diff.part import STYLES, Part
from lineage.cli.render import Column, Record, Section, first_rows
from lineage.cli.terminal import Span
from lineage.cli.text import cut, inline
from lineage.shapes.diff.records import records
from lineage.wording import number, percent, plural, spaced

if TYPE_CHECKING:
    from lineage.diff import Diff
    from lineage.diff.records import (
        ColumnChange,
        Distribution,
        RecordChanges,
        Sample,
    )

_LEAST = 0.01  # a column that shifted less, of 1, is not shown to people
_LONG = 1e7  # numbers from here on take an exponent
_WIDEST = 160  # columns of the terminal for a record
_RELATIVE = 0.01  # nor a measure of text that changed less, of itself


def _rows(found: "Diff") -> Iterator[Record]:
    for item in found.records:
        where = f"{item.label}/" if item.label else ""
        for what in ("added", "removed", "changed", "moved", "reordered"):
            if count := getattr(item, what):
                side = "a" if what == "removed" else "b"
                yield {"path": f"{where}records", "change": what, side: count}
        for change in item.schema:
            sides = {"a": inline(change.a), "b": inline(change.b)}
            yield {
                "path": f"{where}column:{change.name}",
                "change": change.what,
            } | sides
        for column in item.columns:
            name = f"{where}column:{column.name}"
            yield {"path": name, "change": "shifted", "delta": column.shift}
        for sample in item.samples:
            path = f"{where}{sample.path}:{sample.number}"
            side = "a" if sample.what == "removed" else "b"
            yield {"path": path, "change": sample.what, side: inline(sample.record)}


def _tables(found: "Diff", most: int) -> Iterator[Section]:
    for item in found.records:
        title = f"records {item.label}".rstrip()
        yield Section(title, list(_counts(item)), _COUNTS)
        if item.schema:
            schema = [{"change": change} for change in item.schema]
            yield first_rows(f"{title}: columns", schema, _SCHEMA, most)
        shifted = [c for c in item.columns if c.shift >= _LEAST]
        if shifted:
            of = _of(item)
            rows = [{"column": column} for column in shifted]
            yield first_rows(f"{title}: what shifted{of}", rows, _COLUMNS, most)
        if texts := [row for column in shifted for row in _texts(column)]:
            yield first_rows(f"{title}: texts", texts, _TEXTS, most)
        if item.samples:
            some = [{"sample": sample} for sample in _spread(item.samples, most)]
            more = len(item.samples) - len(some)
            yield Section(f"{title}: some of them", some, _SAMPLES, more)


def _spread(samples: "Sequence[Sample]", most: int) -> "list[Sample]":
    """At most so many, and as many of each sort as can be."""
    turn = Counter[str]()
    order = []
    for place, sample in enumerate(samples):
        order.append((turn[sample.what], place))
        turn[sample.what] += 1
    return [samples[place] for place in sorted(p for _, p in sorted(order)[:most])]


def _of(item: "RecordChanges") -> str:
    if item.sampled is None:
        return ""
    a, b = item.sampled
    return f" (in a sample of {a:,} and {b:,})"


def _counts(item: "RecordChanges") -> Iterator[Record]:
    """A row per thing that there is to say."""
    old, new = item.records
    same = plural(item.same_files, "file") + " more, the same on both sides"
    yield {"what": "records", "a": f"{old:,}", "b": f"{new:,}",
           "how": same if item.same_files else ""}  # fmt: skip
    for what, side in (("added", "b"), ("removed", "a")):
        if count := getattr(item, what):
            yield {"what": what, side: f"{count:,}", "how": ""}
    if item.changed:
        columns = (f"{name} {n:,}" for name, n in item.changed_columns.items())
        yield {"what": "changed", "b": f"{item.changed:,}", "how": ", ".join(columns)}
    if item.moved:
        yield {"what": "moved", "b": f"{item.moved:,}", "how": "to another file"}
    if item.reordered:
        yield {"what": "reordered", "b": f"{item.reordered:,}", "how": "in their file"}
    if any(item.duplicated):
        a, b = item.duplicated
        yield {"what": "duplicates", "a": f"{a:,}", "b": f"{b:,}", "how": ""}


def _texts(column: "ColumnChange") -> Iterator[Record]:
    """The measures of a text that changed by more than a hundredth."""
    for name in dict.fromkeys((*column.a.text, *column.b.text)):
        a, b = column.a.text.get(name, 0.0), column.b.text.get(name, 0.0)
        if abs(a - b) > _RELATIVE * max(abs(a), abs(b)):
            yield {"column": column.name, "measure": name, "a": a, "b": b}


def _line(found: "Diff") -> str:
    return "\n".join(map(_said, found.records))


def _said(item: "RecordChanges") -> str:
    counts = {
        "added": item.added,
        "removed": item.removed,
        "changed": item.changed,
        "moved": item.moved,
        "reordered": item.reordered,
    }
    words = [f"{count:,} {word}" for word, count in counts.items() if count]
    shifted = [c for c in item.columns if c.shift >= _LEAST]
    texts = [c for c in shifted if c.kind == "text"]
    for_people = (texts or shifted)[:1]
    words += [f"{column.name} shifted ({_shift(column)})" for column in for_people]
    where = f"{item.label}: " if item.label else ""
    return where + ", ".join(words)


def _types(types: "tuple[str, ...] | None") -> str:
    return ", ".join(types) if types else "-"


def _schema_mark(record: Record) -> Span:
    what = record["change"].what
    return what, STYLES.get(what, "")


def _value(side: str, record: Record) -> str:
    """The mean of numbers and lengths, the number of categories."""
    column: ColumnChange = record["column"]
    found: Distribution = getattr(column, side)
    if found.mean is None:
        return f"{found.distinct:,} distinct"
    return f"mean {_brief(found.mean)}"


def _brief(value: float) -> str:
    return f"{value:.3e}" if abs(value) >= _LONG else number(value)


def _shift(column: "ColumnChange") -> str:
    """The measure that it shifted most by."""
    found = {"JS": column.js or 0.0, "KS": column.ks or 0.0}
    name = max(found, key=lambda measure: found[measure])
    return f"{name} {number(found[name])}" if found[name] else _nulls(column)


def _nulls(column: "ColumnChange") -> str:
    a, b = column.a.nulls, column.b.nulls
    return f"null {percent(a)} → {percent(b)}" if abs(a - b) >= _LEAST else ""


def _measure(name: str, record: Record) -> str:
    value = getattr(record["column"], name)
    return "" if value is None else _brief(value)


def _mark(record: Record) -> Span:
    sample: Sample = record["sample"]
    times = f" {sample.copies:,} times" if sample.copies > 1 else ""
    return sample.what + times, STYLES.get(sample.what, "")


_COUNTS = (
    Column("", lambda r: (r["what"], STYLES.get(r["what"], ""))),
    Column("old", lambda r: r.get("a", ""), right=True),
    Column("new", lambda r: r.get("b", ""), right=True),
    Column("", lambda r: r["how"], flexible=True),
)
_SCHEMA = (
    Column("", _schema_mark),
    Column("column", lambda r: r["change"].name, flexible=True),
    Column("old", lambda r: _types(r["change"].a), flexible=True),
    Column("new", lambda r: _types(r["change"].b), flexible=True),
)
_COLUMNS = (
    Column("column", lambda r: r["column"].name, flexible=True),
    Column("kind", lambda r: r["column"].kind),
    Column("old", lambda r: _value("a", r), right=True),
    Column("new", lambda r: _value("b", r), right=True),
    Column("JS", lambda r: _measure("js", r), right=True),
    Column("KS", lambda r: _measure("ks", r), right=True),
    Column("W1", lambda r: _measure("wasserstein", r), right=True),
    Column("", lambda r: _nulls(r["column"]), flexible=True),
)
_TEXTS = (
    Column("column", lambda r: r["column"], flexible=True),
    Column("measure", lambda r: spaced(r["measure"])),
    Column("old", lambda r: number(r["a"]), right=True),
    Column("new", lambda r: number(r["b"]), right=True),
)
_SAMPLES = (
    Column("", _mark),
    Column("file", lambda r: r["sample"].path, flexible=True, path=True),
    Column("number", lambda r: f"{r['sample'].number:,}", right=True),
    Column("record", lambda r: cut(inline(r["sample"].record), _WIDEST), flexible=True),
)

RECORDS = Part("records", records, _rows, _tables, _line)

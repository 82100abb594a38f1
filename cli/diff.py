"""`lineage diff`: what changed between two commits."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from lineage.cli.command import (
    App,
    Command,
    at_option,
    complete_revision,
    format_option,
    pass_app,
)
from lineage.cli.names import decorations, short, title
from lineage.cli.render import (
    Column,
    Record,
    Section,
    csv_lines,
    document,
    json_line,
    markdown_sections,
    sections,
)
from lineage.cli.show import inline
from lineage.cli.terminal import Span
from lineage.cli.text import ago, change, number, size
from lineage.errors import UsageError

if TYPE_CHECKING:
    from lineage.diff import Diff
    from lineage.diff.files import FileChange
    from lineage.diff.metrics import MetricChange
    from lineage.store.objects import Metric

SECTIONS = ("metrics", "params", "config", "files")
_DIFFERS = 1


@click.command(
    cls=Command,
    short_help="Show what changed between two commits.",
    examples={
        "lineage diff": "HEAD with the commit before it",
        "lineage diff loop/replace loop/accumulate": "two branches",
        "lineage diff model/tutor~3 model/tutor --only metrics": "only the numbers",
    },
    exits={0: "done", 1: "differs, with --exit-code", 2: "bad option", 5: "not found"},
)
@click.argument(
    "first", metavar="[A]", default="HEAD", shell_complete=complete_revision
)
@click.argument("second", metavar="[B]", required=False,
                shell_complete=complete_revision)  # fmt: skip
@click.option("--only", metavar="S", help="Some of metrics,params,config,files.")
@click.option("--exit-code", is_flag=True, help="Exit 1 when something differs.")
@at_option
@format_option("json", "jsonl", "csv", "md")
@pass_app
def diff(
    app: App,
    /,
    *,
    first: str,
    second: str | None,
    only: str | None,
    format_: str,
    exit_code: bool,
) -> int:
    """Show what changed from A, the old one, to B, the new one.

    With one revision: from the commit before it on its branch to the revision; with
    none: the same for HEAD. Two generations are compared part by part.
    """
    from lineage.diff import before
    from lineage.diff import diff as compare

    chosen = _chosen(only)
    registry = app.registry
    old, new = (first, second) if second else (before(registry, first), first)
    found = compare(registry, old, new, chosen)
    if format_ == "json":
        app.terminal.write([document(_data(found, chosen))])
    elif format_ == "jsonl":
        app.terminal.write([json_line(_data(found, chosen))])
    elif format_ == "csv":
        app.terminal.write(csv_lines(list(_rows(found, chosen))))
    elif format_ == "md":
        app.terminal.write(_markdown(app, found))
    else:
        app.terminal.page(_human(app, found))
    _explain(app, found, chosen)
    differs = bool(found) or (chosen == SECTIONS and bool(found.beyond))
    return _DIFFERS if exit_code and differs else 0


def _chosen(only: str | None) -> tuple[str, ...]:
    chosen = SECTIONS if only is None else tuple(only.split(","))
    for name in chosen:
        if name not in SECTIONS:
            hint = "some of " + ",".join(SECTIONS)
            raise UsageError(f"{name!r} is no section of a diff", hint=hint)
    return chosen


def _explain(app: App, found: "Diff", chosen: tuple[str, ...]) -> None:
    """Say what cannot be seen in the tables."""
    for note in found.notes:
        app.terminal.say(("note:", "hint"), f" {note}")
    if found.a == found.b:
        app.terminal.say("they are the same commit")
    elif not found:
        app.terminal.say(f"the same {_listed(chosen)}")
    if found.beyond:
        verb = "differs" if len(found.beyond) == 1 else "differ"
        also = (
            f"{_listed(found.beyond)} {verb}, too"
            if found
            else (f"{_listed(found.beyond)} {verb}")
        )
        app.terminal.say(("note:", "hint"), f" {also}; see `lineage show`")


def _listed(names: "Sequence[str]") -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _data(found: "Diff", chosen: tuple[str, ...]) -> dict[str, Any]:
    files = found.files
    whole = {
        "metrics": [_metric(item) for item in found.metrics],
        "params": [{"path": c.path, "a": c.a, "b": c.b} for c in found.params],
        "config": [{"path": c.path, "a": c.a, "b": c.b} for c in found.config],
        "files": {
            name: [item.path for item in getattr(files, name)]
            for name in ("added", "removed", "changed")
        },
    }
    data = {"a": found.a, "b": found.b, **{name: whole[name] for name in chosen}}
    return data | {"others": list(found.beyond)} if chosen == SECTIONS else data


def _metric(found: "MetricChange") -> Record:
    return {
        "name": found.name,
        "a": found.a and found.a.value,
        "b": found.b and found.b.value,
        "delta": found.delta,
        "better": found.better,
    }


def _rows(found: "Diff", chosen: tuple[str, ...]) -> Iterator[Record]:
    """Everything that changed as one table."""
    columns = ("section", "path", "change", "a", "b", "delta", "better")
    for row in _changes(_data(found, chosen), chosen):
        yield {name: row.get(name) for name in columns}


def _changes(data: dict[str, Any], chosen: tuple[str, ...]) -> Iterator[Record]:
    for section in chosen:
        if section == "files":
            for what, paths in data["files"].items():
                yield from (
                    {"section": section, "path": path, "change": what} for path in paths
                )
        else:
            for record in data[section]:
                path = record.get("path", record.get("name"))
                sides = record["a"] is not None, record["b"] is not None
                what = {(False, True): "added", (True, False): "removed"}
                change = what.get(sides, "changed")
                yield {"section": section, "path": path, "change": change, **record}


def _human(app: App, found: "Diff") -> Iterator[str]:
    for label, style, id_ in (("old", "bad", found.a), ("new", "good", found.b)):
        entry = app.registry.entry(id_)
        head: list[Span] = [
            (f"{label}  ", style),
            (f"{short(app.registry, id_)} ", "id"),
            *title(entry.commit, entry.generation),
            *decorations(app.registry, entry),
            (f", {ago(entry.time)}", "dim"),
        ]
        yield app.terminal.paint(head)
    yield from sections(app.terminal, _sections(found))


def _markdown(app: App, found: "Diff") -> Iterator[str]:
    for label, id_ in (("old", found.a), ("new", found.b)):
        entry = app.registry.entry(id_)
        what = "".join(text for text, _ in title(entry.commit, entry.generation))
        yield f"- {label}: {what}, `{id_}`"
    yield from markdown_sections(_sections(found))


def _sections(found: "Diff") -> Iterator[Section]:
    """The tables that have something in them."""
    settings = {"params": found.params, "config": found.config}
    if found.metrics:
        metrics = [{"change": item} for item in found.metrics]
        yield Section("metrics", metrics, _METRICS)
    for name, changes in settings.items():
        if changes:
            records = [{"path": c.path, "a": c.a, "b": c.b} for c in changes]
            yield Section(name, records, _SETTINGS)
    files = [{"change": item} for item in _by_path(found)]
    if files:
        yield Section("files", files, _FILES)


def _by_path(found: "Diff") -> "list[FileChange]":
    files = found.files
    changes = (*files.added, *files.removed, *files.changed)
    return sorted(changes, key=lambda item: item.path)


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


def _mark(record: Record) -> Span:
    found: FileChange = record["change"]
    if found.a is None:
        return "added", "good"
    return ("changed", "") if found.b else ("removed", "bad")


def _sizes(record: Record) -> str:
    found: FileChange = record["change"]
    sizes = (size(entry.size) for entry in (found.a, found.b) if entry)
    return " → ".join(dict.fromkeys(sizes))


def _value(value: object) -> str:
    return "-" if value is None else inline(value)


_METRICS = (
    Column("name", lambda r: r["change"].name, flexible=True),
    Column("old", lambda r: _measured(r["change"].a), right=True),
    Column("new", lambda r: _measured(r["change"].b), right=True),
    Column("change", _delta, right=True),
    Column("", _verdict, flexible=True),
)
_SETTINGS = (
    Column("path", lambda r: r["path"], flexible=True),
    Column("old", lambda r: (_value(r["a"]), "bad"), flexible=True),
    Column("new", lambda r: (_value(r["b"]), "good"), flexible=True),
)
_FILES = (
    Column("", _mark),
    Column("path", lambda r: r["change"].path, flexible=True),
    Column("size", _sizes),
)

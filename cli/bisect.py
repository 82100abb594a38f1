"""`lineage bisect`: the first commit where a measure or a command broke."""

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from lineage.cli.command import (
    App,
    Command,
    at_option,
    complete_revision,
    format_option,
    pass_app,
)
from lineage.cli.names import short, title
from lineage.cli.render import (
    Column,
    Record,
    csv_lines,
    document,
    json_line,
    markdown,
    table,
)
from lineage.cli.terminal import Span
from lineage.errors import UsageError
from lineage.wording import number, plural

if TYPE_CHECKING:
    from lineage.bisect import Bisected, Probe
    from lineage.registry import Registry

_UNDECIDED = 3
_STYLES = {"good": "good", "bad": "bad", "undecided": "hint", "skipped": "dim"}


def _verdict(record: Record) -> Span:
    return record["verdict"], _STYLES[record["verdict"]]


def _measured(record: Record) -> str:
    """The value with its interval, or how often the command failed."""
    if record["runs"] == 1:
        return "failed" if record["failures"] else "passed"
    if record["runs"] is not None:
        return f"{record['failures']} of {record['runs']} failed"
    if record["value"] is None:
        return ""
    interval = ", ".join(map(number, record["interval"] or ()))
    return f"{number(record['value'])} [{interval}]".removesuffix(" []")


_COLUMNS = (
    Column("commit", lambda r: (r["short"], "id")),
    Column("what", lambda r: r["what"], flexible=True),
    Column("measured", _measured, right=True),
    Column("verdict", _verdict),
    Column("", lambda r: (_noted(r), "dim"), flexible=True),
)


@click.command(
    cls=Command,
    short_help="Find the first commit where something broke.",
    examples={
        "lineage bisect perplexity --good loop/tutor~9": "where it came nearer to bad",
        "lineage bisect perplexity --good v1 --bad v2 --above 90": "where it passed 90",
        "lineage bisect --run 'python check.py' --good v1": "where a command fails",
        "lineage bisect --run ./flaky --good v1 --repeats 8": "if by chance, too",
    },
    exits={
        0: "the first bad commit is found",
        1: "failed: a file, a disk, the command",
        2: "a bad option, no way from good to bad, or good is bad",
        3: "noise, or what was not measured, leaves several",
        5: "no such revision or metric, or nothing broke",
    },
)
@click.argument("metric", required=False)
@click.option("--good", required=True, metavar="REV", help="Where it was not broken.",
              shell_complete=complete_revision)  # fmt: skip
@click.option("--bad", default="HEAD", metavar="REV", show_default=True,
              help="Where it is.", shell_complete=complete_revision)  # fmt: skip
@click.option("--above", type=float, metavar="X", help="Broken is above X.")
@click.option("--below", type=float, metavar="X", help="Broken is below X.")
@click.option("--run", "command", metavar="CMD", help="Broken is where CMD fails.")
@click.option(
    "--repeats",
    type=click.IntRange(min=1),
    default=1,
    metavar="N",
    help="Run CMD up to N times for each commit, as it may fail by chance.",
)
@at_option
@format_option("json", "jsonl", "csv", "md")
@pass_app
def bisect(
    app: App,
    /,
    *,
    metric: str | None,
    good: str,
    bad: str,
    above: float | None,
    below: float | None,
    command: str | None,
    repeats: int,
    format_: str,
) -> int:
    """Find the first commit, on the way from good to bad, where METRIC or CMD broke.

    Without a bound a commit is bad when its value is nearer to the one at --bad than
    to the one at --good. CMD runs in a folder of the commit's files (of a generation:
    of its model), with LINEAGE_COMMIT and LINEAGE_FILES set: exit 0 is good, 125 skips
    the commit, up to 127 is bad. docs/history.md says how noise is judged.
    """
    from lineage.bisect import by_command, by_metric

    _check(metric, command, (above, below), repeats)
    registry = app.registry
    ends = registry.resolve(good), registry.resolve(bad)
    if command:
        found = by_command(
            registry,
            command,
            *ends,
            repeats=repeats,
            tell=lambda probe: _tell(app, probe),
        )
    else:
        found = by_metric(registry, metric or "", *ends, above=above, below=below)
    _print(app, found, format_)
    return 0 if found.culprit else _UNDECIDED


def _check(
    metric: str | None,
    command: str | None,
    bounds: tuple[float | None, float | None],
    repeats: int,
) -> None:
    given = [bound for bound in bounds if bound is not None]
    if bool(metric) == bool(command):
        hint = "lineage bisect perplexity --good REV, or --run CMD --good REV"
        raise UsageError("either a metric or a command is bisected", hint=hint)
    if not all(map(math.isfinite, given)):
        raise UsageError("a bound is a finite number")
    if len(given) > 1 or (given and command):
        raise UsageError("one bound goes with a metric: --above or --below")
    if repeats > 1 and metric:
        raise UsageError("--repeats goes with --run: values are recorded already")


def _tell(app: App, probe: "Probe") -> None:
    style = _STYLES[probe.verdict]
    several = probe.runs and probe.runs > 1
    runs = f" ({probe.failures} of {probe.runs} failed)" if several else ""
    app.terminal.say(
        (short(app.registry, probe.id), "id"), " is ", (probe.verdict, style), runs
    )


def _print(app: App, found: "Bisected", format_: str) -> None:
    records = [_record(app.registry, probe) for probe in found.probes]
    data = {
        "culprit": found.culprit,
        "suspects": list(found.suspects),
        "crossings": found.crossings,
        "bound": found.bound,
        "length": found.length,
    }
    shown = [{k: v for k, v in r.items() if k != "short"} for r in records]
    if format_ == "json":
        app.terminal.write([document({**data, "probes": shown})])
    elif format_ == "jsonl":
        app.terminal.write([json_line({**data, "probes": shown})])
    elif format_ == "csv":
        app.terminal.write(csv_lines(shown))
    elif format_ == "md":
        app.terminal.write([*markdown(records, _COLUMNS), "", *_told(app, found)])
    else:
        lines = table(app.terminal, records, _COLUMNS)
        app.terminal.page([*lines, "", *_told(app, found)])


def _record(registry: "Registry", probe: "Probe") -> Record:
    entry = registry.ids.get(probe.id)
    spans = title(registry.load(probe.id), entry.generation)
    return {
        "id": probe.id,
        "short": short(registry, probe.id),
        "what": "".join(text for text, _ in spans),
        "verdict": probe.verdict,
        "why": probe.why,
        "value": probe.value,
        "interval": list(probe.interval) if probe.interval else None,
        "runs": probe.runs,
        "failures": probe.failures,
        "more": probe.more,
    }


def _noted(record: Record) -> str:
    """Why a commit could not be judged, and what would help."""
    if record["verdict"] in ("good", "bad"):
        return ""
    unit = "run" if record["runs"] else "sample"
    more = f"about {plural(record['more'], f'more {unit}')}" if record["more"] else ""
    return "; ".join(filter(None, (record["why"], more)))


def _told(app: App, found: "Bisected") -> Iterator[str]:
    """The verdict, in a sentence or two."""
    registry = app.registry
    if found.culprit is None:
        names = ", ".join(short(registry, id_) for id_ in found.suspects)
        yield f"the first bad commit is one of {names}: more is not known"
        return
    entry = registry.ids.get(found.culprit)
    spans = title(registry.load(found.culprit), entry.generation)
    what = "".join(text for text, _ in spans)
    yield f"the first bad commit is {short(registry, found.culprit)}, {what}"
    if found.crossings > 1:
        yield f"from good to bad it went {found.crossings} times; this is the first"

"""`lineage review`: what waits for a person, what there is to see, the verdict."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from lineage.cli import shapes
from lineage.cli.command import (
    COUNT,
    App,
    Group,
    at_option,
    complete_revision,
    format_option,
    pass_app,
)
from lineage.cli.loop import suggest
from lineage.cli.render import Column, Record, Section, document, listing, sections
from lineage.cli.show import GATES
from lineage.cli.terminal import Span
from lineage.cli.text import ago, change, cut, number, one_line, width

if TYPE_CHECKING:
    from lineage.diff.metrics import MetricChange
    from lineage.loop.packets import Compared, Packet
    from lineage.loop.review import Decision, Reviews, Word
    from lineage.store.objects import Metric

_SAMPLES = 5
_WIDEST = 100  # columns of a record's text

_WAITING = (
    Column("loop", lambda r: (r["loop"], "branch")),
    Column("generation", lambda r: str(r["generation"]), right=True),
    Column("waits", lambda r: r["on"]),
    Column("commit", lambda r: (r["subject"][:12], "id")),
    Column("since", lambda r: ago(r["time"])),
    Column("why", lambda r: r["why"], flexible=True),
)


@click.group(
    cls=Group,
    examples={
        "lineage review list": "what waits for a person",
        "lineage review show": "what there is to see, if one commit waits",
        "lineage review approve tutor --note 'reads well'": "let the loop tutor go on",
    },
)
def review() -> None:
    """Look at what a loop made, and let it go on or not."""


@review.command(
    name="list", examples={"lineage review list": "what waits"}, exits=[0, 5]
)
@at_option
@format_option("json", "jsonl", "csv", "md")
@pass_app
def list_(app: App, format_: str) -> None:
    """List what waits for a person's verdict, newest first."""
    from lineage.loop.review import Reviews

    waiting = list(Reviews.read(app.registry).waiting.values())
    listing(app.terminal, format_, "reviews", [asdict(w) for w in waiting], _WAITING)
    if not waiting:
        app.terminal.say("nothing waits for review")
    elif format_ == "human":
        suggest(app, {f"lineage review show {waiting[0].loop}": "what there is to see"})


@review.command(
    examples={
        "lineage review show": "the only commit that waits",
        "lineage review show tutor -n 20": "20 records of what the loop tutor wrote",
        "lineage review show tutor --seed 1": "other records",
    },
    exits=[0, 2, 3, 5],
)
@click.argument("rev", required=False, shell_complete=complete_revision)
@click.option(
    "-n", "samples", type=COUNT, default=_SAMPLES, metavar="N",
    show_default=True, help="So many records.",
)  # fmt: skip
@click.option("--seed", type=int, default=0, show_default=True, help="Draws them.")
@at_option
@format_option("json")
@pass_app
def show(app: App, rev: str | None, samples: int, seed: int, format_: str) -> None:
    """Show records, measures and gates to decide on.

    REV is a generation or a dataset of a loop, or a loop that waits; by default the
    only commit that waits. The records are drawn at random by the seed.
    """
    from lineage.loop.packets import packet
    from lineage.loop.review import Reviews

    reviews = Reviews.read(app.registry)
    subject = reviews.find(app.registry, rev)
    found = packet(app.registry, subject, samples=samples, seed=seed)
    if format_ == "json":
        app.terminal.write([document(_shape(found, reviews))])
        return
    app.terminal.page(_human(app, found, reviews))
    if subject in reviews.waiting:
        suggest(app, {
            f"lineage review approve {subject[:12]}": "lets the loop go on",
            f"lineage review reject {subject[:12]} --note WHY": "keeps it aside",
        })  # fmt: skip


@review.command(
    examples={
        "lineage review approve": "the only commit that waits",
        "lineage review approve tutor --note 'false alarm: a new topic'": (
            "though a gate failed: an override, with its reason"
        ),
    },
    exits={0: "recorded", 2: "it does not wait, or was decided on before",
           4: "a failed gate, and no reason", 5: "no such commit, or several wait"},
)  # fmt: skip
@click.argument("rev", required=False, shell_complete=complete_revision)
@click.option("-m", "--note", default="", metavar="WHY", help="What you have to say.")
@format_option("json")
@pass_app
def approve(app: App, rev: str | None, note: str, format_: str) -> None:
    """Let the loop go on with REV, in your name.

    REV is what `review list` shows, the name of a loop that waits, or the newest
    generation that a gate stopped (loop/NAME@rejected). To approve what failed a gate
    is an override and needs a --note.
    """
    _decide(app, rev, "approve", note, format_)


@review.command(
    examples={"lineage review reject tutor --note 'repeats itself'": "and why"},
    exits={0: "recorded", 2: "it does not wait, or was decided on before",
           5: "no such commit, or several wait"},
)  # fmt: skip
@click.argument("rev", required=False, shell_complete=complete_revision)
@click.option("-m", "--note", default="", metavar="WHY", help="What you have to say.")
@format_option("json")
@pass_app
def reject(app: App, rev: str | None, note: str, format_: str) -> None:
    """Keep REV out of its loop, in your name.

    The next run of the loop goes back before it; it stays on loop/NAME@rejected.
    """
    _decide(app, rev, "reject", note, format_)


def _decide(
    app: App, rev: str | None, verdict: "Word", note: str, format_: str
) -> None:
    from lineage.loop.review import decide

    made = decide(app.registry, rev, verdict, note)
    if format_ == "json":
        app.terminal.write([document(asdict(made))])
        return
    app.terminal.write([made.event])
    app.terminal.say((made.subject[:12], "id"), f" {_said(made)}")
    suggest(app, {"lineage loop run FILE": "the loop acts on it when it runs"})


def _said(made: "Decision") -> str:
    """A verdict as people say it."""
    over = ", though a gate failed" if made.override else ""
    why = f": {one_line(made.note)}" if made.note else ""
    return f"{made.past} by {one_line(made.by)}{over}{why}"


def _shape(found: "Packet", reviews: "Reviews") -> Record:
    """A packet in JSON."""
    waiting = reviews.waiting.get(found.subject)
    decided = reviews.decided.get(found.subject)
    return {
        "subject": found.subject,
        "loop": found.loop,
        "generation": found.generation,
        "waiting": waiting and asdict(waiting),
        "decided": decided and asdict(decided),
        "dataset": found.dataset or None,
        "records": found.records,
        "samples": list(found.samples),
        "measures": [
            {
                "name": row.name,
                "now": shapes.metric_(row.now),
                "before": row.before and shapes.metric_(row.before),
                "first": row.first and shapes.metric_(row.first),
            }
            for row in found.measures
        ],
        "gates": list(found.gates),
    }


def _human(app: App, found: "Packet", reviews: "Reviews") -> Iterator[str]:
    paint = app.terminal.paint
    yield paint([
        (found.subject[:12], "id"), (" ", ""),
        (f"generation {found.generation} of {one_line(found.loop)}", "title"),
    ])  # fmt: skip
    yield from _standing(found, reviews)
    shown = [
        Section("gates", found.gates, GATES),
        Section("measures", [_row(row) for row in found.measures], _MEASURES),
    ]
    yield from sections(app.terminal, (part for part in shown if part.records))
    count = f"{len(found.samples):,} of {found.records:,} records, drawn at random"
    yield from ("", paint([(count, "title")]))
    for sample in found.samples:
        yield from _record(app, sample)


def _standing(found: "Packet", reviews: "Reviews") -> Iterator[str]:
    waiting = reviews.waiting.get(found.subject)
    decided = reviews.decided.get(found.subject)
    if waiting:
        yield f"waits for review, asked for {ago(waiting.time)}:"
        yield f"  {one_line(waiting.why)}"
    elif decided:
        yield f"{_said(decided)} ({ago(decided.time)})"
    else:
        yield "does not wait for review"


def _row(row: "Compared") -> Record:
    """A measure as people see it: the newest value beside earlier ones."""
    from lineage.diff.metrics import MetricChange

    change_ = MetricChange(row.name, row.before, row.now)
    return {"name": row.name, "change": change_, "first": row.first}


def _value(metric: "Metric | None") -> str:
    return number(metric.value) if metric else "-"


def _change(record: Record) -> Span:
    """The change since the generation before; coloured where a side is better."""
    found: MetricChange = record["change"]
    style = {True: "good", False: "bad", None: ""}[found.better]
    return (change(found.delta) if found.delta else "", style)


def _record(app: App, sample: Record) -> Iterator[str]:
    """A record's id, and its text on as many lines as it takes."""
    yield app.terminal.paint([("  ", ""), (str(sample.get("id", "")), "dim")])
    columns = min(app.terminal.width, _WIDEST) - 4
    text = one_line(str(sample.get("text", "")))
    yield from (f"    {line}" for line in _wrapped(text, columns))


def _wrapped(text: str, columns: int) -> Iterator[str]:
    """Break lines at blanks where there are some; wide characters take two columns."""
    while width(text) > columns:
        line = cut(text, columns + 1).removesuffix("…")
        end = line.rfind(" ") if " " in line else len(line)
        yield text[:end]
        text = text[end:].lstrip()
    yield text


_MEASURES = (
    Column("", lambda r: r["name"], flexible=True),
    Column("now", lambda r: _value(r["change"].b), right=True),
    Column("before", lambda r: _value(r["change"].a), right=True),
    Column("change", _change, right=True),
    Column("first", lambda r: _value(r["first"]), right=True),
)

"""`lineage review show`: records, measures and gates to decide on."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from lineage.cli import tainted
from lineage.cli.command import (
    COUNT,
    App,
    Command,
    at_option,
    complete_revision,
    format_option,
    pass_app,
)
from lineage.cli.loop import suggest
from lineage.cli.render import Column, Record, Section, document, json_line, sections
from lineage.cli.show import GATES
from lineage.cli.terminal import Span
from lineage.cli.text import ago, cut, one_line, width
from lineage.shapes.reviews import review, sample_of
from lineage.wording import change, number, plural

if TYPE_CHECKING:
    from lineage.diff.metrics import MetricChange
    from lineage.loop.reviews.comparing import Compared
    from lineage.loop.reviews.shown import Shown
    from lineage.loop.reviews.standing import Decision, Reviews
    from lineage.store.objects import Metric

_WIDEST = 100  # columns of a record's text


@click.command(
    cls=Command,
    examples={
        "lineage review show": "the only commit that waits",
        "lineage review show tutor --blind": "records alone, to label unled",
        "lineage review show tutor -n 50": "50 records, drawn at random",
        "lineage review show tutor --format jsonl > labels.jsonl": (
            "a line per record, to label in an editor"
        ),
    },
    exits=[3, 5],
)
@click.argument("rev", required=False, shell_complete=complete_revision)
@click.option(
    "-n", "samples", type=COUNT, default=None, metavar="N",
    help="So many records, drawn at random, instead of those asked about.",
)  # fmt: skip
@click.option(
    "--seed", type=int, metavar="N", default=None, help="Draws them (0 unless given)."
)
@click.option("--blind", is_flag=True, help="Records alone, not what gates said.")
@at_option
@format_option("json", "jsonl")
@pass_app
def show(
    app: App,
    /,
    *,
    rev: str | None,
    samples: int | None,
    seed: int | None,
    blind: bool,
    format_: str,
) -> None:
    """Show records, measures and gates to decide on.

    REV is a generation or a dataset of a loop, or a loop that waits; by default the
    only commit that waits. Its records are those that the request asks to look at, in
    a random order that is the same for everybody; with -n or --seed others, as many
    dropped ones as kept ones.
    """
    from lineage.loop.reviews.shown import shown
    from lineage.loop.reviews.standing import Reviews

    reviews = Reviews.read(app.registry)
    subject = reviews.find(app.registry, rev)
    found = shown(app.registry, reviews, subject, samples, seed)
    if format_ == "jsonl":
        app.terminal.write(json_line(sample_of(s, blind=blind)) for s in found.samples)
        return
    if format_ == "json":
        app.terminal.write([document(review(found, reviews, blind=blind))])
        return
    app.terminal.page(_human(app, found, reviews, blind=blind))
    if subject in reviews.waiting:
        suggest(app, dict(_next(found)))


def _next(found: "Shown") -> Iterator[tuple[str, str]]:
    short = found.subject[:12]
    if found.samples:
        one = one_line(str(found.samples[0]["id"]))
        yield f"lineage review label {short} {one} --right", "or --wrong"
    yield f"lineage review approve {short}", "lets the loop go on"
    yield f"lineage review reject {short} --note WHY", "keeps it aside"


def said(made: "Decision") -> str:
    """A verdict as people say it."""
    against = ["a gate failed"] * bool(made.failed)
    against += ["a budget was spent"] * bool(made.budgets)
    over = f", though {' and '.join(against)}" if against else ""
    edited = ", edited" if made.edited else ""
    why = f": {one_line(made.note)}" if made.note else ""
    return f"{made.past} by {one_line(made.by)}{edited}{over}{why}"


def _human(
    app: App, found: "Shown", reviews: "Reviews", *, blind: bool
) -> Iterator[str]:
    paint = app.terminal.paint
    yield paint([
        (found.subject[:12], "id"), (" ", ""),
        (f"generation {found.generation} of {one_line(found.loop)}", "title"),
    ])  # fmt: skip
    if not blind:
        if marks := tainted.found(app, found.subject):
            yield paint(tainted.sentence(app.registry, marks))
        yield from _standing(found, reviews)
        shown = [
            Section("gates", found.gates, GATES),
            Section("measures", [_row(row) for row in found.measures], _MEASURES),
        ]
        yield from sections(app.terminal, (part for part in shown if part.records))
        yield from _verifier(app, found, reviews)
    yield from ("", paint([(_count(found, blind=blind), "title")]))
    if found.loss and not blind:
        yield paint([(f"  loss {found.loss}", "dim")])
    for sample in found.samples:
        yield from _record(app, sample, blind=blind)


def _count(found: "Shown", *, blind: bool) -> str:
    """How many records there are to see, and of which."""
    total = sum(found.counts.values())
    whole = f"{len(found.samples):,} of {plural(total, 'record')}"
    dropped = found.counts.get("dropped", 0)
    if blind or not dropped:
        return f"{whole}, in random order"
    return f"{whole} ({dropped:,} dropped), in random order"


def _standing(found: "Shown", reviews: "Reviews") -> Iterator[str]:
    waiting = reviews.waiting.get(found.subject)
    decided = reviews.decided.get(found.subject)
    if waiting:
        yield f"waits for review, asked for {ago(waiting.time)}:"
        yield f"  {one_line(waiting.why)}"
        if waiting.approved_by:
            names = one_line(", ".join(waiting.approved_by))
            yield f"  approved by {names}, and {waiting.approvals} people have to"
    elif decided:
        yield f"{said(decided)} ({ago(decided.time)})"
    else:
        yield "does not wait for review"


def _verifier(app: App, found: "Shown", reviews: "Reviews") -> Iterator[str]:
    """What labels say of the filter, where there are some."""
    from lineage.loop.reviews.labels import audits

    made = audits(app.registry, found.loop, reviews.log)
    if made:
        newest = made[-1]
        style = STATES[newest.audit.state]
        head: list[Span] = [("filter, by labels of ", "title")]
        head += [(f"generation {newest.generation}: ", "title")]
        yield from ("", app.terminal.paint([*head, (newest.audit.state, style)]))
        yield f"  {newest.audit.sentence}"


STATES = {"safe": "good", "unsure": "hint", "gone": "bad", "unknown": "dim"}


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


def _record(app: App, sample: Record, *, blind: bool) -> Iterator[str]:
    """A record's id and why it is shown, and its text on as many lines as it takes."""
    columns = min(app.terminal.width, _WIDEST) - 4
    head: list[Span] = [("  ", ""), (one_line(str(sample["id"])), "id")]
    if not blind:
        head += [("  ", ""), *_why(sample, columns - width(head[-1][0]))]
    yield app.terminal.paint(head)
    text = one_line(str(sample["record"].get("text", "")))
    yield from (f"    {line}" for line in _wrapped(text, columns))


def _why(sample: Record, columns: int) -> Iterator[Span]:
    """`dropped by check_record: it is bad`, `kept, loss 3.2`."""
    flags: list[Any] = sample.get("flags", [])
    stratum = str(sample["stratum"])
    loss = f", loss {number(sample['loss'])}" if "loss" in sample else ""
    flagged = "; ".join(f"{flag['gate']}: {flag['reason']}" for flag in flags)
    by = {"dropped": " by ", "kept": ", flagged by "}[stratum] if flagged else ""
    text = one_line(f"{stratum}{loss}{by}{flagged}")
    yield cut(text, max(columns, 20)), "bad" if stratum == "dropped" else "dim"


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

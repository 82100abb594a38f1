"""`lineage review label`, `edit` and `audit`: what is said of single records."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

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
from lineage.cli.render import Column, Record, document, table
from lineage.cli.review_show import STATES
from lineage.cli.terminal import Span
from lineage.errors import StoreError, UsageError
from lineage.shapes import audited
from lineage.shapes.reviews import labels_given
from lineage.wording import plural

if TYPE_CHECKING:
    from lineage.loop.reviews.labels import Audited, Label
    from lineage.loop.reviews.verifier import Estimate, Stratum

_FIGURES = {
    "keeps_right": "of the right records it keeps (phi)",
    "keeps_wrong": "of the wrong records it keeps (psi)",
    "error_rate": "of what was written is wrong (p)",
    "break_down": "could be wrong at most (p*)",
    "margin": "is the margin (p* - p)",
}


@click.command(
    cls=Command,
    examples={
        "lineage review label tutor g002-00000-00017 --wrong": "a record of the loop",
        "lineage review label tutor g002-00000-00003 g002-00000-00020 --right": (
            "several"
        ),
        "lineage review label tutor --file labels.jsonl": (
            'many: lines of `review show --format jsonl`, with "right" added'
        ),
    },
    exits={0: "recorded", 2: "no such record", 3: "a file is not what was recorded",
           4: "not a reviewer's key", 5: "no such commit, or several wait"},
)  # fmt: skip
@click.argument("rev", required=False, shell_complete=complete_revision)
@click.argument("records", nargs=-1)
@click.option("--right/--wrong", default=None, help="What the records are.")
@click.option("-m", "--note", default="", metavar="WHY", help="What you have to say.")
@click.option(
    "--file", type=Path, metavar="FILE",
    help='JSON lines: {"id": RECORD, "right": true or false, "note": WHY}.',
)  # fmt: skip
@click.option(
    "-n", "samples", type=COUNT, default=None, metavar="N",
    help="As for the `show` that you looked at.",
)  # fmt: skip
@click.option("--seed", type=int, metavar="N", default=None, help="As for that `show`.")
@format_option("json")
@pass_app
def label(
    app: App,
    /,
    *,
    rev: str | None,
    records: tuple[str, ...],
    right: bool | None,
    note: str,
    file: Path | None,
    samples: int | None,
    seed: int | None,
    format_: str,
) -> None:
    """Say of records of REV whether they are right, in your name.

    A record that was shown because it was drawn at random tells something of those
    that were not; one that you chose yourself does not, and the audit leaves it out.
    The last label that you give a record counts.
    """
    from lineage.loop.reviews.saying import label as record

    given = _labels(records, note, file, right=right)
    made = record(app.registry, rev, given, samples=samples, seed=seed)
    if format_ == "json":
        app.terminal.write([document(labels_given(made))])
        return
    rights = sum(one.right for one in made.labels)
    app.terminal.write([made.event])
    app.terminal.say(
        f"{plural(len(made.labels), 'label')} by {made.by}: "
        f"{rights} right, {len(made.labels) - rights} wrong"
    )
    suggest(app, {f"lineage review audit {made.loop}": "what labels say of the filter"})


def _labels(
    records: tuple[str, ...], note: str, file: Path | None, *, right: bool | None
) -> "list[Label]":
    from lineage.loop.reviews.labels import Label

    if records and right is None:
        raise UsageError("say --right or --wrong")
    if right is not None and not records:
        what = f"{'--right' if right else '--wrong'} is for records that you name"
        raise UsageError(what, hint='in a file each line has its "right"')
    given = [Label(id_, bool(right), note) for id_ in records]
    lines = _read(file) if file else ()
    return given + [_label(where, line, note) for where, line in lines]


def _label(where: str, line: Mapping[str, Any], note: str) -> "Label":
    """A line of a file as a label; `note` is for those that have none of their own."""
    from lineage.loop.reviews.labels import Label

    id_, right, said = line.get("id"), line.get("right"), line.get("note")
    if not isinstance(id_, str) or not id_:
        raise _unlike(where, line, "id", "the name of a record")
    if not isinstance(right, bool):
        raise _unlike(where, line, "right", "true or false")
    if said is not None and not isinstance(said, str):
        raise _unlike(where, line, "note", "text")
    return Label(id_, right, said or note)


def _unlike(where: str, line: Mapping[str, Any], key: str, wanted: str) -> UsageError:
    """The error of a line whose `key` is missing or is not what it has to be."""
    from lineage.loop.spec.errors import shown

    hint = '{"id": RECORD, "right": true or false, "note": WHY}'
    if key not in line:
        return UsageError(f'{where} has no "{key}"', hint=hint)
    return UsageError(
        f'{where}: "{key}" is {shown(line[key])}, not {wanted}', hint=hint
    )


def _read(file: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The JSON objects of a file and where each stands; - is stdin."""
    from lineage.loop.records.jsonl import json_lines

    name = "stdin" if str(file) == "-" else str(file)
    try:
        data = sys.stdin.buffer.read() if name == "stdin" else file.read_bytes()
    except OSError as error:
        raise StoreError(f"{name} cannot be read: {error.strerror}") from None
    try:
        lines = list(json_lines(data))
    except ValueError as error:
        raise UsageError(f"{name}: {error}") from None
    for number, found in lines:
        where = f"{name}: line {number}"
        if not isinstance(found, dict):
            raise UsageError(f"{where} is not a JSON object")
        yield where, found


@click.command(
    cls=Command,
    examples={
        "lineage review edit tutor --drop g002-00000-00017": "without a record",
        "lineage review edit tutor --file better.jsonl --note 'dates put right'": (
            "with some put right"
        ),
    },
    exits={0: "recorded", 2: "it does not wait, or the edit cannot be made",
           3: "a file is not what was recorded", 4: "a failed gate, and no reason",
           5: "no such commit, or several wait"},
)  # fmt: skip
@click.argument("rev", required=False, shell_complete=complete_revision)
@click.option(
    "--file", type=Path, metavar="FILE",
    help="Records as they should be, as JSON lines with the ids that they have.",
)  # fmt: skip
@click.option("--drop", multiple=True, metavar="RECORD", help="One to leave out.")
@click.option("-m", "--note", default="", metavar="WHY", help="What you have to say.")
@format_option("json")
@pass_app
def edit(
    app: App,
    /,
    *,
    rev: str | None,
    file: Path | None,
    drop: tuple[str, ...],
    note: str,
    format_: str,
) -> None:
    """Put records of REV right; the loop trains on them as you leave them.

    The edited records are a dataset of their own, which you approve with this. The
    loop checks and measures them like any others. A generation that waits is made
    again from them.
    """
    from lineage.loop.reviews.saying import edit as put_right

    changed = [record for _, record in _read(file)] if file else []
    made = put_right(app.registry, rev, changed, drop, note)
    if format_ == "json":
        app.terminal.write([document(asdict(made))])
        return
    app.terminal.write([made.dataset])
    app.terminal.say(f"{made.edited} edited, {made.dropped} dropped")
    suggest(app, {
        f"lineage diff {made.instead_of[:12]} {made.dataset[:12]}": "what is different",
        "lineage loop run FILE": "the loop goes on with them",
    })  # fmt: skip


@click.command(
    cls=Command,
    examples={"lineage review audit tutor": "the filter of the loop tutor"},
    exits=[5],
)
@click.argument("name", required=False)
@at_option
@format_option("json")
@pass_app
def audit(app: App, name: str | None, format_: str) -> None:
    """Tell from labels whether a loop's filter still tells right from wrong.

    NAME is a loop; it may be left out where only one has labels.
    """
    from lineage.loop.reviews.labels import audited_loop, audits, overall

    log = list(app.registry.events_log.iterate())
    loop = audited_loop(app.registry, name, log)
    made = audits(app.registry, loop, log)
    if format_ == "json":
        whole = overall(made) if made else None
        shape: Record = {
            "loop": loop,
            "generations": [audited(one) for one in made],
            "all": whole and audited(whole),
        }
        app.terminal.write([document(shape)])
        return
    if not made:
        app.terminal.say(f"no record of {loop} has a label")
        suggest(app, {f"lineage review show {loop} --blind": "records to label"})
        return
    app.terminal.page(_human(app, loop, made))


def _human(app: App, loop: str, made: "list[Audited]") -> Iterator[str]:
    from lineage.loop.branches import branch_of
    from lineage.loop.reviews.labels import overall

    newest = made[-1]
    head = f"{branch_of(loop)}, generation {newest.generation}: "
    yield from _one(app, head, newest)
    if len(made) > 1:
        whole = overall(made)
        rows = [audited(one) for one in (*made, whole)]
        yield from ("", app.terminal.paint([("by generation", "title")]))
        yield from table(app.terminal, rows, _GENERATIONS, indent=2)


def _one(app: App, head: str, one: "Audited") -> Iterator[str]:
    state = one.audit.state
    yield app.terminal.paint([(head, "title"), (state, STATES[state])])
    yield f"  {one.audit.sentence}"
    figures = [
        {"name": words, "figure": getattr(one.audit, name)}
        for name, words in _FIGURES.items()
        if getattr(one.audit, name)
    ]
    if figures:
        yield ""
        yield from table(app.terminal, figures, _COLUMNS, indent=2)
    yield ""
    yield "  labels drawn at random: " + _counted(one)
    if one.chosen or one.disputed:
        left = f"{one.chosen} not drawn at random, {one.disputed} disputed"
        yield f"  that do not count: {left}"


def _counted(one: "Audited") -> str:
    parts = {"kept": one.audit.kept, "dropped": one.audit.dropped}
    return "; ".join(_stratum(name, part) for name, part in parts.items())


def _stratum(name: str, part: "Stratum") -> str:
    of = f"{part.labelled:g} of {part.records:,} {name}"
    return f"{of} ({part.right:g} right)" if part.labelled else of


def _percent(value: float) -> str:
    return f"{100 * value:.0f} %"


def _interval(figure: "Estimate") -> str:
    return f"{100 * figure.low:.0f} to {100 * figure.high:.0f} %"


_COLUMNS = (
    Column("", lambda r: _percent(r["figure"].value), right=True),
    Column("", lambda r: r["name"]),
    Column("", lambda r: (_interval(r["figure"]), "dim")),
)


def _cell(record: Record, name: str) -> str:
    return _percent(record[name]["value"]) if record[name] else "-"


def _margin(record: Record) -> str:
    found = record["margin"]
    if not found:
        return "-"
    low, high = (100 * found[name] for name in ("low", "high"))
    return f"{_percent(found['value'])} ({low:.0f} to {high:.0f})"


def _state(record: Record) -> Span:
    return record["state"], STATES[record["state"]]


_GENERATIONS = (
    Column("generation", lambda r: str(r["generation"] or "all"), right=True),
    Column("labels", lambda r: str(r["labelled"]), right=True),
    Column("wrong", lambda r: _cell(r, "error_rate"), right=True),
    Column("at most", lambda r: _cell(r, "break_down"), right=True),
    Column("margin", _margin, right=True),
    Column("", _state),
)

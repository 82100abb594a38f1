"""`lineage taint`: say that a commit, or some of its records, is bad."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lineage.cli import shapes
from lineage.cli.command import (
    App,
    Command,
    at_option,
    complete_revision,
    format_option,
    pass_app,
)
from lineage.cli.names import short
from lineage.cli.render import Column, Record, Section, listing, sections, table
from lineage.cli.terminal import Span
from lineage.cli.text import minute, one_line, plural
from lineage.errors import Ambiguous, LineageError, NotFound, UsageError

if TYPE_CHECKING:
    from lineage.registry import Registry
    from lineage.taints import Taint
    from lineage.taints.records import Seen


@click.command(
    cls=Command,
    short_help="Say that a commit is bad, and see what it reached.",
    examples={
        "lineage taint dataset/chats --reason 'consent withdrawn'": "a commit",
        "lineage taint 3fa9 --record 17 --reason 'a private address'": "one record",
        "lineage taint 3fa9 --records bad.txt --reason …": "those of a file: a number, "
        "an id or a text on each line",
        "lineage taint": "list the taints",
        "lineage taint --lift dataset/chats --reason 'it was another one'": "it is "
        "not so, or no more",
    },
    exits=[0, 1, 2, 4, 5],
)
@click.argument("revision", metavar="[REV]", required=False,
                shell_complete=complete_revision)  # fmt: skip
@click.option("--reason", metavar="R", help="Why; it stays on record.")
@click.option("--record", "numbers", multiple=True, metavar="N|ID|TEXT",
              help="Only this record of the dataset.")  # fmt: skip
@click.option("--records", "file", type=Path, metavar="FILE",
              help="Only the records of this file, one on a line.")  # fmt: skip
@click.option("--lift", metavar="REV|EVENT", help="Lift a taint; it stays on record.",
              shell_complete=complete_revision)  # fmt: skip
@at_option
@format_option("json", "jsonl", "csv", "md")
@pass_app
def taint(
    app: App,
    /,
    *,
    revision: str | None,
    reason: str | None,
    numbers: tuple[str, ...],
    file: Path | None,
    lift: str | None,
    format_: str,
) -> None:
    """Say that the commit REV, or some of its records, is bad; or list what is.

    The commit stays as it is: an event says it, in your name. From then on `log`,
    `show`, `diff`, `trace`, `impact` and `status --tainted` say it of everything that
    came of REV, and `tainted()` is a revset of these. Prints the event's id.
    """
    if (revision is None) == (lift is None) and (revision or reason or numbers or file):
        hint = "lineage taint REV --reason R, or lineage taint --lift REV --reason R"
        raise UsageError("one commit is tainted, or one taint is lifted", hint=hint)
    if revision is None and lift is None:
        _list(app, format_)
        return
    if not reason:
        raise UsageError("a taint, and what lifts it, has a reason", hint="--reason R")
    if lift is not None:
        _lift(app, lift, reason)
    else:
        _taint(app, str(revision), reason, [*numbers], file)


def _taint(
    app: App, revision: str, reason: str, names: list[str], file: Path | None
) -> None:
    from lineage.taints import taint as say

    registry = app.registry
    id_ = registry.resolve(revision)
    if file:
        names += _lines(file)
    records = None
    if names or file:
        from lineage.taints.chosen import identities

        with app.terminal.progress("finding the records") as progress:
            records = identities(registry, id_, names, progress)
    event = say(registry, id_, reason, records)
    if records is not None:
        _look(app)
    app.terminal.write([event])
    what = f"{registry.load(id_).kind} {one_line(registry.load(id_).name)}"
    some = "" if records is None else f"{plural(len(records), 'record')} of "
    app.terminal.say(f"tainted {some}{what} ", (short(registry, id_), "id"))
    _tell_reach(app, event)


def _lines(file: Path) -> list[str]:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise UsageError(f"{file} cannot be read: {why}") from None
    return [line for line in text.splitlines() if line]


def _look(app: App) -> "dict[str, list[Seen]]":
    """Count tainted records in what came of theirs, where that is not known."""
    from lineage.taints.records import look

    with app.terminal.progress("looking for tainted records") as progress:
        return look(app.registry, progress)


def _tell_reach(app: App, event: str) -> None:
    from lineage.taints import of_event
    from lineage.taints.marks import marks

    registry = app.registry
    count = marks(registry).counts()[event]
    told = f"it reached {plural(count, 'commit')}" if count else "nothing came of it"
    app.terminal.say(told)
    if not count:
        _tell_parts(app, of_event(registry, event).subject)


def _tell_parts(app: App, id_: str) -> None:
    """A generation is made of commits, of which others come."""
    parts = app.registry.load(id_).ids("includes")
    if parts:
        named = ", ".join(
            f"{app.registry.load(part).kind} {short(app.registry, part)}"
            for part in parts
        )
        note = f"what comes of a generation comes of its parts: {named}"
        app.terminal.note(note)


def _lift(app: App, name: str, reason: str) -> None:
    from lineage.taints import lift

    registry = app.registry
    one = _meant(registry, name)
    app.terminal.write([lift(registry, one, reason)])
    commit = registry.load(one.subject)
    app.terminal.say(
        f"lifted from {commit.kind} {one_line(commit.name)} ",
        (short(registry, one.subject), "id"),
        f": {one_line(one.reason)}",
    )


def _meant(registry: "Registry", name: str) -> "Taint":
    """The taint that a revision or an event means.

    Raises:
        NotFound: when there is none.
        Ambiguous: when the commit has several.
    """
    from lineage.taints import of_event, standing

    try:
        return of_event(registry, name)
    except LineageError:
        id_ = registry.resolve(name)
    found = [one for one in standing(registry) if one.subject == id_]
    if not found:
        message = f"no taint of {name} stands"
        raise NotFound(message, hint="`lineage taint` lists the taints")
    if len(found) > 1:
        lines = [f"{one.event[:12]} ({one_line(one.reason)})" for one in found]
        raise Ambiguous(f"{name} has {len(found)} taints: name the event", lines)
    return found[0]


def _list(app: App, format_: str) -> None:
    from lineage.taints import taints
    from lineage.taints.marks import marks

    registry = app.registry
    seen = _look(app)
    reached = marks(registry).counts()
    records = [
        {
            **_record(registry, one),
            "reached": reached.get(one.event, 0),
            "in": [_in(registry, each) for each in seen.get(one.event, ())],
        }
        for one in taints(registry)
    ]
    if not records:
        app.terminal.say("nothing is tainted")
    if format_ == "human":
        app.terminal.page(_human(app, records))
        return
    if format_ == "csv":  # the same columns, whatever was lifted
        nobody = dict.fromkeys(("event", "time", "author", "reason"))
        records = [
            {**record, "lifted": record["lifted"] or nobody} for record in records
        ]
    listing(app.terminal, format_, "taints", records, _columns(registry))


def _human(app: App, records: Sequence[Record]) -> Iterator[str]:
    """The taints and, of tainted records, where they went."""
    yield from table(app.terminal, records, _columns(app.registry))
    counted = [
        Section(f"records of {record['event'][:8]}", record["in"], _IN)
        for record in records
        if record["in"]
    ]
    yield from sections(app.terminal, counted)


def _in(registry: "Registry", seen: "Seen") -> Record:
    """How many tainted records a dataset has."""
    id_, (low, high, of) = seen
    commit = registry.load(id_)
    named = {"id": id_, "kind": commit.kind, "name": commit.name}
    return {**named, "low": low, "high": high, "of": of}


def _record(registry: "Registry", one: "Taint") -> Record:
    commit, lifted = registry.load(one.subject), one.lifted
    return {
        "event": one.event,
        "subject": one.subject,
        "kind": commit.kind,
        "name": commit.name,
        "reason": one.reason,
        "records": None if one.records is None else len(one.records),
        "time": one.time,
        "author": shapes.author(one.author),
        "lifted": lifted
        and {
            "event": lifted.event,
            "time": lifted.time,
            "author": shapes.author(lifted.author),
            "reason": lifted.reason,
        },
    }


def _columns(registry: "Registry") -> tuple[Column, ...]:
    return (
        Column("event", lambda r: r["event"][:8]),
        Column("commit", lambda r: (short(registry, r["subject"]), "id")),
        Column("what", lambda r: f"{r['kind']} {r['name']}", flexible=True),
        Column("records", _counted, right=True),
        Column("reached", lambda r: f"{r['reached']:,}", right=True),
        Column("by", lambda r: r["author"].partition(" <")[0], flexible=True),
        Column("time", lambda r: minute(r["time"])),
        Column("", _state),
        Column("reason", _why, below=True),
    )


def _how_many(record: Record) -> str:
    """``3 of 800``, ``0 to 3 of 10``, or that nobody knows."""
    low, high, of = record["low"], record["high"], record["of"]
    if high is None:
        return "perhaps"
    some = f"{low:,}" if low == high else f"{low:,} to {high:,}"
    return f"{some} of {of:,}"


_IN = (
    Column("commit", lambda r: (r["id"][:8], "id")),
    Column("what", lambda r: f"{r['kind']} {r['name']}", flexible=True),
    Column("tainted", _how_many, right=True),
)


def _counted(record: Record) -> str:
    return "all" if record["records"] is None else f"{record['records']:,}"


def _state(record: Record) -> Span:
    return ("lifted", "dim") if record["lifted"] else ("stands", "bad")


def _why(record: Record) -> str:
    lifted = record["lifted"]
    return (
        f"{record['reason']}; lifted: {lifted['reason']}"
        if lifted
        else record["reason"]
    )

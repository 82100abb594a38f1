"""`lineage events`: the append-only log, and one event of it in full."""

from collections.abc import Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

import click

from lineage import shapes
from lineage.cli.command import (
    COUNT,
    App,
    Command,
    at_option,
    format_option,
    pass_app,
)
from lineage.cli.render import (
    Column,
    Record,
    Section,
    csv_lines,
    document,
    escaped,
    facts,
    json_line,
    listing,
    markdown_sections,
    sections,
)
from lineage.cli.signed import SIGNED, with_signatures
from lineage.cli.text import inline, minute, moment, one_line
from lineage.errors import UsageError
from lineage.shapes.signed import Signatures

if TYPE_CHECKING:
    from lineage.store.event_reading import Logged


def _subject(record: Record) -> str:
    """The names that moved or, if none did, the commit that it is about."""
    refs = (change["ref"].partition("/") for change in record["refs"])
    moved = [name for space, _, name in refs if space != "spent"]
    more = f" and {len(moved) - 1} more" if len(moved) > 1 else ""
    return moved[0] + more if moved else (record["subject"] or "")[:8]


_COLUMNS = (
    Column("event", lambda r: (r["id"][:8], "id")),
    Column("time", lambda r: (minute(r["time"]), "dim")),
    Column("by", lambda r: r["author"].partition(" <")[0], flexible=True),
    Column("what", lambda r: (r["type"], "title")),
    Column("subject", _subject, flexible=True),
    Column("message", lambda r: r["message"], below=True),
)
_MOVES = (
    Column("name", lambda r: r["ref"], flexible=True),
    Column("from", lambda r: ((r["before"] or "")[:12], "id")),
    Column("to", lambda r: ((r["after"] or "")[:12], "id")),
)
_COMMITS = (
    Column("id", lambda r: (r["id"], "id")),
    Column("git", lambda r: r["git"], flexible=True),
)
_DATA = (
    Column("name", lambda r: r["name"]),
    Column("value", lambda r: inline(r["value"]), flexible=True),
)


@click.command(
    cls=Command,
    short_help="Show who changed the registry, when and why.",
    examples={
        "lineage events -n 10": "the newest ten",
        "lineage events 1a2b3c4d": "one of them in full",
        "lineage events --ref model/tutor": "what ever moved a branch",
        "lineage events --type undo --since yesterday": "what was taken back lately",
        "lineage events --format jsonl": "all, for programs",
    },
    exits=[5],
)
@click.argument("event", required=False)
@click.option("-n", "limit", type=COUNT, metavar="N", help="At most N.")
@click.option("--type", "types", multiple=True, metavar="TYPE", help="Only this type.")
@click.option("--ref", metavar="NAME", help="Only what moved this branch or tag.")
@click.option("--author", metavar="TEXT", help="Only authors with this in their name.")
@click.option("--since", metavar="DATE", help="Only from this date on.")
@click.option("--until", metavar="DATE", help="Only up to this date.")
@at_option
@format_option("json", "jsonl", "csv", "md")
@pass_app
def events(
    app: App, /, *, event: str | None, limit: int | None, format_: str, **wanted: Any
) -> None:
    """Show who changed the registry, when and why, newest first; or one EVENT in full.

    Events are never changed or removed. `lineage undo EVENT` takes back what one moved.
    """
    if event is not None:
        if limit is not None or any(wanted.values()):
            hint = "leave out the event or the filter"
            raise UsageError("one event is shown in full, unfiltered", hint=hint)
        _show(app, event, format_)
        return
    from lineage.events import Wanted
    from lineage.events import events as find

    found = islice(find(app.registry, Wanted(**wanted)), limit)
    first = next(found, None)
    if first is None:
        app.terminal.say("no such event")
    signatures = Signatures(app.registry)
    records = (
        {**shapes.event(logged.event.id, logged.event), **signatures.of(logged)}
        for logged in chain([first] if first else [], found)
    )
    columns = with_signatures(_COLUMNS, SIGNED, wanted=signatures.there)
    listing(app.terminal, format_, "events", records, columns)


def _show(app: App, prefix: str, format_: str) -> None:
    from lineage.moments import find_event

    found = find_event(app.registry, prefix)
    data = {**shapes.whole_event(found), **Signatures(app.registry).of(found)}
    if format_ == "json":
        app.terminal.write([document(data)])
    elif format_ == "jsonl":
        app.terminal.write([json_line(data)])
    elif format_ == "csv":
        app.terminal.write(csv_lines([data]))
    elif format_ == "md":
        app.terminal.write(_markdown(data))
    else:
        app.terminal.page(_human(app, data))
        _suggest(app, found)


def _suggest(app: App, found: "Logged") -> None:
    """Say how to take the event back, where it moved something."""
    if found.event.refs:
        short = found.event.id[:8]
        app.terminal.say(f"`lineage undo {short}` takes back what it moved")


def _human(app: App, data: dict[str, Any]) -> Iterator[str]:
    terminal = app.terminal
    yield terminal.paint([(f"event {data['type']}", "title")])
    yield from facts(terminal, _facts(data), {"id": "id"})
    if data["message"]:
        lines = (one_line(line) for line in data["message"].splitlines())
        yield from ("", *(f"    {line}".rstrip() for line in lines))
    yield from sections(terminal, _sections(data))


def _markdown(data: dict[str, Any]) -> Iterator[str]:
    yield f"# event {escaped(one_line(data['type']))}"
    facts = ((name, escaped(one_line(value))) for name, value in _facts(data))
    yield from ("", *(f"- {name}: {value}" for name, value in facts))
    if data["message"]:
        lines = data["message"].splitlines()
        yield from ("", *(f"> {escaped(one_line(line))}" for line in lines))
    yield from markdown_sections(_sections(data))


def _facts(data: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield "id", data["id"]
    yield "git", data["git"]
    yield "time", moment(data["time"])
    yield "by", data["author"]
    if "signature" in data:
        yield "signature", data["signature"]["says"]
    if data["subject"]:
        yield "subject", data["subject"]
    yield from (("after", id_) for id_ in data["prev"])


def _sections(data: dict[str, Any]) -> Iterator[Section]:
    rest = [{"name": k, "value": v} for k, v in (data["data"] | data["extra"]).items()]
    tables = {
        "moves": (data["refs"], _MOVES),
        "commits": (data["commits"], _COMMITS),
        "data": (rest, _DATA),
    }
    for title, (records, columns) in tables.items():
        if records:
            yield Section(title, records, columns)

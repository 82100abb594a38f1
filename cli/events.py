"""`lineage events`: the append-only log."""

from itertools import islice

import click

from lineage.cli import shapes
from lineage.cli.command import (
    COUNT,
    App,
    Command,
    at_option,
    format_option,
    pass_app,
)
from lineage.cli.render import Column, Record, listing
from lineage.cli.text import minute


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
    Column("message", lambda r: r["message"], flexible=True),
)


@click.command(
    cls=Command,
    short_help="Show who changed the registry, when and why.",
    examples={
        "lineage events -n 10": "the newest ten",
        "lineage events --format jsonl": "all, for programs",
    },
    exits=[0, 5],
)
@click.option("-n", "limit", type=COUNT, metavar="N", help="Only N.")
@at_option
@format_option("json", "jsonl", "csv", "md")
@pass_app
def events(app: App, limit: int | None, format_: str) -> None:
    """Show who changed the registry, when and why, newest first.

    Events are never changed or removed.
    """
    found = islice(app.registry.events(), limit)
    records = (shapes.event(id_, event) for id_, event in found)
    listing(app.terminal, format_, "events", records, _COLUMNS)

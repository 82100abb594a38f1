"""`lineage index`: the rows behind questions that filter; made anew at any time."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from lineage.cli.command import App, Group, format_option, pass_app
from lineage.cli.render import Column, Section, document, json_line, sections
from lineage.wording import plural

if TYPE_CHECKING:
    from lineage.indexing import IndexStatus

_LEFT_OUT = (
    Column("commit", lambda r: (r["id"][:12], "id")),
    Column("reason", lambda r: (r["reason"], "bad"), flexible=True),
)
_ROWS = (
    Column("table", lambda r: r["table"]),
    Column("rows", lambda r: f"{r['rows']:,}", right=True),
)


@click.group(
    cls=Group,
    examples={
        "lineage index status": "where it is, and whether it is up to date",
        "lineage index rebuild": "make it anew from the event log",
        "LINEAGE_INDEX_URL=postgresql://me@host/db lineage index status": (
            "an index that several clones share"
        ),
    },
)
def index() -> None:
    """Look at the index, or make it anew.

    The index holds what the log says as rows of a database, for questions that
    filter. It is derived: nothing is lost with it, and whoever asks brings it up to
    date. It is a file of this clone, or the database of the setting index.url
    (LINEAGE_INDEX_URL): sqlite:////PATH or postgresql://USER:PASSWORD@HOST/DATABASE,
    which many clones and registries may share.
    """


@index.command(
    examples={
        "lineage index status": "where it is, and what it holds",
        "lineage index status --format json": "for programs",
    },
    exits={1: "the database cannot be used", 5: "no such registry"},
)
@format_option("json", "jsonl")
@pass_app
def status(app: App, format_: str) -> None:
    """Show where the index is, how many rows it has, and whether it is up to date."""
    from lineage.indexing import index_status

    _show(app, index_status(app.registry), format_)


@index.command(
    examples={
        "lineage index rebuild": "after a disk failed, or a commit was repaired",
    },
    exits={1: "the database cannot be used", 5: "no such registry"},
)
@format_option("json", "jsonl")
@pass_app
def rebuild(app: App, format_: str) -> None:
    """Make the index anew from the event log.

    In a database that other clones share, only the rows of this one are made anew.
    """
    from lineage.indexing import rebuild_index

    _show(app, rebuild_index(app.registry), format_)


def _show(app: App, found: "IndexStatus", format_: str) -> None:
    left_out = [{"id": i, "reason": why} for i, why in found.left_out.items()]
    record = {**asdict(found), "left_out": left_out}
    if format_ == "json":
        app.terminal.write([document(record)])
    elif format_ == "jsonl":
        app.terminal.write([json_line(record)])
    else:
        app.terminal.write(_lines(app, found, left_out))


def _lines(
    app: App, found: "IndexStatus", left_out: list[dict[str, str]]
) -> Iterator[str]:
    state = "up to date" if found.current else "behind: the next question catches up"
    yield f"{found.place}: {state}"
    if found.clones > 1:
        yield f"shared by {plural(found.clones, 'clone')}"
    rows = [{"table": name, "rows": count} for name, count in found.rows.items()]
    shown = [Section(plural(found.commits, "commit") + " of this clone", rows, _ROWS)]
    if left_out:
        shown.append(Section("left out", left_out, _LEFT_OUT))
    yield from sections(app.terminal, shown if found.rows else [])

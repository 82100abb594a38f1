"""`lineage status`: committed files that have changed since."""

import click

from lineage.cli.command import App, Command, at_option, format_option, pass_app
from lineage.cli.render import Column, listing

_STYLES = {"modified": "bad", "missing": "bad", "clean": ""}
_COLUMNS = (
    Column("", lambda r: (r["state"], _STYLES[r["state"]])),
    Column("path", lambda r: r["path"], flexible=True),
    Column("commit", lambda r: (r["id"][:12], "id")),
    Column("", lambda r: f"{r['kind']} {r['name']}", flexible=True),
)


@click.command(
    cls=Command,
    short_help="Show committed files that have changed since.",
    examples={
        "lineage status": "what has changed since it was committed",
        "lineage status --format json": "all files, clean ones too",
    },
    exits=[0, 1, 5],
)
@at_option
@format_option("json", "jsonl", "csv", "md")
@pass_app
def status(app: App, format_: str) -> None:
    """Compare the files that were committed from here with what was committed.

    People see the changed ones, every other format all of them. Paths are relative
    to the registry's root.
    """
    from lineage.status import status as compare

    registry = app.registry
    records = [
        {"path": t.path, "state": t.state, "id": t.id, "kind": t.kind, "name": t.name}
        for t in compare(registry)
    ]
    changed = [record for record in records if record["state"] != "clean"]
    if registry.head:
        app.terminal.say("HEAD is ", (registry.head, "branch"))
    if not changed:
        app.terminal.say(
            "no committed file has changed" if records else "nothing is committed yet"
        )
    shown = changed if format_ == "human" else records
    listing(app.terminal, format_, "files", shown, _COLUMNS)

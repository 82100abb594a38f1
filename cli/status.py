"""`lineage status`: committed files that have changed since, and what is not shared."""

import click

from lineage.cli.command import App, Command, at_option, format_option, pass_app
from lineage.cli.render import Column, listing
from lineage.cli.text import plural

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
    to the registry's root. People are told, too, how far the remotes are from here,
    as of the last fetch, pull or push.
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
    if registry.events_log.at is None:
        _tell_remotes(app)
    if not changed:
        app.terminal.say(
            "no committed file has changed"
            if records
            else "no file was committed from here"
        )
    shown = changed if format_ == "human" else records
    listing(app.terminal, format_, "files", shown, _COLUMNS)


def _tell_remotes(app: App) -> None:
    """Say what remotes lack, and have alone, where that is known."""
    from lineage.sharing.remotes import distance, listed

    for remote in listed(app.registry):
        apart = distance(app.registry, remote.name)
        if apart and apart.ahead:
            events = plural(apart.ahead, "event")
            told = f" lacks {events}: `lineage push {remote.name}`"
            app.terminal.say((remote.name, "title"), told)
        if apart and apart.behind:
            events = plural(apart.behind, "new event")
            told = f" has {events}: `lineage pull {remote.name}`"
            app.terminal.say((remote.name, "title"), told)

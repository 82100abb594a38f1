"""`lineage status`: committed files that have changed since, and what is not shared."""

import click

from lineage.cli.command import (
    EXITS,
    App,
    Command,
    at_option,
    format_option,
    pass_app,
)
from lineage.cli.render import Column, Record, listing
from lineage.cli.taint_list import look_for_records
from lineage.cli.tainted import warn, why
from lineage.shapes.tainted import marked
from lineage.wording import plural, size

_REACHED = 3

_STYLES = {"modified": "bad", "missing": "bad", "clean": ""}
_COLUMNS = (
    Column("", lambda r: (r["state"], _STYLES[r["state"]])),
    Column("path", lambda r: r["path"], flexible=True),
    Column("commit", lambda r: (r["id"][:12], "id")),
    Column("", lambda r: f"{r['kind']} {r['name']}", flexible=True),
)


def _why(record: Record) -> str:
    return "; ".join(why(record["id"], one) for one in record["tainted"])


_TAINTED = (
    Column("", lambda r: (r["what"], "dim")),
    Column("name", lambda r: (r["name"], r["what"]), flexible=True),
    Column("commit", lambda r: (r["id"][:8], "id")),
    Column("tainted", lambda r: (_why(r), "bad"), flexible=True),
)


@click.command(
    cls=Command,
    short_help="Show committed files that have changed since.",
    examples={
        "lineage status": "what has changed since it was committed",
        "lineage status --format json": "all files, clean ones too",
        "lineage status --tainted": "branches and tags that a taint has reached",
    },
    exits={
        3: "with --tainted: a branch or a tag is tainted",
        5: EXITS[5],
    },
)
@click.option(
    "--tainted", is_flag=True, help="List branches and tags that are tainted."
)
@at_option
@format_option("json", "jsonl", "csv", "md")
@pass_app
def status(app: App, *, tainted: bool, format_: str) -> int:
    """Compare the files that were committed from here with what was committed.

    People see the changed ones, every other format all of them. Paths are relative
    to the registry's root. People are told, too, how far the remotes are from here,
    as of the last fetch, pull or push. With --tainted it is the branches and tags
    that a taint has reached which are listed.
    """
    if tainted:
        return _tainted(app, format_)
    from lineage.status import status as compare

    registry = app.registry
    records = [
        {"path": t.path, "state": t.state, "id": t.id, "kind": t.kind, "name": t.name}
        for t in compare(registry)
    ]
    changed = [record for record in records if record["state"] != "clean"]
    if registry.head:
        app.terminal.say("HEAD is ", (registry.head, "branch"))
        warn(app, registry.resolve("HEAD"))
    if registry.events_log.at is None:
        _tell_remotes(app)
        _tell_packing(app)
    if not changed:
        app.terminal.say(
            "no committed file has changed"
            if records
            else "no file was committed from here"
        )
    shown = changed if format_ == "human" else records
    listing(app.terminal, format_, "files", shown, _COLUMNS)
    return 0


def _tainted(app: App, format_: str) -> int:
    """List the branches and tags whose commit is tainted; 3 when there are any."""
    from lineage.taints.marks import marks

    registry = app.registry
    look_for_records(app)
    known = marks(registry)
    records = [
        {"name": name, "what": what, "id": id_, "tainted": found}
        for what, names in (("branch", registry.branches()), ("tag", registry.tags()))
        for name, id_ in sorted(names.items())
        if (found := marked(known, id_))
    ]
    if not records:
        app.terminal.say("no branch and no tag is tainted")
    listing(app.terminal, format_, "tainted", records, _TAINTED)
    return _REACHED if records else 0


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


def _tell_packing(app: App) -> None:
    """Say what is packed, and that packing in the background failed, if it did."""
    from lineage.packing.auto import failure, log
    from lineage.packing.listing import total

    files, whole, packed = total(app.registry)
    if files:
        text = f"{plural(files, 'file')} of {size(whole)} in {size(packed)}"
        app.terminal.say(("packed", "title"), f" {text}: `lineage pack --list`")
    if failed := failure(app.registry):
        time, what = failed
        app.terminal.note(
            f"packing in the background failed on {time[:10]}: {what}; "
            f"see {log(app.registry)}"
        )

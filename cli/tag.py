"""`lineage tag`: names that never move."""

import click

from lineage.cli import tainted
from lineage.cli.command import (
    App,
    Command,
    at_option,
    complete_revision,
    format_option,
    pass_app,
)
from lineage.cli.named import columns
from lineage.cli.render import listing
from lineage.errors import UsageError
from lineage.shapes.names import names_of


@click.command(
    cls=Command,
    short_help="List, make or delete tags.",
    examples={
        "lineage tag": "list them",
        "lineage tag v1 loop/tutor": "name the newest commit of a branch for ever",
        "lineage tag -d v1": "delete it; the name cannot be used again",
    },
    exits=[4, 5],
)
@click.argument("name", required=False)
@click.argument(
    "revision", metavar="[REV]", required=False, shell_complete=complete_revision
)
@click.option("-m", "--message", default="", metavar="MSG", help="Why; for the log.")
@click.option("-d", "--delete", is_flag=True, help="Delete NAME, for good.")
@at_option
@format_option("json", "jsonl", "csv", "md")
@pass_app
def tag(
    app: App,
    /,
    *,
    name: str | None,
    revision: str | None,
    message: str,
    format_: str,
    delete: bool,
) -> None:
    """List the tags, or call REV (by default HEAD) NAME, for ever."""
    from lineage import names_ops

    registry, say = app.registry, app.terminal.say
    if name is None:
        if delete:
            raise UsageError("no tag is named", hint="see `lineage tag --help`")
        records = names_of(registry, "tags")
        listing(app.terminal, format_, "tags", records, columns(registry))
        if not records:
            say("there are no tags yet")
    elif delete:
        if revision:
            raise UsageError("-d deletes one tag: NAME and nothing else")
        id_ = names_ops.delete_tag(registry, name, message=message)
        say(f"{name} is deleted, its name is spent; it was ", (id_[:12], "id"))
    else:
        id_ = names_ops.set_tag(registry, name, revision or "HEAD", message=message)
        say((name, "tag"), " is ", (id_[:12], "id"))
        tainted.warn(app, id_)

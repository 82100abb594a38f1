"""`lineage branch`: moving names."""

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
    short_help="List, make, move, rename or delete branches.",
    examples={
        "lineage branch": "list them; * is HEAD",
        "lineage branch safe loop/tutor~1": "start a branch at an older commit",
        "lineage branch -m safe loop/safe": "give one another name",
        "lineage branch -d loop/safe": "delete one; its commits stay",
        "lineage branch --protect loop/tutor": "let it only move forward",
    },
    exits=[4, 5],
)
@click.argument("name", required=False)
@click.argument(
    "target", metavar="[REV]", required=False, shell_complete=complete_revision
)
@click.option("-f", "--force", is_flag=True, help="Move it, if it exists already.")
@click.option("-d", "--delete", is_flag=True, help="Delete NAME.")
@click.option("-m", "--rename", is_flag=True, help="Rename NAME to the second word.")
@click.option("--protect", is_flag=True, help="Let NAME only move forward.")
@click.option("--unprotect", is_flag=True, help="Let NAME move freely again.")
@at_option
@format_option("json", "jsonl", "csv", "md")
@pass_app
def branch(
    app: App,
    /,
    *,
    name: str | None,
    target: str | None,
    format_: str,
    force: bool,
    delete: bool,
    rename: bool,
    protect: bool,
    unprotect: bool,
) -> None:
    """List the branches, or make NAME a branch at REV (by default HEAD).

    A new branch becomes HEAD. A protected one is not deleted, renamed or moved back,
    by whatever command: it only goes on to commits that came from its tip.
    """
    from lineage import names_ops

    registry, say = app.registry, app.terminal.say
    if name is None:
        if delete or rename or force or protect or unprotect:
            raise UsageError("no branch is named", hint="see `lineage branch --help`")
        records = names_of(registry, "heads")
        listing(app.terminal, format_, "branches", records, columns(registry))
        if not records:
            say("there are no branches yet")
    elif protect or unprotect:
        if target or force or delete or rename or (protect and unprotect):
            raise UsageError("one branch is protected or let go: NAME, nothing else")
        (names_ops.protect_branch if protect else names_ops.unprotect_branch)(
            registry, name
        )
        say((name, "branch"), " is protected" if protect else " is protected no more")
    elif rename:
        if target is None or delete or force:
            hint = "lineage branch -m OLD NEW"
            raise UsageError("a branch is renamed from one name to another", hint=hint)
        names_ops.rename_branch(registry, name, target)
        say((name, "branch"), " is now ", (target, "branch"))
    elif delete:
        if target or force:
            raise UsageError("-d deletes one branch: NAME and nothing else")
        id_ = names_ops.delete_branch(registry, name)
        say(f"{name} is deleted; it was at ", (id_[:12], "id"))
    else:
        id_ = names_ops.set_branch(registry, name, target or "HEAD", force=force)
        say((name, "branch"), " is at ", (id_[:12], "id"))
        tainted.warn(app, id_)

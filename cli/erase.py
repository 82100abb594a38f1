"""`lineage erase`: bytes that must go, for good."""

import sys
from typing import TYPE_CHECKING, Any

import click

from lineage.cli.command import App, Command, complete_revision, format_option, pass_app
from lineage.cli.render import document, json_line
from lineage.errors import UsageError
from lineage.shapes import share
from lineage.wording import between, plural, size

if TYPE_CHECKING:
    from lineage.erase import Erasure


@click.command(
    cls=Command,
    short_help="Erase the bytes of a commit for good.",
    examples={
        "lineage erase dataset/chats --reason 'consent withdrawn' --authority DPO": (
            "all its files"
        ),
        "lineage erase v1 --path chats/7.jsonl --reason … --authority … --yes": (
            "one file, without being asked"
        ),
        "lineage erase v1 --remote s3 --reason … --authority …": (
            "on a DVC remote, too"
        ),
    },
    exits=[4, 5],
)
@click.argument("revision", metavar="REV", shell_complete=complete_revision)
@click.option("--reason", metavar="WHY", required=True, help="Why; it stays on record.")
@click.option(
    "--authority", metavar="WHO", required=True, help="Who demands or allows it."
)
@click.option(
    "--path",
    "paths",
    metavar="PATH",
    multiple=True,
    help="Only this file or folder of it.",
)
@click.option(
    "--remote",
    "remotes",
    metavar="NAME",
    multiple=True,
    help="A DVC remote to clean, too.",
)
@click.option("--all", "together", is_flag=True, help="In all commits that have them.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@format_option("json", "jsonl")
@pass_app
def erase(
    app: App,
    /,
    *,
    revision: str,
    reason: str,
    authority: str,
    paths: tuple[str, ...],
    remotes: tuple[str, ...],
    together: bool,
    yes: bool,
    format_: str,
) -> None:
    """Erase the files of REV, here and on the DVC remotes named. There is no undo.

    An event stays as a tombstone: hashes, sizes and paths, the reason and the
    authority. The commit, what came from it and every answer stay. The same bytes
    are not taken in again; other clones remove theirs with `pull` and `gc`.

    Datasets that were mixed from it keep the records in files of their own. They are
    named, with how much of each it is, before you are asked and at the end.
    """
    from lineage import erase as erasing

    plan = erasing.plan_erasure(app.registry, revision, paths=paths, together=together)
    if not yes:
        _say_mixed(app, plan)
        _confirm(plan)
    done = erasing.erase(
        app.registry, plan, reason=reason, authority=authority, remotes=remotes
    )
    if format_ != "human":
        write = document if format_ == "json" else json_line
        app.terminal.write([write(_record(done))])
    word = "erased" if done.event else "had been erased before; removed once more"
    app.terminal.say(f"{_summary(done)} {word}")
    if done.copies:
        app.terminal.say("copies that are not erased:")
        for copy in done.copies:
            app.terminal.say(f"  {copy}")
    _say_mixed(app, done)
    if done.mixed:
        asked = f"`lineage impact {done.id[:12]}` names the models, too"
        app.terminal.say(f"next: erase those as well; {asked}")


def _say_mixed(app: App, plan: "Erasure") -> None:
    """Name the datasets that have the records in files of their own."""
    if plan.mixed:
        app.terminal.say("datasets with records of it, in files that are not erased:")
    for each in plan.mixed:
        source = f", from {each.source[:12]}" if len(plan.commits) > 1 else ""
        dose = f"{between(*each.share)} of its records"
        app.terminal.say(f"  {each.id[:12]} {each.name}: {dose}{source}")


def _confirm(plan: "Erasure") -> None:
    """Ask on a terminal; elsewhere nobody can answer.

    Raises:
        UsageError: when the answer is not yes.
    """
    if not sys.stdin.isatty():
        hint = "say --yes where nobody can be asked"
        raise UsageError(f"{_summary(plan)} would be erased for good", hint=hint)
    if not click.confirm(f"Erase {_summary(plan)} for good?", err=True):
        raise UsageError("nothing was erased")


def _summary(plan: "Erasure") -> str:
    commits = ", ".join(id_[:12] for id_ in plan.commits)
    return f"{plural(len(plan.files), 'file')}, {size(plan.size)}, of {commits}"


def _record(done: "Erasure") -> dict[str, Any]:
    return {
        "id": done.id,
        "event": done.event,
        "commits": done.commits,
        "files": [
            {"path": e.path, "size": e.size, "sha256": e.sha256, "md5": e.md5}
            for e in done.files.values()
        ],
        "size": done.size,
        "copies": done.copies,
        "mixed": [
            {"id": each.id, "name": each.name, "of": each.source, **share(*each.share)}
            for each in done.mixed
        ],
    }

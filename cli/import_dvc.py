"""`lineage import dvc`: the history of a DVC repository, as commits."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from lineage.cli.command import App, Command, format_option, pass_app
from lineage.cli.render import Column, document, listing
from lineage.wording import plural

if TYPE_CHECKING:
    from lineage.integrations.dvc import Imported

_COLUMNS = (
    Column("branch", lambda r: (r["branch"], "branch"), flexible=True),
    Column("versions", lambda r: f"{r['versions']:,}", right=True),
    Column("new", lambda r: f"{r['created']:,}", right=True),
    Column("tip", lambda r: (r["tip"][:8], "id")),
)


@click.command(
    cls=Command,
    short_help="Record the history of a DVC repository.",
    examples={
        "lineage import dvc": "the repository that we are in",
        "lineage import dvc ../project --rev v2.0": "another one, up to a tag",
        "lineage import dvc ../project --model 'weights/*'": "what is a model there",
    },
    exits=[3, 4, 5],
)
@click.argument("directory", metavar="[DIR]", default=".", type=click.Path())
@click.option(
    "--rev", metavar="REV", default="HEAD", help="The newest git commit to import."
)
@click.option(
    "--model", "models", metavar="GLOB", multiple=True, help="Outs that are models."
)
@click.option(
    "--dataset", "datasets", metavar="GLOB", multiple=True, help="Outs that are data."
)
@click.option(
    "--prefix", metavar="NAME", default="", help="Put NAME/ before each name."
)
@format_option("json", "jsonl", "csv", "md")
@pass_app
def import_dvc(
    app: App,
    /,
    *,
    directory: str,
    rev: str,
    models: tuple[str, ...],
    datasets: tuple[str, ...],
    prefix: str,
    format_: str,
) -> None:
    """Record every version of what DVC keeps in DIR, as git has its history.

    Each out of a *.dvc file or a dvc.lock becomes a branch, each of its versions a
    commit with edges to what its stage read, to its parameters and metrics. Bytes come
    from DVC's cache there; versions that it lacks are recorded without.
    """
    from lineage.integrations.dvc import import_dvc as take

    with app.terminal.progress("importing"):
        found = take(
            app.registry,
            Path(directory),
            rev=rev,
            models=models,
            datasets=datasets,
            prefix=prefix,
        )
    records = [asdict(line) for line in found.lines]
    if format_ == "json":
        head = {"source": found.source, "head": found.head}
        more = {"outs": records, "unread": list(found.unread)}
        more["apart"] = list(found.apart)
        app.terminal.write([document({**head, **more})])
    else:
        listing(app.terminal, format_, "outs", records, _COLUMNS)
    _tell(app, found)


def _tell(app: App, found: "Imported") -> None:
    """Say what was recorded, and what could not be."""
    created = sum(line.created for line in found.lines)
    absent = sum(line.absent for line in found.lines)
    app.terminal.say(f"{plural(created, 'new commit')} from {found.source}")
    for folder in found.apart:
        app.terminal.say(
            f"{folder} is a DVC repository of its own: import it by itself"
        )
    if not found.lines and not found.apart:
        app.terminal.say(
            f"git has no *.dvc file and no dvc.lock up to {found.head[:12]} there"
        )
        app.terminal.say(("  `git add` and commit what DVC wrote first", "hint"))
    for path in found.unread:
        app.terminal.say(f"{path} is none of DVC's files at some time: left out there")
    if absent:
        app.terminal.say(f"{absent:,} without bytes, which its cache lacks")
        hint = "`lineage undo`, `dvc fetch --all-commits` there, and import again"
        app.terminal.say((f"  {hint}", "hint"))

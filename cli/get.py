"""`lineage get`: the bytes of a commit, verified."""

from pathlib import Path

import click

from lineage.cli import tainted
from lineage.cli.command import App, Command, at_option, complete_revision, pass_app
from lineage.wording import plural, size


@click.command(
    cls=Command,
    short_help="Give the files of a commit back, verified.",
    examples={
        "lineage get model/tutor": "into the folder tutor",
        "lineage get dataset/seed~1 old/": "the version before, elsewhere",
        "lineage get 'loop/tutor^includes(model)' best": "the model of a generation",
    },
    exits=[3, 5],
)
@click.argument("revision", metavar="REV", shell_complete=complete_revision)
@click.argument("dest", required=False, type=Path)
@click.option("-f", "--force", is_flag=True, help="Replace what is there.")
@click.option("--without-erased", is_flag=True, help="Leave out what was erased.")
@at_option
@pass_app
def get(
    app: App,
    revision: str,
    dest: Path | None,
    *,
    force: bool,
    without_erased: bool,
) -> None:
    """Write the files of REV to DEST, and print where they are.

    Without DEST they are called what the artifact is called. Every byte is compared
    with its recorded SHA-256; nothing is overwritten without --force. What is not
    here is fetched from the DVC remote, if there is one.
    """
    from lineage.checkout import default_name

    registry = app.registry
    id_ = registry.resolve(revision)
    commit, entries = registry.load(id_), registry.files(id_)
    place = dest or default_name(commit, entries)
    chosen = {"force": force, "without_erased": without_erased}
    fetched: list[int] = []
    with app.terminal.progress("fetching") as progress:

        def heard(count: int) -> None:
            fetched.append(count)
            progress(count)

        target = registry.get(id_, place, progress=heard, **chosen)
    if without_erased:
        erased = registry.erased()
        entries = [entry for entry in entries if entry.sha256 not in erased]
    app.terminal.write([str(target)])
    if any(fetched):
        app.terminal.say(f"fetched {size(sum(fetched))} from the DVC remote")
    total = sum(entry.size for entry in entries)
    files = sum(not entry.is_directory for entry in entries)
    app.terminal.say(f"{plural(files, 'file')}, {size(total)}, verified")
    tainted.warn(app, id_)

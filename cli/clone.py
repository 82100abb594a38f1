"""`lineage clone`: a registry from a remote."""

from pathlib import Path

import click

from lineage.cli.command import App, Command, pass_app
from lineage.cli.text import plural


@click.command(
    cls=Command,
    short_help="Make a registry from a remote.",
    examples={
        "lineage clone git@example.com:team/tutor.git": "into the folder tutor",
        "lineage clone /srv/tutor.git copy": "into the folder copy",
    },
    exits={
        0: "done",
        1: "the remote failed",
        2: "a bad option, or a folder that is not empty",
        3: "something at the remote is not what it says",
        5: "no registry there",
    },
)
@click.argument("url")
@click.argument("folder", metavar="[DIR]", required=False, type=Path)
@click.option("--dvc-remote", metavar="NAME", help="DVC remote of the payloads.")
@pass_app
def clone(app: App, url: str, folder: Path | None, dvc_remote: str | None) -> None:
    """Make DIR (by default called as the remote is) a registry like the one at URL.

    The history comes whole and is verified from its first event. Git's branches come as
    with `git clone`, and the remote is called origin. Failure leaves nothing behind.
    """
    from lineage.sharing.clone import clone as make

    with app.terminal.telling() as told:
        registry = make(url, folder, dvc_remote=dvc_remote, told=told)
    count = sum(1 for _ in registry.events_log.iterate())
    counts = f"{plural(count, 'event')}, {plural(len(registry.ids), 'commit')}"
    registry.close()
    app.terminal.say((str(registry.root), "title"), f": {counts}, verified")

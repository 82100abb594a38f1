"""`lineage clone`: a registry from a remote."""

from contextlib import closing
from pathlib import Path
from typing import Any

import click

from lineage.cli import tainted
from lineage.cli.command import App, Command, pass_app
from lineage.cli.sharing import choice_of, choice_options, say_files
from lineage.wording import plural


@click.command(
    cls=Command,
    short_help="Make a registry from a remote.",
    examples={
        "lineage clone git@example.com:team/tutor.git": "into the folder tutor",
        "lineage clone /srv/tutor.git copy": "into the folder copy",
        "lineage clone /srv/tutor.git --only 'kind(model)'": "with models only",
    },
    exits={
        1: "the remote failed",
        2: "a bad option, or a folder that is not empty",
        3: "something at the remote is not what it says",
        5: "no registry there",
    },
)
@click.argument("url")
@click.argument("folder", metavar="[DIR]", required=False, type=Path)
@click.option("--dvc-remote", metavar="NAME", help="DVC remote of the payloads.")
@choice_options
@pass_app
def clone(
    app: App, /, url: str, folder: Path | None, dvc_remote: str | None, **files: Any
) -> None:
    """Make DIR (by default called as the remote is) a registry like the one at URL.

    The history comes whole and is verified from its first event. Git's branches come as
    with `git clone`, and the remote is called origin. Failure leaves nothing behind.

    Then the files of all branches come, each verified; `lineage get` brings others when
    they are asked for.
    """
    from lineage.sharing import remotes
    from lineage.sharing.clone import clone as make
    from lineage.sharing.payloads import bring

    choice, terminal = choice_of(**files), app.terminal
    with terminal.telling() as told:
        registry = make(url, folder, dvc_remote=dvc_remote, choice=choice, told=told)
    with closing(registry):
        count = sum(1 for _ in registry.events_log.iterate())
        counts = f"{plural(count, 'event')}, {plural(len(registry.ids), 'commit')}"
        terminal.say((str(registry.root), "title"), f": {counts}, verified")
        with terminal.progress("received") as progress:
            moved = bring(registry, remotes.find(registry), choice, progress)
        say_files(terminal, moved)
        tainted.say_new(terminal, registry)

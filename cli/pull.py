"""`lineage pull`: fetch, and make it ours."""

from typing import Any

import click

from lineage.cli import tainted
from lineage.cli.command import App, Command, format_option, pass_app
from lineage.cli.render import document
from lineage.cli.sharing import (
    BRINGING,
    choice_of,
    choice_options,
    remote_argument,
    say_brought,
    say_files,
    say_moves,
)
from lineage.shapes.sharing import pulled_of


@click.command(
    cls=Command,
    short_help="Fetch what a remote has and make it ours.",
    examples={
        "lineage pull": "from origin, or from the only remote that there is",
        "lineage branch -f model/tutor model/tutor@origin": (
            "take theirs, where both sides moved a branch"
        ),
        "lineage branch -d model/tutor@origin": "keep yours",
    },
    exits=BRINGING,
)
@remote_argument
@choice_options
@format_option("json")
@pass_app
def pull(app: App, /, remote: str | None, format_: str, **files: Any) -> None:
    """Fetch what REMOTE has, verify it and join the two logs in one event.

    A branch that moved on one side only is where that side has it. One that moved on
    both is where the later version is, if one came from the other; else it is kept
    twice, as NAME and NAME@REMOTE, until you choose. docs/sharing.md has all rules.

    Then the files of all branches come, each verified, as far as they are not here.
    """
    from lineage.sharing import remotes
    from lineage.sharing.payloads import bring as bring_files
    from lineage.sharing.pull import pull as bring
    from lineage.taints import standing

    choice = choice_of(**files)
    registry, terminal = app.registry, app.terminal
    place = remotes.find(registry, remote)
    known = {one.event for one in standing(registry)}
    with terminal.telling() as told:
        pulled = bring(registry, place, told=told)
    if pulled.event and format_ == "human":
        say_brought(terminal, pulled.fetched)
        say_moves(terminal, pulled)
    elif format_ == "human":
        terminal.say((place.name, "title"), ": up to date")
    with terminal.progress("received") as progress:
        moved = bring_files(registry, place, choice, progress)
    if format_ == "json":
        terminal.write([document(pulled_of(registry, pulled, moved))])
    else:
        say_files(terminal, moved)
    tainted.say_new(terminal, registry, known)

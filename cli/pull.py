"""`lineage pull`: fetch, and make it ours."""

import click

from lineage.cli.command import App, Command, format_option, pass_app
from lineage.cli.render import document
from lineage.cli.sharing import (
    pulled_record,
    remote_argument,
    say_brought,
    say_moves,
)


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
    exits={
        0: "done",
        1: "the remote failed",
        2: "a bad option, or several remotes",
        3: "something at the remote is not what it says",
        4: "the remote is another registry",
        5: "no such remote, or no registry there",
    },
)
@remote_argument
@format_option("json")
@pass_app
def pull(app: App, remote: str | None, format_: str) -> None:
    """Fetch what REMOTE has, verify it and join the two logs in one event.

    A branch that moved on one side only is where that side has it. One that moved on
    both is where the later version is, if one came from the other; else it is kept
    twice, as NAME and NAME@REMOTE, until you choose. docs/sharing.md has all rules.
    """
    from lineage.sharing import remotes
    from lineage.sharing.pull import pull as bring

    registry, terminal = app.registry, app.terminal
    with terminal.telling() as told:
        pulled = bring(registry, remotes.find(registry, remote), told=told)
    if format_ == "json":
        terminal.write([document(pulled_record(registry, pulled))])
    elif pulled.event:
        say_brought(terminal, pulled.fetched)
        say_moves(terminal, pulled)
    else:
        terminal.say((pulled.fetched.remote.name, "title"), ": up to date")

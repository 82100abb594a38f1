"""`lineage push`: give a remote what it lacks."""

import click

from lineage.cli.command import App, Command, format_option, pass_app
from lineage.cli.render import document
from lineage.cli.sharing import pushed_record, remote_argument
from lineage.cli.text import plural


@click.command(
    cls=Command,
    short_help="Give a remote what it lacks.",
    examples={
        "lineage push": "to origin, or to the only remote that there is",
        "lineage push backup": "to the remote of that name",
    },
    exits={
        0: "done",
        1: "the remote has events that are not here, or failed",
        2: "a bad option, or several remotes",
        4: "the remote is another registry",
        5: "no such remote",
    },
)
@remote_argument
@format_option("json")
@pass_app
def push(app: App, remote: str | None, format_: str) -> None:
    """Give REMOTE our events, commits and names; all of them arrive or none.

    A remote that has events which are not here is left as it is: `lineage pull` brings
    them. Each tag becomes a git tag lineage/TAG there, so that
    `dvc get URL KIND --rev lineage/TAG` gives its files to people without lineage.
    """
    from lineage.sharing import remotes
    from lineage.sharing.push import push as send

    registry, terminal = app.registry, app.terminal
    with terminal.telling() as told:
        pushed = send(registry, remotes.find(registry, remote), told=told)
    if format_ == "json":
        terminal.write([document(pushed_record(registry, pushed))])
    elif pushed.events or pushed.names or pushed.tags:
        counts = (plural(pushed.events, "event"), plural(pushed.commits, "commit"))
        terminal.say((pushed.remote.name, "title"), f": {', '.join(counts)}")
        for tag in pushed.tags:
            terminal.say("  ", ("git tag ", "dim"), (f"lineage/{tag}", "tag"))
    else:
        terminal.say((pushed.remote.name, "title"), " is up to date")

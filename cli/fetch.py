"""`lineage fetch`: bring what a remote has, beside ours."""

import click

from lineage.cli.command import App, Command, format_option, pass_app
from lineage.cli.render import document
from lineage.cli.sharing import BRINGING, remote_argument, say_brought
from lineage.shapes.sharing import fetched_of


@click.command(
    cls=Command,
    short_help="Bring what a remote has, verified, beside ours.",
    examples={
        "lineage fetch": "from origin, or from the only remote that there is",
        "lineage remote": "how far the two are apart now",
    },
    exits=BRINGING,
)
@remote_argument
@format_option("json")
@pass_app
def fetch(app: App, remote: str | None, format_: str) -> None:
    """Bring what REMOTE has and verify it; names and log here stay as they are.

    Each event must follow from those before it, and each commit be what its id says.
    A remote that has lost an event that was seen there is refused.
    """
    from lineage.sharing import remotes
    from lineage.sharing.fetch import fetch as bring

    registry, terminal = app.registry, app.terminal
    with terminal.telling() as told:
        fetched = bring(registry, remotes.find(registry, remote), told=told)
    if format_ == "json":
        terminal.write([document(fetched_of(registry, fetched))])
    elif fetched.events:
        say_brought(terminal, fetched)
    else:
        terminal.say((fetched.remote.name, "title"), " has nothing new")

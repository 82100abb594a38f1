"""`lineage undo`: take back what moved names, by one more event."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from lineage.cli.command import App, Command, pass_app, utc
from lineage.cli.names import short
from lineage.cli.text import one_line

if TYPE_CHECKING:
    from lineage.registry import Registry
    from lineage.store.views import Move
    from lineage.undo import Undone

NOTES = {
    1: "failed: a file, a disk",
    4: "a name has moved since, or is protected; nothing was changed",
    5: "no such event, or nothing left",
}


@click.command(
    cls=Command,
    short_help="Take back what moved a branch or a tag.",
    examples={
        "lineage undo": "the newest move; again: the one before it",
        "lineage undo --dry-run": "only say what would move",
        "lineage undo 1a2b3c4d": "one event of `lineage events`; an undo: redo",
    },
    exits=NOTES,
)
@click.argument("event", required=False)
@click.option("-m", "--message", default="", metavar="MSG", help="Why; for the log.")
@click.option("--dry-run", is_flag=True, help="Only say what would move.")
@pass_app
def undo(app: App, event: str | None, message: str, *, dry_run: bool) -> None:
    """Take back EVENT, or the newest event that moved a branch or a tag.

    Each name that it moved goes back to where it was, unless it has moved again: then
    nothing changes, and the later event is named. Nothing is rewritten; an undo is
    one more event, and can be undone. No commit is lost.
    """
    from lineage.undo import undo as take_back

    done = take_back(app.registry, event, message=message, dry_run=dry_run)
    tell(app, done, "undone")


def tell(app: App, done: "Undone", what: str) -> None:
    """Say what moved; of a dry run that is all there is, so it goes to stdout."""
    event = done.undone
    told = f": {one_line(event.message.splitlines()[0])}" if event.message else ""
    head = f"{event.type} {event.id[:8]}, {utc(event)}{told}"
    lines = list(_lines(app.registry, done.moves, tried=not done.event))
    if done.event:
        app.terminal.say(f"{what}: {head}")
        for line in lines:
            app.terminal.say(line)
    else:
        app.terminal.write([f"would be {what}: {head}", *lines])


def _lines(
    registry: "Registry", moves: "tuple[Move, ...]", *, tried: bool
) -> Iterator[str]:
    verb = "would be" if tried else "is"
    for move in moves:
        space, _, name = move.ref.partition("/")
        was = f" (was {short(registry, move.before.id)})" if move.before else ""
        if space == "protected":
            again = "again" if move.after else "no more"
            yield f"branch {name} {verb} protected {again}"
        elif space != "spent":
            what = {"heads": "branch", "tags": "tag", "runs": "part"}[space]
            place = (
                f"back at {short(registry, move.after.id)}" if move.after else "gone"
            )
            spent = ", and its name spent" if (space, place) == ("tags", "gone") else ""
            yield f"{what} {name} {verb} {place}{spent}{was}"

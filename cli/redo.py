"""`lineage redo`: bring back what undo took."""

import click

from lineage.cli.command import App, Command, pass_app
from lineage.cli.undo import NOTES, tell


@click.command(
    cls=Command,
    short_help="Bring back what undo took.",
    examples={
        "lineage redo": "the newest undo; again: the one before it",
        "lineage redo --dry-run": "only say what would move",
    },
    exits=NOTES,
)
@click.option("-m", "--message", default="", metavar="MSG", help="Why; for the log.")
@click.option("--dry-run", is_flag=True, help="Only say what would move.")
@pass_app
def redo(app: App, message: str, *, dry_run: bool) -> None:
    """Bring back what the newest undo took, as long as nothing else has moved.

    An older undo is taken back by naming it: `lineage undo EVENT`.
    """
    from lineage.undo import redo as bring_back

    done = bring_back(app.registry, message=message, dry_run=dry_run)
    tell(app, done, "redone")

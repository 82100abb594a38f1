"""`lineage init`: make a registry."""

import click

from lineage.cli.command import App, Command, pass_app


@click.command(
    cls=Command,
    short_help="Make a folder a registry.",
    examples={
        "lineage init": "make the current folder a registry",
        "lineage init tutor": "make the folder tutor, and a registry in it",
    },
)
@click.argument("directory", metavar="[DIR]", default=".")
@pass_app
def init(app: App, directory: str) -> None:
    """Make DIR (by default the current folder) a registry.

    A registry is a git and DVC repository with an event log of its own. What is
    there already is adopted as it is; only a repository without any commit gets a
    first one, of DVC's files. A folder that a larger repository tracks is refused:
    make that one the registry.
    """
    import lineage

    registry = lineage.init(directory)
    registry.close()
    app.terminal.say((str(registry.root), "title"), " is a lineage registry")

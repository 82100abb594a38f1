"""`lineage unpack`: packed files as plain ones, where DVC finds them."""

import click

from lineage.cli.command import App, Command, complete_revision, format_option, pass_app
from lineage.cli.render import document
from lineage.errors import UsageError
from lineage.wording import plural, size


@click.command(
    cls=Command,
    short_help="Make packed files plain again, for DVC.",
    examples={
        "lineage unpack model/tutor~3": "the files of one commit",
        "lineage unpack 'tags()'": "what a revset selects",
        "lineage unpack --all": "everything; no pack is left",
    },
    exits=[3, 5],
)
@click.argument("revset", required=False, shell_complete=complete_revision)
@click.option("--all", "everything", is_flag=True, help="Unpack all that is packed.")
@format_option("json")
@pass_app
def unpack(app: App, revset: str | None, *, everything: bool, format_: str) -> None:
    """Write the packed files of REVSET out as plain ones, where DVC finds them.

    Each is compared with its SHA-256 before it counts. What no packed file needs any
    more leaves the packs.
    """
    from lineage.packing.unpacking import strangers
    from lineage.packing.unpacking import unpack as run
    from lineage.shapes.packing import unpacked
    from lineage.store.memory import keep_freed_memory

    if (revset is None) != everything:
        raise UsageError(
            "say what to unpack: REVSET, or --all",
            hint="`lineage unpack --all` unpacks everything",
        )
    keep_freed_memory()
    with app.terminal.progress("unpacking") as progress:
        done = run(app.registry, revset, progress=progress)
    if format_ == "json":
        app.terminal.write([document(unpacked(done))])
    if not done.files:
        app.terminal.say("nothing to unpack")
        if everything and strangers(app.registry):
            app.terminal.note(
                "there are packs of another name: `lineage verify` says whether they "
                "hold files of this registry"
            )
        return
    files, speed = plural(done.files, "file"), round(done.size / done.seconds)
    app.terminal.say(f"unpacked {files}, {size(done.size)}, at {size(speed)}/s")
    if done.kept:
        kept = plural(done.kept, "file")
        app.terminal.say(f"the blocks of {kept} stay packed too: others build on them")

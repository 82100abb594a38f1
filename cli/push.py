"""`lineage push`: give a remote what it lacks."""

import click

from lineage.cli.command import App, Command, format_option, pass_app
from lineage.cli.render import document
from lineage.cli.sharing import moved_words, remote_argument
from lineage.errors import UsageError
from lineage.shapes.sharing import pushed_of
from lineage.wording import plural


@click.command(
    cls=Command,
    short_help="Give a remote what it lacks.",
    examples={
        "lineage push": "to origin, or to the only remote that there is",
        "lineage push backup": "to the remote of that name",
        "lineage push --all-payloads": "with files that were left out before",
        "lineage push --packed": "files that are packed here go as packs",
    },
    exits={
        1: "the remote has events that are not here, or failed",
        2: "a bad option, or several remotes",
        4: "the remote is another registry",
        5: "no such remote",
    },
)
@remote_argument
@click.option("--no-payloads", is_flag=True, help="Send no files.")
@click.option(
    "--all-payloads",
    is_flag=True,
    help="Send the files of all commits, not of new ones.",
)
@click.option(
    "--packed/--whole",
    default=None,
    help="Send files that `lineage pack` has packed in packs, or whole.  [default: "
    "whole, so that DVC finds them, unless the remote is for packs]",
)
@format_option("json")
@pass_app
def push(
    app: App,
    /,
    *,
    remote: str | None,
    no_payloads: bool,
    all_payloads: bool,
    packed: bool | None,
    format_: str,
) -> None:
    """Give REMOTE our events, commits and names; all of them arrive or none.

    The files of new commits go to its DVC remote first, each verified. A remote that
    has events which are not here is left as it is: `lineage pull` brings them.

    With --packed the remote takes no more room than the packs here. `dvc` does not
    find what is in packs; lineage does. `lineage config remote.REMOTE.packed true` says
    so for every push.

    Each tag becomes a git tag lineage/TAG there, so that people without lineage get its
    files with `dvc get URL KIND --rev lineage/TAG`.
    """
    from lineage.sharing import remotes
    from lineage.sharing.push import push as send
    from lineage.store.names import encode

    if no_payloads and all_payloads:
        raise UsageError("--no-payloads and --all-payloads exclude each other")
    registry, terminal = app.registry, app.terminal
    with terminal.progress("sent") as progress, terminal.telling() as told:
        pushed = send(
            registry,
            remotes.find(registry, remote),
            packed=packed,
            payloads="none" if no_payloads else "all" if all_payloads else "new",
            told=told,
            progress=progress,
        )
    if format_ == "json":
        terminal.write([document(pushed_of(registry, pushed))])
    elif pushed.events or pushed.names or pushed.tags or pushed.payloads.objects:
        counts = [plural(pushed.events, "event"), plural(pushed.commits, "commit")]
        counts += moved_words(pushed.payloads)
        terminal.say((pushed.remote.name, "title"), f": {', '.join(counts)}")
        for tag in pushed.tags:
            gone = "" if registry.target(f"tags/{tag}") else "  gone"
            place = f"lineage/{encode(tag)}"
            terminal.say("  ", ("git tag ", "dim"), (place, "tag"), (gone, "dim"))
    else:
        terminal.say((pushed.remote.name, "title"), " is up to date")

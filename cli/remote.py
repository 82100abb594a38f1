"""`lineage remote`: where the registry is shared."""

from typing import TYPE_CHECKING

import click

from lineage.cli.command import App, Group, format_option, pass_app
from lineage.cli.render import Column, Record, listing

if TYPE_CHECKING:
    from lineage.registry import Registry
    from lineage.sharing.remotes import Remote


def _count(key: str, record: Record) -> str:
    return "-" if record[key] is None else str(record[key])


_COLUMNS = (
    Column("remote", lambda r: (r["name"], "title")),
    Column("url", lambda r: r["url"], flexible=True),
    Column("dvc remote", lambda r: r["dvc"] or "(default)"),
    Column("ahead", lambda r: _count("ahead", r), right=True),
    Column("behind", lambda r: _count("behind", r), right=True),
)


@click.group(
    cls=Group,
    invoke_without_command=True,
    examples={
        "lineage remote": "list them",
        "lineage remote add origin git@example.com:team/tutor.git": "add one",
        "lineage remote add disk /mnt/tutor.git --dvc-remote disk": (
            "whose payloads go to the DVC remote disk"
        ),
    },
)
@click.pass_context
def remote(ctx: click.Context) -> None:
    """Say where the registry is shared.

    Events, commits and names go to a git repository, best a bare one, payloads to a
    DVC remote (`dvc remote add`). A remote of git's own can be named too.
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_, format_="human")


@remote.command(
    name="list", examples={"lineage remote list": "all, by name"}, exits=[5]
)
@format_option("json", "jsonl", "csv", "md")
@pass_app
def list_(app: App, format_: str) -> None:
    """List the remotes, with how many events each lacks and has alone.

    The counts are those of the last fetch, pull or push; pulls do not count.
    """
    from lineage.sharing.remotes import listed

    registry = app.registry
    records = [_record(registry, found) for found in listed(registry)]
    listing(app.terminal, format_, "remotes", records, _COLUMNS)
    if not records:
        app.terminal.say("there are no remotes yet: `lineage remote add NAME URL`")


@remote.command(examples={"lineage remote show origin": "one of them"}, exits=[5])
@click.argument("name")
@format_option("json", "jsonl", "csv", "md")
@pass_app
def show(app: App, name: str, format_: str) -> None:
    """Show one remote; it may be one of git's."""
    from lineage.sharing.remotes import find

    records = [_record(app.registry, find(app.registry, name))]
    listing(app.terminal, format_, "remotes", records, _COLUMNS)


@remote.command(
    examples={
        "lineage remote add origin ssh://example.com/srv/tutor.git": "over ssh",
        "lineage remote add origin ../tutor.git --dvc-remote store": "a folder",
    },
    exits=[5],
)
@click.argument("name")
@click.argument("url")
@click.option("--dvc-remote", metavar="NAME", help="DVC remote of the payloads.")
@click.option("--packed", is_flag=True, help="Send what is packed here in packs.")
@pass_app
def add(
    app: App, /, *, name: str, url: str, dvc_remote: str | None, packed: bool
) -> None:
    """Remember the git repository URL as NAME. Nothing is sent yet."""
    from lineage.sharing import remotes

    found = remotes.add(app.registry, name, url, dvc=dvc_remote, packed=packed)
    app.terminal.say((found.name, "title"), f" is {found.url}")


@remote.command(examples={"lineage remote remove origin": "forget it"}, exits=[5])
@click.argument("name")
@pass_app
def remove(app: App, name: str) -> None:
    """Forget a remote, and what was seen there; nothing changes at the remote."""
    from lineage.sharing import remotes

    remotes.remove(app.registry, name)
    app.terminal.say((name, "title"), " is forgotten")


def _record(registry: "Registry", found: "Remote") -> Record:
    from lineage.sharing.remotes import distance

    apart = distance(registry, found.name)
    return {
        "name": found.name,
        "url": found.url,
        "dvc": found.dvc,
        "packed": found.packed,
        "ahead": apart and apart.ahead,
        "behind": apart and apart.behind,
    }

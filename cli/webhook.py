"""`lineage webhook`: addresses that the server tells of events."""

import click

from lineage.cli.command import App, Group, format_option, pass_app
from lineage.cli.render import Column, listing

_COLUMNS = (
    Column("id", lambda r: (r["id"], "id")),
    Column("url", lambda r: r["url"], flexible=True),
    Column("events", lambda r: ", ".join(r["events"]) or "all"),
    Column("waiting", lambda r: r["error"], flexible=True),
    Column("left out", lambda r: r["left_out"] or "", right=True),
)


@click.group(
    cls=Group,
    short_help="Have `lineage serve` tell addresses of events.",
    examples={
        "lineage webhook add https://ci.example.com/hook": "tell it of every event",
        "lineage webhook list": "who is told, and what does not arrive",
    },
)
def webhook() -> None:
    """Have `lineage serve` tell addresses of events, signed with a secret.

    Each event is told in its order, once or more often, until the address answers
    with 2xx; docs/writing.md says how to check the signature.
    """


@webhook.command(
    examples={
        "lineage webhook add https://ci.example.com/hook": "of every event",
        "lineage webhook add https://ci.example.com/hook --event commit": "of some",
    },
    exits=[5],
)
@click.argument("url")
@click.option(
    "--event", "events", multiple=True, metavar="TYPE", help="Of these types alone."
)
@click.option(
    "--allow-private", is_flag=True, help="It may be on a network of our own."
)
@pass_app
def add(app: App, /, *, url: str, events: tuple[str, ...], allow_private: bool) -> None:
    """Tell URL of what comes from now on; prints the secret, once."""
    from lineage.server.hooks import Hooks

    registry = app.registry
    tip = registry.events_log.tip() or ""
    made = Hooks(registry.home).add(url, events, tip, private=allow_private)
    app.terminal.write([made.secret])
    app.terminal.say((made.id, "id"), " is told of events while `lineage serve` runs")


@webhook.command(
    name="list",
    examples={"lineage webhook list --format json": "for programs"},
    exits=[5],
)
@format_option("json", "jsonl", "csv", "md")
@pass_app
def list_(app: App, *, format_: str) -> None:
    """List addresses, why one waits, and what was left out."""
    from lineage.server.hooks import Hooks

    records = [
        {
            "id": hook.id,
            "url": hook.url,
            "events": list(hook.events),
            "private": hook.private,
            "after": hook.after,
            "failed": hook.failed,
            "error": hook.error,
            "left_out": hook.left_out,
        }
        for hook in Hooks(app.registry.home).all()
    ]
    listing(app.terminal, format_, "webhooks", records, _COLUMNS)
    if not records:
        app.terminal.say("nobody is told of events")


@webhook.command(
    examples={"lineage webhook remove 3f2a": "it is told nothing more"},
    exits=[5],
)
@click.argument("id_", metavar="ID")
@pass_app
def remove(app: App, /, *, id_: str) -> None:
    """Tell the address whose id starts with ID nothing more."""
    from lineage.server.hooks import Hooks

    gone = Hooks(app.registry.home).remove(id_)
    app.terminal.say((gone.id, "id"), f" is removed: {gone.url}")

"""`lineage token`: who may use the server from elsewhere, and for what."""

from datetime import time

import click

from lineage.cli.command import App, Group, format_option, pass_app
from lineage.cli.render import Column, listing
from lineage.cli.valid import STATE
from lineage.server.tokens import SCOPES


def _day(key: str) -> Column:
    return Column(key, lambda r: (r[key] or "")[:10])


_COLUMNS = (
    Column("id", lambda r: (r["id"], "id")),
    Column("name", lambda r: (r["name"], "title"), flexible=True),
    Column("email", lambda r: r["email"], flexible=True),
    Column("scopes", lambda r: ", ".join(r["scopes"])),
    STATE,
    _day("expires"),
    _day("used"),
)


@click.group(
    cls=Group,
    examples={
        "lineage token create": "one for yourself, to read",
        "lineage token create CI --scope write --expires 2027-12-31": "for a machine",
        "lineage token list": "who has one, and when it was last used",
    },
)
def token() -> None:
    """Make, list and revoke the tokens that `lineage serve` asks for.

    With the first token the server asks everybody for one, and may serve other
    machines. Tokens are this clone's own; no push or pull takes them along.
    """


@token.command(
    examples={
        "lineage token create": "prints the token, once",
        "lineage token create CI --email ci@example.com --scope write": "for a machine",
        "lineage token create --scope review --expires 2027-12-31": "until then",
    },
    exits=[5],
)
@click.argument("name", required=False)
@click.option("--email", metavar="ADDRESS", help="Whose it is; git's user.email.")
@click.option(
    "--scope", "scopes", multiple=True, type=click.Choice(SCOPES), default=["read"],
    show_default=True, help="What it is for; each of them lets read too.",
)  # fmt: skip
@click.option("--expires", metavar="DATE", help="The last day that it counts on.")
@pass_app
def create(
    app: App,
    /,
    *,
    name: str | None,
    email: str | None,
    scopes: tuple[str, ...],
    expires: str | None,
) -> None:
    """Make a token for NAME (git's user.name): what is done with it is theirs.

    It is printed once and kept nowhere: the registry has its SHA-256 alone.
    """
    from lineage.moments import moment_of
    from lineage.server.tokens import Tokens

    who = app.registry.actor()
    secret, made = Tokens(app.registry.home).create(
        name or who["name"],
        email or who["email"],
        scopes,
        expires and moment_of(expires, time.max),
    )
    app.terminal.write([secret])
    may = ", ".join(made.scopes)
    app.terminal.say(
        (made.id, "id"), f" is {made.name}'s, to {may}; it is told only now"
    )


@token.command(
    name="list",
    examples={
        "lineage token list": "all, revoked ones too",
        "lineage token list --format json": "for programs",
    },
    exits=[5],
)
@format_option("json", "jsonl", "csv", "md")
@pass_app
def list_(app: App, *, format_: str) -> None:
    """List the tokens that were made here, oldest first."""
    from dataclasses import asdict

    from lineage.server.tokens import Tokens
    from lineage.store.events import now

    moment = now()
    records = [
        {**asdict(one), "scopes": list(one.scopes), "state": one.state(moment)}
        for one in Tokens(app.registry.home).all()
    ]
    listing(app.terminal, format_, "tokens", records, _COLUMNS)
    if not records:
        app.terminal.say("there are no tokens: only this machine is served")


@token.command(
    examples={"lineage token revoke 3f2a": "refused from the next request on"},
    exits=[5],
)
@click.argument("id_", metavar="ID")
@pass_app
def revoke(app: App, /, *, id_: str) -> None:
    """Let the token whose id starts with ID (4 digits or more) count no more."""
    from lineage.server.tokens import Tokens

    ended = Tokens(app.registry.home).revoke(id_)
    app.terminal.say((ended.id, "id"), f" of {ended.name} is revoked")

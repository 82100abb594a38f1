"""`lineage config`: what this clone is told once."""

import click

from lineage.cli.command import App, Command, format_option, pass_app
from lineage.cli.render import Column, listing
from lineage.errors import NotFound, UsageError
from lineage.setting_keys import check

_COLUMNS = (
    Column("key", lambda r: (r["key"], "title")),
    Column("value", lambda r: r["value"], flexible=True),
)


@click.command(
    cls=Command,
    short_help="List, get and set what this clone is told once.",
    examples={
        "lineage config": "all settings that hold, with their values",
        "lineage config index.url": "one of them",
        "lineage config index.url postgresql://host/db": "set it for this clone",
        "lineage config --unset index.url": "forget it",
    },
    exits=[5],
)
@click.argument("key", required=False)
@click.argument("value", required=False)
@click.option("--unset", is_flag=True, help="Forget KEY in this clone.")
@format_option("json", "jsonl", "csv", "md")
@pass_app
def config(
    app: App, /, *, key: str | None, value: str | None, unset: bool, format_: str
) -> None:
    """List the settings, or print, set or forget the value of KEY.

    What is set here is this clone's, in .git/lineage/config, and wins over the user's
    own file; LINEAGE_… in the environment wins over both. Nothing of it is shared.
    """
    settings = app.registry.settings
    if unset:
        if key is None or value is not None:
            raise UsageError("--unset forgets one key: KEY and nothing else")
        _existing(app, key)
        settings.unset(key)
    elif key is not None and value is not None:
        check(key)
        settings.set(key, value)
    elif key is not None and format_ == "human":
        app.terminal.write([_existing(app, key)])
    else:
        chosen = settings.all if key is None else {key: _existing(app, key)}
        records = [{"key": k, "value": v} for k, v in chosen.items()]
        listing(app.terminal, format_, "settings", records, _COLUMNS)
        if not records:
            app.terminal.say("nothing is set")


def _existing(app: App, key: str) -> str:
    value = app.registry.settings.get(key)
    if value is None:
        hint = "`lineage config` lists what is"
        raise NotFound(f"{key} is not set", hint=hint)
    return value

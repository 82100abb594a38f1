"""`lineage loop plugins`: what installed packages add to `loop.yaml`."""

from typing import TYPE_CHECKING

import click

from lineage.cli.command import App, Command, format_option, pass_app
from lineage.cli.render import Column, Record, listing

if TYPE_CHECKING:
    from lineage.loop.plugins import Plugin

_COLUMNS = (
    Column("kind", lambda r: str(r["kind"])),
    Column("name", lambda r: (str(r["name"]), "title")),
    Column("from", lambda r: f"{r['distribution']} {r['version']}"),
    Column("note", lambda r: (r["note"] or "", "hint"), flexible=True),
)


@click.command(
    cls=Command,
    examples={"lineage loop plugins": "what is installed, and from where"},
)
@format_option("json", "jsonl", "csv", "md")
@pass_app
def plugins(app: App, format_: str) -> None:
    """List the steps, measures and gates that installed packages add.

    docs/plugins.md shows how a package does so.
    """
    from lineage.loop.spec.evaluation import OWN_MEASURES
    from lineage.loop.spec.gates import GATES
    from lineage.loop.spec.steps import STEP_PLUGINS

    groups = (STEP_PLUGINS, OWN_MEASURES, GATES)
    records = [
        _shape(plugin, group.trouble(plugin)) for group in groups for plugin in group
    ]
    listing(app.terminal, format_, "plugins", records, _COLUMNS)
    if not records:
        app.terminal.say("no installed package adds any")


def _shape(plugin: "Plugin", note: str) -> Record:
    return {
        "kind": plugin.group.removeprefix("lineage.").removesuffix("s"),
        "name": plugin.name,
        "place": plugin.place,
        "distribution": plugin.distribution,
        "version": plugin.version,
        "note": note or None,
    }

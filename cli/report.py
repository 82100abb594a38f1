"""`lineage report`: what is recorded about a commit, for people who trust nobody."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from lineage.cli.command import App, Command, at_option, complete_revision, pass_app
from lineage.cli.text import plural, size
from lineage.cli.writing import write_file

if TYPE_CHECKING:
    from lineage.audit.model import Report

# The names of lineage.audit.formats, which is slow to import; a test compares them.
FORMATS = ("html", "json")


@click.command(
    cls=Command,
    short_help="Report what is recorded of a commit, and what is not.",
    examples={
        "lineage report loop/tutor -o report.html": "a page for a browser or paper",
        "lineage report model/tutor --format json": "the same facts, for programs",
    },
    exits=[0, 1, 2, 5],
)
@click.argument("revision", metavar="REV", shell_complete=complete_revision)
@click.option(
    "--format",
    "format_",
    type=click.Choice(FORMATS),
    default="html",
    show_default=True,
    help="What to write; docs/report.md describes both.",
)
@click.option(
    "-o", "--output", metavar="FILE", type=Path, help="Write to FILE, not to stdout."
)
@at_option
@pass_app
def report(app: App, revision: str, format_: str, output: Path | None) -> None:
    """Report what REV is made of, how it was checked, and what nobody recorded.

    Of a generation, or a part of one, the report covers the loop up to there. Every
    value in it is recorded, stated by somebody, or not provided. The same state of
    the registry gives the same bytes.
    """
    from lineage.audit import formats
    from lineage.audit.report import report as make

    made = make(app.registry, revision)
    data = formats.FORMATS[format_](made, formats.Given(app.registry))
    if output is None:
        app.terminal.write_bytes(data)
        return
    write_file(app, output, data, "report")
    app.terminal.say(f"{output}: {_told(made)}, {size(len(data))}")


def _told(made: "Report") -> str:
    commits, gaps = len(made.artifacts), len(made.gaps)
    return f"{plural(commits, 'commit')}, {plural(gaps, 'gap')}"

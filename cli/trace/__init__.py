"""`lineage trace`: what a commit is made of."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from lineage.cli.command import (
    COUNT,
    App,
    Command,
    at_option,
    complete_revision,
    format_option,
    limit_option,
    pass_app,
)
from lineage.cli.names import called, heading
from lineage.cli.render import escaped, facts, markdown_sections, sections, write_as
from lineage.cli.trace.answer import answer
from lineage.cli.trace.tables import tables
from lineage.cli.trace.tree import INDENT, rails, tree
from lineage.errors import UsageError
from lineage.shapes.trace import rows, traced

if TYPE_CHECKING:
    from lineage.descent.trace import Trace

_DEPTH = 4  # edges between the commit and the last that is drawn


@click.command(
    cls=Command,
    short_help="Show what a commit is made of.",
    examples={
        "lineage trace": "what HEAD is made of",
        "lineage trace loop/tutor": "how much of a generation machines wrote",
        "lineage trace model/tutor --depth 9": "with more of its ancestry",
        "lineage trace dataset/mixed --format csv": "its sources as a table",
        "lineage trace loop/tutor --against dataset/exam": "an exam in what it read",
    },
    exits={
        1: "not all could be looked at, with --exit-code",
        2: "a bad option",
        3: "found, with --against and --exit-code",
        5: "no such revision or registry, or several",
    },
)
@click.argument(
    "revision", metavar="[REV]", default="HEAD", shell_complete=complete_revision
)
@click.option("--depth", type=COUNT, default=_DEPTH, show_default=True, metavar="N",
              help="Draw N steps of the ancestry.")  # fmt: skip
@limit_option
@click.option("--graph", is_flag=True, help="Draw it with rails, as `log` does.")
@click.option("--against", metavar="DATASET", shell_complete=complete_revision,
              help="Look for these evaluation records in all that it was trained on, "
              "exact and nearly.")  # fmt: skip
@click.option("--column", metavar="NAME", help="Where the text is, for --against.")
@click.option("--exit-code", is_flag=True, help="Exit 3 when --against finds any.")
@at_option
@format_option("json", "jsonl", "csv", "md")
@pass_app
def trace(
    app: App,
    /,
    *,
    revision: str,
    depth: int,
    limit: int,
    graph: bool,
    against: str | None,
    column: str | None,
    exit_code: bool,
    format_: str,
) -> int:
    """Show what the commit REV (by default HEAD) is made of.

    How much of its records people and machines wrote, through every generation; which
    datasets and models they came from; what its weights were trained on before; how
    well each step is known; and what is not recorded. docs/trace.md has the
    definitions, and docs/contamination.md those of --against.
    """
    from lineage.descent.trace import trace as ask

    if against is not None:
        from lineage.cli.trace.against import show

        code = show(app, revision, against, column=column, format_=format_, most=limit)
        return code if exit_code else 0
    if column is not None or exit_code:
        option = "--column" if column is not None else "--exit-code"
        raise UsageError(f"{option} goes with --against", hint="name a dataset there")
    found = ask(app.registry, revision)
    write_as(
        app.terminal,
        format_,
        data=lambda: traced(app.registry, found),
        lines=lambda: [traced(app.registry, found)],
        rows=lambda: rows(app.registry, found),
        markdown=lambda: _markdown(app, found, limit),
        human=lambda: _human(app, found, depth, limit, graph=graph),
    )
    return 0


def _human(
    app: App, found: "Trace", depth: int, most: int, *, graph: bool
) -> Iterator[str]:
    terminal, registry = app.terminal, app.registry
    entry = registry.entry(found.subject)
    yield from (terminal.paint(heading(registry, entry)), "")
    yield from facts(terminal, answer(registry, found))
    yield from sections(terminal, tables(registry, found, most))
    drawn = rails if graph else tree
    yield from ("", terminal.paint([("ancestry", "title")]))
    yield from (f"{' ' * INDENT}{line}" for line in drawn(app, found, depth))


def _markdown(app: App, found: "Trace", most: int) -> Iterator[str]:
    yield from (
        f"# {escaped(called(app.registry, found.subject))}",
        "",
        f"- commit: `{found.subject}`",
    )
    for name, value in answer(app.registry, found):
        yield f"- {name}: {escaped(value)}" if name else f"  {escaped(value)}"
    yield from markdown_sections(tables(app.registry, found, most))

"""`lineage log`: the history, drawn or as data."""

from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lineage import shapes
from lineage.cli.command import (
    COUNT,
    App,
    Command,
    at_option,
    complete_revision,
    format_option,
    pass_app,
)
from lineage.cli.render import Column, Record, listing
from lineage.cli.text import moment
from lineage.errors import UsageError
from lineage.scope import filtered, scope
from lineage.search import Filters, bare_name
from lineage.wording import number

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lineage.graph import Row
    from lineage.registry import Registry
    from lineage.scope import Scope

_COLUMNS = (
    Column("id", lambda r: (r["id"][:12], "id")),
    Column("kind", lambda r: r["kind"]),
    Column("name", lambda r: r["name"]),
    Column("generation", lambda r: str(r["generation"]), right=True),
    Column("time", lambda r: moment(r["time"])),
    Column("author", lambda r: r["author"]),
    Column("message", lambda r: r["message"]),
    Column("metrics", lambda r: _metrics(r["metrics"])),
    Column("names", lambda r: ", ".join(r["branches"] + r["tags"])),
    Column("live", lambda r: ", ".join(r["live"])),
    Column("tainted", lambda r: "; ".join(t["reason"] for t in r["tainted"])),
)


@click.command(
    cls=Command,
    short_help="Show what came from what, newest first.",
    examples={
        "lineage log": "the branch that was moved last",
        "lineage log --all -n 20": "the newest 20 rows of every branch",
        "lineage log loop/tutor --full": "with every dataset, model and config",
        "lineage log --all --metric 'perplexity < 30'": "what was ever that good",
        "lineage log --metric perplexity loop/a loop/b": "how it went along two",
        "lineage log --metric loss --plot loss.html": "the same as a drawing",
        "lineage log loop/a..loop/b": "what b has and a has not",
        "lineage log 'descendants(dataset/seed) & kind(model)'": "exactly these; see "
        "docs/revisions.md",
        "lineage log --format jsonl | jq .id": "for programs",
    },
    exits=[5],
)
@click.argument("revisions", metavar="[REVSET]...", nargs=-1,
                shell_complete=complete_revision)  # fmt: skip
@click.option("-n", "limit", type=COUNT, metavar="N", help="At most N.")
@click.option("--all", "everything", is_flag=True,
              help="From every branch and tag, beside each REVSET.")  # fmt: skip
@click.option("--full", is_flag=True, help="Draw every commit as a row.")
@click.option("--graph/--no-graph", default=None, help="With or without the rails.")
@click.option("--kind", metavar="K", help="Only this kind: model, dataset…")
@click.option("--name", metavar="GLOB", help="Only names like this: 'tutor*'.")
@click.option("--metric", "metrics", multiple=True, metavar="M",
              help="Only 'perplexity < 30'. A name alone: its history.")  # fmt: skip
@click.option(
    "--param", "params", multiple=True, metavar="P", help="Only 'learning_rate=2e-3'."
)
@click.option("--author", metavar="TEXT", help="Only authors with this in their name.")
@click.option("--plot", "drawing", type=click.Path(path_type=Path), metavar="FILE",
              help="Draw the history of a metric into FILE.svg or .html.")  # fmt: skip
@click.option("--since", metavar="DATE", help="Only from this date on.")
@click.option("--until", metavar="DATE", help="Only up to this date.")
@at_option
@format_option("json", "jsonl", "csv", "md")
@pass_app
def log(
    app: App,
    /,
    *,
    revisions: tuple[str, ...],
    limit: int | None,
    format_: str,
    everything: bool,
    full: bool,
    graph: bool | None,
    kind: str | None,
    drawing: Path | None,
    **wanted: Any,
) -> None:
    """Show what came from what, newest first.

    Starts from HEAD (the branch that was moved last) or from each REVSET that names
    one commit; of one with operators, ranges or functions it shows exactly the set.
    Generations and models that stand alone are rows; their parts and inputs are
    named under them. In a set, but for ranges, each commit is a row. JSON, JSONL, CSV
    and Markdown list plain commits.

    With --metric NAME, without an operator, it shows the history of that metric along
    the branch of each REVSET: values, intervals, changes, gaps.
    """
    if name := _asked(drawing, full or graph is not None or kind, wanted):
        from lineage.cli import metric_history

        metric_history.show(
            app, name, revisions, everything=everything, limit=limit,
            format_=format_, drawing=drawing,
        )  # fmt: skip
        return
    filters = Filters(kind=kind, **wanted)
    if graph and filters:
        hint = "leave out --graph or the filter"
        raise UsageError("rails need every commit between two", hint=hint)
    registry = app.registry
    found = scope(registry, revisions, everything=everything)
    if format_ != "human":
        entries = filtered(registry, found, filters, limit)
        records = shapes.logged(registry, entries)
        listing(app.terminal, format_, "commits", records, _COLUMNS)
        return
    listed = bool(filters) or not found.is_history
    rows = _rows(registry, found, filters, limit, plain=full or listed)
    rails = not listed if graph is None else graph
    _draw(app, rows, rails=rails, cut=limit is not None or found.members is not None)


def _asked(drawing: Path | None, others: object, wanted: dict[str, Any]) -> str | None:
    """The metric whose history is asked for: a name and no condition."""
    names = [name for text in wanted["metrics"] if (name := bare_name(text))]
    if not names and drawing:
        hint = "name it: --metric perplexity --plot perplexity.svg"
        raise UsageError("--plot draws the history of a metric", hint=hint)
    if names and len(wanted["metrics"]) > 1:
        hint = f"leave the others out: --metric {names[0]}"
        raise UsageError("a history is of one metric at a time", hint=hint)
    if names and (others or len(list(filter(None, wanted.values()))) > 1):
        hint = "filters want conditions, such as --metric 'perplexity < 30'"
        raise UsageError("the history of a metric takes no filters", hint=hint)
    return names[0] if names else None


def _rows(
    registry: "Registry",
    found: "Scope",
    filters: Filters,
    limit: int | None,
    *,
    plain: bool,
) -> "Iterator[Row]":
    """The commits that stand on a line of their own: all of them where `plain`."""
    from lineage.graph import folded, unfolded

    if plain:
        return unfolded(filtered(registry, found, filters, limit))
    return islice(folded(filtered(registry, found, filters), registry), limit)


def _draw(app: App, rows: "Iterator[Row]", *, rails: bool, cut: bool) -> None:
    from lineage.cli.drawing import Drawing

    first = next(rows, None)
    if first is None:
        app.terminal.say("no such commit" if app.registry.ids else "nothing yet")
        return
    drawing, rows = Drawing(app.terminal, app.registry), chain([first], rows)
    app.terminal.page(drawing.rails(rows, cut=cut) if rails else drawing.plain(rows))


def _metrics(values: Record) -> str:
    return ", ".join(f"{name} {number(value)}" for name, value in values.items())

"""`lineage diff`: what changed between two commits."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from lineage.cli.command import (
    COUNT,
    App,
    Command,
    at_option,
    complete_revision,
    format_option,
    pass_app,
)
from lineage.cli.diff.files import FILES
from lineage.cli.diff.metrics import METRICS
from lineage.cli.diff.part import Part
from lineage.cli.diff.settings import CONFIG, PARAMS
from lineage.cli.names import decorations, short, title
from lineage.cli.render import (
    Record,
    Section,
    csv_lines,
    document,
    json_line,
    markdown_sections,
    sections,
)
from lineage.cli.text import ago
from lineage.errors import UsageError

if TYPE_CHECKING:
    from lineage.cli.terminal import Span
    from lineage.diff import Diff

PARTS = (METRICS, PARAMS, CONFIG, FILES)
_BY_NAME = {part.name: part for part in PARTS}
_DIFFERS = 1
_CSV = ("section", "path", "change", "a", "b", "delta", "better")


@click.command(
    cls=Command,
    short_help="Show what changed between two commits.",
    examples={
        "lineage diff": "HEAD with the commit before it",
        "lineage diff loop/replace loop/accumulate": "two branches",
        "lineage diff model/tutor~3 model/tutor --only metrics": "only the numbers",
    },
    exits={0: "done", 1: "differs, with --exit-code", 2: "bad option", 5: "not found"},
)
@click.argument(
    "first", metavar="[A]", default="HEAD", shell_complete=complete_revision
)
@click.argument("second", metavar="[B]", required=False,
                shell_complete=complete_revision)  # fmt: skip
@click.option("--only", metavar="S", help=f"Some of {','.join(_BY_NAME)}.")
@click.option("--limit", type=COUNT, metavar="N", help="At most N rows per table.")
@click.option("--exit-code", is_flag=True, help="Exit 1 when something differs.")
@at_option
@format_option("json", "jsonl", "csv", "md")
@pass_app
def diff(
    app: App,
    /,
    *,
    first: str,
    second: str | None,
    only: str | None,
    limit: int | None,
    format_: str,
    exit_code: bool,
) -> int:
    """Show what changed from A, the old one, to B, the new one.

    With one revision: from the commit before it on its branch to the revision; with
    none: the same for HEAD. Two generations are compared part by part.
    """
    from lineage.diff import Options, before
    from lineage.diff import diff as compare

    chosen = _chosen(only)
    registry = app.registry
    old, new = (first, second) if second else (before(registry, first), first)
    with app.terminal.progress("comparing") as progress:
        found = compare(
            registry,
            old,
            new,
            [part.name for part in chosen],
            options=Options(progress=progress),
        )
    if format_ == "json":
        app.terminal.write([document(_data(found, chosen))])
    elif format_ == "jsonl":
        app.terminal.write([json_line(_data(found, chosen))])
    elif format_ == "csv":
        app.terminal.write(csv_lines(list(_rows(found, chosen))))
    elif format_ == "md":
        app.terminal.write(_markdown(app, found, chosen, limit))
    else:
        app.terminal.page(_human(app, found, chosen, limit))
    _explain(app, found, chosen)
    differs = bool(found) or (chosen == PARTS and bool(found.beyond))
    return _DIFFERS if exit_code and differs else 0


def _chosen(only: str | None) -> tuple[Part, ...]:
    if only is None:
        return PARTS
    for name in only.split(","):
        if name not in _BY_NAME:
            hint = "some of " + ",".join(_BY_NAME)
            raise UsageError(f"{name!r} is no section of a diff", hint=hint)
    return tuple(_BY_NAME[name] for name in only.split(","))


def _explain(app: App, found: "Diff", chosen: tuple[Part, ...]) -> None:
    """Say what cannot be seen in the tables."""
    for note in found.notes:
        app.terminal.say(("note:", "hint"), f" {note}")
    if found.a == found.b:
        app.terminal.say("they are the same commit")
    elif not found:
        app.terminal.say(f"the same {_listed([part.name for part in chosen])}")
    if found.beyond:
        verb = "differs" if len(found.beyond) == 1 else "differ"
        also = (
            f"{_listed(found.beyond)} {verb}, too"
            if found
            else (f"{_listed(found.beyond)} {verb}")
        )
        app.terminal.say(("note:", "hint"), f" {also}; see `lineage show`")


def _listed(names: "Sequence[str]") -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _data(found: "Diff", chosen: tuple[Part, ...]) -> dict[str, Any]:
    data = {"a": found.a, "b": found.b}
    data |= {part.name: part.data(found) for part in chosen}
    return data | {"others": list(found.beyond)} if chosen == PARTS else data


def _rows(found: "Diff", chosen: tuple[Part, ...]) -> Iterator[Record]:
    """Everything that changed as one table."""
    for part in chosen:
        for row in part.rows(found):
            yield {name: {"section": part.name, **row}.get(name) for name in _CSV}


def _tables(
    found: "Diff", chosen: tuple[Part, ...], limit: int | None
) -> Iterator[Section]:
    for part in chosen:
        yield from part.tables(found, limit)


def _human(
    app: App, found: "Diff", chosen: tuple[Part, ...], limit: int | None
) -> Iterator[str]:
    for label, style, id_ in (("old", "bad", found.a), ("new", "good", found.b)):
        entry = app.registry.entry(id_)
        head: list[Span] = [
            (f"{label}  ", style),
            (f"{short(app.registry, id_)} ", "id"),
            *title(entry.commit, entry.generation),
            *decorations(app.registry, entry),
            (f", {ago(entry.time)}", "dim"),
        ]
        yield app.terminal.paint(head)
    yield from sections(app.terminal, _tables(found, chosen, limit))


def _markdown(
    app: App, found: "Diff", chosen: tuple[Part, ...], limit: int | None
) -> Iterator[str]:
    for label, id_ in (("old", found.a), ("new", found.b)):
        entry = app.registry.entry(id_)
        what = "".join(text for text, _ in title(entry.commit, entry.generation))
        yield f"- {label}: {what}, `{id_}`"
    yield from markdown_sections(_tables(found, chosen, limit))

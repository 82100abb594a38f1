"""`lineage diff`: what changed between two commits."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lineage.cli.command import (
    App,
    Command,
    at_option,
    complete_revision,
    format_option,
    limit_option,
    pass_app,
)
from lineage.cli.diff import summary
from lineage.cli.diff.files import FILES
from lineage.cli.diff.metrics import METRICS
from lineage.cli.diff.part import Part
from lineage.cli.diff.records import RECORDS
from lineage.cli.diff.settings import CONFIG, PARAMS
from lineage.cli.diff.tensors import TENSORS
from lineage.cli.diff.tokenizer import TOKENIZER
from lineage.cli.render import Record, write_as
from lineage.shapes.diff import diffed
from lineage.wording import listed

if TYPE_CHECKING:
    from lineage.diff import Diff, Options

PARTS = (METRICS, PARAMS, CONFIG, TOKENIZER, RECORDS, TENSORS, FILES)
_DIFFERS = 1
_CSV = ("section", "path", "change", "a", "b", "delta", "better", "verdict")


@click.command(
    cls=Command,
    short_help="Show what changed between two commits.",
    examples={
        "lineage diff": "HEAD with the commit before it",
        "lineage diff loop/replace loop/accumulate": "two branches",
        "lineage diff model/tutor~3 model/tutor --only metrics": "only the numbers",
    },
    exits={
        1: "something differs, with --exit-code",
        2: "a bad option",
        5: "no such revision or registry, or several",
    },
)
@click.argument(
    "first", metavar="[A]", default="HEAD", shell_complete=complete_revision
)
@click.argument("second", metavar="[B]", required=False,
                shell_complete=complete_revision)  # fmt: skip
@click.option("--only", metavar="S[,S…]",
              help=f"Some of {', '.join(part.name for part in PARTS)}.")  # fmt: skip
@limit_option
@click.option("--key", metavar="COLUMN[,COLUMN…]",
              help="What says which record is which.")  # fmt: skip
@click.option("--rank", is_flag=True, help="The rank of each change of a matrix, too.")
@click.option("--text", type=click.Path(path_type=Path, exists=True, dir_okay=False),
              metavar="FILE", help="Tokenise this text both ways.")  # fmt: skip
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
    limit: int,
    format_: str,
    exit_code: bool,
    **how: Any,
) -> int:
    """Show what changed from A, the old one, to B, the new one.

    With one revision: from the commit before it on its branch to the revision; with
    none: the same for HEAD. Two generations are compared part by part, after a
    summary of what matters. CSV and JSON Lines have one line per change.
    """
    from lineage.diff import before
    from lineage.diff import diff as compare

    chosen = _chosen(only)
    registry = app.registry
    old, new = (first, second) if second else (before(registry, first), first)
    names = [part.name for part in chosen]
    with app.terminal.progress("comparing") as progress:
        options = _options(progress=progress, **how)
        found = compare(registry, old, new, names, options=options)
    _write(app, found, chosen, format_, limit)
    _explain(app, found, chosen)
    differs = bool(found) or (chosen == PARTS and bool(found.beyond))
    return _DIFFERS if exit_code and differs else 0


def _options(key: str | None, **how: Any) -> "Options":
    from lineage.diff import Options

    return Options(key=tuple(key.split(",")) if key else (), **how)


def _chosen(only: str | None) -> tuple[Part, ...]:
    from lineage.diff import sections

    names = sections(only)
    return tuple(part for part in PARTS if part.name in names)


def _write(
    app: App, found: "Diff", chosen: tuple[Part, ...], format_: str, limit: int
) -> None:
    write_as(
        app.terminal,
        format_,
        data=lambda: diffed(found, [part.name for part in chosen]),
        lines=lambda: _rows(found, chosen),
        markdown=lambda: summary.markdown(app, found, chosen, limit),
        human=lambda: summary.human(app, found, chosen, limit),
        header=_CSV,
    )


def _explain(app: App, found: "Diff", chosen: tuple[Part, ...]) -> None:
    """Say what cannot be seen in the tables."""
    for note in found.notes:
        app.terminal.note(note)
    if found.a == found.b:
        app.terminal.say("they are the same commit")
    elif not found:
        names = listed([part.name for part in chosen])
        nothing = f"no difference was found in {names}"
        app.terminal.say(nothing if found.notes else f"the same {names}")
    for name, label in found.alike if found else ():
        what = f"the {name} of {label}" if label else f"the {name}"
        app.terminal.note(f"{what} are the same, in other files")
    if found.beyond:
        several = len(found.beyond) > 1 or found.beyond[0].endswith("s")
        verb = "differ" if several else "differs"
        also = ", too" if found else ""
        said = f"{listed(found.beyond)} {verb}{also}; see `lineage show`"
        app.terminal.note(said)


def _rows(found: "Diff", chosen: tuple[Part, ...]) -> Iterator[Record]:
    """Everything that changed as one table."""
    for part in chosen:
        for row in part.rows(found):
            yield {name: {"section": part.name, **row}.get(name) for name in _CSV}

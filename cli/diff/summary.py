"""What people see of a diff: the two commits, a summary of one screen, the tables."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from lineage.cli.command import App
from lineage.cli.diff.part import Part
from lineage.cli.names import called, heading
from lineage.cli.render import (
    Column,
    Record,
    Section,
    escaped,
    markdown_sections,
    sections,
)
from lineage.cli.tainted import sentence
from lineage.cli.text import ago, one_line
from lineage.wording import percent

if TYPE_CHECKING:
    from lineage.cli.terminal import Span
    from lineage.diff import Diff
    from lineage.diff.origins import Origins

_SCREEN = 24  # lines
_MOST = 3  # lines of the summary for one section
_ORIGINS = {"machine-written": "machine", "human": "human", "unknown": "unknown"}
_COLUMNS = (
    Column("", lambda r: (r["section"], "dim")),
    Column("", lambda r: r["line"], flexible=True),
)


def human(app: App, found: "Diff", parts: Sequence[Part], most: int) -> Iterator[str]:
    """A diff for the terminal."""
    from lineage.taints.marks import marks

    known = marks(app.registry)
    for label, style, id_ in (("old", "bad", found.a), ("new", "good", found.b)):
        entry = app.registry.entry(id_)
        head: list[Span] = [
            (f"{label}  ", style),
            *heading(app.registry, entry),
            (f", {ago(entry.time)}", "dim"),
        ]
        yield app.terminal.paint(head)
        if tainted := known.of(id_):
            yield app.terminal.paint([("     ", ""), *sentence(app.registry, tainted)])
    for label, alone in _alone(found):
        yield app.terminal.paint([(f"only in the {label} one: ", "dim"), (alone, "")])
    yield from sections(app.terminal, _shown(found, parts, most))


def markdown(
    app: App, found: "Diff", parts: Sequence[Part], most: int
) -> Iterator[str]:
    """A diff in Markdown."""
    from lineage.taints.marks import marks

    known = marks(app.registry)
    for label, id_ in (("old", found.a), ("new", found.b)):
        yield f"- {label}: {escaped(called(app.registry, id_))}, `{id_}`"
        if tainted := known.of(id_):
            words = "".join(text for text, _ in sentence(app.registry, tainted))
            yield f"  {escaped(words)}"
    for label, alone in _alone(found):
        yield f"- only in the {label} one: {escaped(alone)}"
    yield from markdown_sections(_shown(found, parts, most))


def _alone(found: "Diff") -> Iterator[tuple[str, str]]:
    """The parts that only one side has."""
    for label, side in (("old", "a"), ("new", "b")):
        if names := found.only_in(side):
            yield label, one_line(", ".join(names))


def _shown(found: "Diff", parts: Sequence[Part], most: int) -> list[Section]:
    """The tables; first a summary, of generations and where they fill the screen."""
    tables = [table for part in parts for table in part.tables(found, most)]
    rows = sum(len(table.records) + table.more for table in tables)
    records = [*_lines(found, parts)]
    long = rows > _SCREEN and len(records) > 1
    if records and len(parts) > 1 and (long or found.of_generations):
        tables.insert(0, Section("summary", records, _COLUMNS))
    return tables


def _origins(found: "Origins") -> str:
    """How much was human and machine-written, and is now."""
    shares = {
        word: (getattr(found.a, name), getattr(found.b, name))
        for word, name in _ORIGINS.items()
    }
    return ", ".join(
        f"{word} {percent(a)} → {percent(b)}"
        for word, (a, b) in shares.items()
        if a or b
    )


def _lines(found: "Diff", parts: Sequence[Part]) -> Iterator[Record]:
    """What it was trained on; a few lines for each section with something to say."""
    if found.origins and found.origins.differ:
        yield {"section": "made of", "line": _origins(found.origins)}
    for part in parts:
        lines = [line for line in part.line(found).split("\n") if line]
        if len(lines) > _MOST:
            lines[_MOST - 1 :] = [f"… and {len(lines) - _MOST + 1} more parts"]
        for index, line in enumerate(lines):
            yield {"section": "" if index else part.name, "line": line}

"""Rendering: one table, one JSON, one CSV and one Markdown for every command.

A command makes records, plain JSON data of a documented shape. JSON, JSONL and CSV
print the records as they are; people and Markdown see them through columns.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from lineage.cli.terminal import Span, Terminal
from lineage.cli.text import as_json, cut, cut_front, one_line, width
from lineage.shapes import versioned

_GAP = 2  # blanks between two columns
_NARROW = 8  # columns; nothing is cut below that
# Where text begins that a spreadsheet would work out. One ' is put before it, and
# before those that stand there already, so that taking one away gives the text.
_FORMULA = re.compile(r"^(?='*[=+@\t\r-])")
# What Markdown takes for more than text: marks, tables, HTML, links and entities.
_MARKS = re.compile(r"[\\|<>`*_]|\](?=[(\[])|&(?=#?\w+;)")

Record = Mapping[str, Any]


class Column(NamedTuple):
    """One column of a table: what a person sees of a record.

    A `flexible` column is cut where the terminal is too narrow, a `path` at its front.
    A sentence stands `below` its row, on as many lines as it takes.
    """

    title: str
    show: Callable[[Record], str | Span]
    right: bool = False
    flexible: bool = False
    below: bool = False
    path: bool = False


class Section(NamedTuple):
    """A titled table; `more` are rows that are left out of it."""

    title: str
    records: Sequence[Record]
    columns: Sequence[Column]
    more: int = 0


def first_rows(
    title: str, records: Sequence[Record], columns: Sequence[Column], most: int
) -> Section:
    """A titled table of the first records, at most so many; it counts the others."""
    shown = records[:most]
    return Section(title, shown, columns, len(records) - len(shown))


def listing(
    terminal: Terminal,
    format_: str,
    name: str,
    records: Iterable[Record],
    columns: Sequence[Column],
) -> None:
    """Print records in any format; `name` is their key in the JSON document."""
    if format_ == "human":
        terminal.page(table(terminal, list(records), columns))
    elif format_ == "md":
        terminal.write(markdown(list(records), columns))
    elif format_ == "csv":
        terminal.write(csv_lines(list(records)))
    elif format_ == "jsonl":
        terminal.write(json_line(record) for record in records)
    else:
        terminal.write([document({name: list(records)})])


def write_as(
    terminal: Terminal,
    format_: str,
    *,
    data: Callable[[], Record],
    lines: Callable[[], Iterable[Record]],
    markdown: Callable[[], Iterable[str]],
    human: Callable[[], Iterable[str]],
    rows: Callable[[], Iterable[Record]] | None = None,
    header: Sequence[str] = (),
) -> None:
    """Print what has a shape of its own in the format that is asked for.

    `data` is the JSON document, `lines` are those of JSONL, `rows` those of CSV, if
    they are others, below `header`. Only what is asked for is made.
    """
    if format_ == "json":
        terminal.write([document(data())])
    elif format_ == "jsonl":
        terminal.write(map(json_line, lines()))
    elif format_ == "csv":
        terminal.write(csv_lines(list((rows or lines)()), header))
    elif format_ == "md":
        terminal.write(markdown())
    else:
        terminal.page(human())


def document(data: Record) -> str:
    """One JSON document over several lines."""
    return as_json(versioned(data), indent=2)


def json_line(data: Record) -> str:
    """One JSON document on one line."""
    return as_json(versioned(data))


def csv_lines(records: Sequence[Record], header: Sequence[str] = ()) -> Iterator[str]:
    """A header and a line per record; objects become columns ``a.b``, lists JSON.

    Text that a spreadsheet would take for a formula has a ' before it. `header` names
    columns that are there without records, too.
    """
    import csv
    import io

    rows = [dict(_flat(record)) for record in records]
    header = list(dict.fromkeys((*header, *(key for row in rows for key in row))))
    lines: list[list[object]] = [[*header]]
    lines += ([row.get(key) for key in header] for row in rows)
    for values in lines:
        out = io.StringIO()  # quotes what is in its line terminator
        csv.writer(out, lineterminator="\r\n").writerow(values)
        if header:
            yield out.getvalue().removesuffix("\r\n")


def _flat(record: Record, prefix: str = "") -> Iterator[tuple[str, object]]:
    for key, value in record.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        elif isinstance(value, list | bool):
            yield prefix + key, as_json(value)
        elif isinstance(value, str):
            yield prefix + key, _FORMULA.sub("'", value)
        else:
            yield prefix + key, value


def sections(terminal: Terminal, shown: Iterable[Section]) -> Iterator[str]:
    """Titled tables for people, a blank line before each."""
    for section in shown:
        yield ""
        yield terminal.paint([(section.title, "title")])
        yield from table(terminal, section.records, section.columns, indent=2)
        if section.more:
            yield terminal.paint([(f"  … {_left_out(section)}", "dim")])


def _left_out(section: Section) -> str:
    """How many rows are left out, and which option shows them."""
    shown = len(section.records)
    return f"{section.more:,} more; --limit {shown + section.more} shows them"


def facts(
    terminal: Terminal,
    named: Iterable[tuple[str, str]],
    styles: Mapping[str, str] | None = None,
) -> Iterator[str]:
    """Names with a value each, one below the other; some values have a style."""
    told = list(named)
    margin = max((len(name) for name, _ in told), default=0) + _GAP
    for name, value in told:
        style = (styles or {}).get(name, "")
        yield terminal.paint([(name.ljust(margin), "dim"), (one_line(value), style)])


def markdown_sections(shown: Iterable[Section]) -> Iterator[str]:
    """Titled tables in Markdown."""
    for section in shown:
        yield from ("", f"## {section.title}", "")
        yield from markdown(section.records, section.columns)
        if section.more:
            yield from ("", f"… {_left_out(section)}")


def table(
    terminal: Terminal,
    records: Sequence[Record],
    columns: Sequence[Column],
    *,
    indent: int = 0,
) -> Iterator[str]:
    """A table for people: aligned, and cut to the terminal's width."""
    if not records:
        return
    sentences = [column for column in columns if column.below]
    columns = [column for column in columns if not column.below]
    rows = [[_cell(column, record) for column in columns] for record in records]
    head: list[Span] = [(column.title, "dim") for column in columns]
    titled = any(column.title for column in columns)
    whole = [head, *rows] if titled else rows
    widths = [max(width(row[i][0]) for row in whole) for i in range(len(columns))]
    if terminal.limit:
        _squeeze(widths, columns, terminal.limit - indent)
    for number, row in enumerate(whole, start=-1 if titled else 0):
        spans: list[Span] = [(" " * indent, "")]
        for column, size, (text, style) in zip(columns, widths, row, strict=True):
            cell = (cut_front if column.path else cut)(text, size)
            blank = " " * (size - width(cell))
            parts = [(blank, ""), (cell, style)]
            spans += [*(parts if column.right else reversed(parts)), (" " * _GAP, "")]
        yield terminal.paint(_stripped(spans))
        for column in sentences if number >= 0 else ():
            text = _cell(column, records[number])[0]
            yield from _wrapped(terminal, text, indent + _GAP)


def _wrapped(terminal: Terminal, text: str, indent: int) -> list[str]:
    """A sentence on as many lines as it takes; on one where nobody looks."""
    import textwrap

    if not terminal.limit:
        return [" " * indent + text] if text else []
    blank = " " * indent
    return textwrap.wrap(
        text,
        max(terminal.limit, indent + _NARROW),
        initial_indent=blank,
        subsequent_indent=blank,
        break_on_hyphens=False,
    )


def _squeeze(widths: list[int], columns: Sequence[Column], limit: int) -> None:
    """Take what is too much from the widest flexible column, as long as there is."""
    flexible = [i for i, column in enumerate(columns) if column.flexible]
    while flexible and sum(widths) + _GAP * (len(widths) - 1) > limit:
        widest = max(flexible, key=lambda i: widths[i])
        if widths[widest] <= _NARROW:
            return
        widths[widest] -= 1


def _stripped(spans: list[Span]) -> list[Span]:
    """`spans` without the blanks at the end of the line."""
    while spans and not spans[-1][0].strip():
        spans.pop()
    return spans


def _cell(column: Column, record: Record) -> Span:
    shown = column.show(record)
    text, style = (shown, "") if isinstance(shown, str) else shown
    return one_line(text), style


def markdown(records: Sequence[Record], columns: Sequence[Column]) -> Iterator[str]:
    """A Markdown table; pipes and angle brackets in cells are escaped."""
    rule = ("---:" if column.right else "---" for column in columns)
    yield _bar(column.title for column in columns)
    yield _bar(rule)
    for record in records:
        yield _bar(escaped(_cell(column, record)[0]) for column in columns)


def _bar(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def escaped(text: str) -> str:
    """Text that Markdown shows as it is."""
    return _MARKS.sub(lambda found: f"\\{found[0]}", text)

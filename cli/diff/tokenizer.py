"""The tokenizers of a diff: tokens, merges, special tokens, settings, templates."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from lineage.cli.diff.part import BY_PATH, Part, changed
from lineage.cli.render import Column, Record, Section, first_rows
from lineage.cli.terminal import Span
from lineage.shapes.diff.tokenizer import TABLES, by_path, tokenizer
from lineage.wording import number, percent, plural

if TYPE_CHECKING:
    from lineage.diff import Diff
    from lineage.diff.tokenizer import TokenizerChanges
    from lineage.diff.tokenizer.retokenised import Retokenised
    from lineage.diff.tokenizer.tables import Entry, Table

_WORDS = {"renumbered": "re-numbered", "rescored": "re-scored", "moved": "moved"}
_UNITS = {"vocabulary": "tokens", "scores": "scores", "merges": "merges"}


def _rows(found: "Diff") -> Iterator[Record]:
    for item in found.tokenizer:
        where = _where(item)
        for name, moved in TABLES.items():
            for sort, entry in _entries(getattr(item, name)):
                what = moved if sort == "moved" else sort
                path = f"{where}{name}:{entry.token}"
                yield {"path": path, "change": what, "a": entry.a, "b": entry.b}
        for name in ("special", "settings"):
            for record in by_path(getattr(item, name)):
                yield changed({**record, "path": f"{where}{name}:{record['path']}"})
        for template in item.templates:
            path = f"{where}chat_template:{template.name}"
            yield {"path": path, "change": _sort(a=template.a, b=template.b)}


def _where(item: "TokenizerChanges") -> str:
    return "".join(f"{part}/" for part in (item.label, item.folder) if part)


def _entries(table: "Table") -> Iterator[tuple[str, "Entry"]]:
    for sort in ("added", "removed", "moved"):
        yield from ((sort, entry) for entry in getattr(table, sort))


def _sort(*, a: object, b: object) -> str:
    return "changed" if a and b else "added" if b else "removed"


def _tables(found: "Diff", most: int) -> Iterator[Section]:
    for item in found.tokenizer:
        title = " ".join(("tokenizer", _where(item).rstrip("/"))).rstrip()
        yield Section(title, list(_summary(item)), _SUMMARY)
        for name in TABLES:
            if rows := list(_drawn(name, getattr(item, name))):
                yield first_rows(f"{title}: {name}", rows, _ENTRIES, most)
        for name in ("special", "settings"):
            if records := by_path(getattr(item, name)):
                yield first_rows(f"{title}: {name}", records, BY_PATH, most)
        for template in item.templates:
            lines = [{"line": line} for line in template.lines]
            yield first_rows(f"{title}: chat template", lines, _PATCH, most)


def _summary(item: "TokenizerChanges") -> Iterator[Record]:
    """A row per thing that differs, with its size on both sides."""
    for name in TABLES:
        table: Table = getattr(item, name)
        if table:
            sides = {"a": number(table.a), "b": number(table.b)}
            yield {"what": name, **sides, "how": _counts(name, table)}
    for name, changes in (
        ("special tokens", item.special),
        ("settings", item.settings),
    ):
        if changes:
            yield {"what": name, "how": f"{len(changes):,} changed"}
    for template in item.templates:
        name = "chat template" + (
            "" if template.name == "default" else f" {template.name}"
        )
        yield {"what": name, "how": _sort(a=template.a, b=template.b)}
    if item.text:
        yield from _measured(item.text)


def _counts(name: str, table: "Table") -> str:
    moved = _WORDS[TABLES[name]]
    counts = {"added": table.added, "removed": table.removed, moved: table.moved}
    return ", ".join(f"{len(c):,} {word}" for word, c in counts.items() if c)


def _measured(text: "Retokenised") -> Iterator[Record]:
    """What it does to a text: how long it is in tokens, and how much is cut anew."""
    length = (number(tokens / max(text.characters, 1)) for tokens in (text.a, text.b))
    sides = dict(zip("ab", length, strict=True))
    beginning = "" if text.whole else "the beginning of "
    yield {
        "what": "tokens per character",
        **sides,
        "how": f"of {beginning}{text.source}",
    }
    records, tokens = (
        f"{percent(part / max(whole, 1))} of {plural(whole, what)}"
        for part, whole, what in (
            (text.different, text.records, "record"),
            (text.fresh, text.b, "token"),
        )
    )
    yield {"what": "cut differently", "how": f"{records}, {tokens}"}


def _drawn(name: str, table: "Table") -> Iterator[Record]:
    """The entries, those that moved by as much together as one row."""
    for entry in (*table.added, *table.removed):
        yield {"first": entry, "last": entry}
    run: list[Entry] = []
    for entry in table.moved:
        if run and not (name == "vocabulary" and _together(run[-1], entry)):
            yield {"first": run[0], "last": run[-1]}
            run = []
        run[1:] = [entry]
    if run:
        yield {"first": run[0], "last": run[-1]}


def _together(one: "Entry", other: "Entry") -> bool:
    """Whether two re-numbered tokens stand side by side before and after."""
    steps = (one.a, other.a), (one.b, other.b)
    return all(s is not None and t is not None and t - s == 1 for s, t in steps)


def _mark(record: Record) -> Span:
    entry = record["first"]
    if entry.a is None:
        return "+", "good"
    return ("-", "bad") if entry.b is None else ("~", "")


def _token(record: Record) -> str:
    first, last = record["first"], record["last"]
    ends = [repr(entry.token)[1:-1] for entry in (first, last)]
    return ends[0] if first is last else f"{ends[0]} … {ends[1]}"


def _number(side: str, record: Record) -> str:
    ends = [getattr(record[end], side) for end in ("first", "last")]
    shown = [number(n) for n in ends if n is not None]
    return "-".join(dict.fromkeys(shown))


def _line(found: "Diff") -> str:
    """What differs, in a few words; a line per tokenizer."""
    return "\n".join(map(_said, found.tokenizer))


def _said(item: "TokenizerChanges") -> str:
    words = [f"{unit} {_signed(getattr(item, name))}" for name, unit in _UNITS.items()
             if getattr(item, name)]  # fmt: skip
    if others := len(item.special) + len(item.settings):
        words.append(plural(others, "setting"))
    words += ["chat template"] if item.templates else []
    if item.text:
        share = percent(item.text.different / max(item.text.records, 1))
        words.append(f"{share} of {item.text.source} cut differently")
    where = _where(item).rstrip("/")
    return (f"{where}: " if where else "") + ", ".join(words)


def _signed(table: "Table") -> str:
    """How many entries came, went and moved: +2 -1 ~3."""
    sorts = ("+", table.added), ("-", table.removed), ("~", table.moved)
    return " ".join(f"{mark}{len(entries):,}" for mark, entries in sorts if entries)


def _patched(record: Record) -> Span:
    line = record["line"]
    return line, {"+": "good", "-": "bad", "@": "dim"}.get(line[:1], "")


_SUMMARY = (
    Column("", lambda r: r["what"]),
    Column("old", lambda r: r.get("a", ""), right=True),
    Column("new", lambda r: r.get("b", ""), right=True),
    Column("", lambda r: r["how"], flexible=True),
)
_ENTRIES = (
    Column("", _mark),
    Column("token", _token, flexible=True),
    Column("old", lambda r: _number("a", r), right=True),
    Column("new", lambda r: _number("b", r), right=True),
)
_PATCH = (Column("", _patched, flexible=True),)

TOKENIZER = Part("tokenizer", tokenizer, _rows, _tables, _line)

"""`lineage show`: one commit with everything that is known of it."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from lineage.cli.command import (
    App,
    Command,
    at_option,
    complete_revision,
    format_option,
    pass_app,
)
from lineage.cli.names import decorations, graded, short, title
from lineage.cli.render import (
    Column,
    Record,
    Section,
    escaped,
    facts,
    markdown_sections,
    sections,
    write_as,
)
from lineage.cli.said import sections as said
from lineage.cli.tainted import why
from lineage.cli.terminal import Span
from lineage.cli.text import ago, inline, interval, moment, one_line
from lineage.shapes.show import everything
from lineage.wording import against, is_number, number, percent, plural, size

if TYPE_CHECKING:
    from lineage.history import Entry
    from lineage.registry import Registry

_FILES = 20  # shown to people; JSON has all


@click.command(
    cls=Command,
    short_help="Show one commit and what was said about it.",
    examples={
        "lineage show": "the newest commit of HEAD",
        "lineage show loop/tutor~2": "two generations before the newest",
        "lineage show 'loop/tutor^includes(model)'": "the model in it",
    },
    exits=[5],
)
@click.argument(
    "revision", metavar="[REV]", default="HEAD", shell_complete=complete_revision
)
@at_option
@format_option("json", "jsonl", "csv", "md")
@pass_app
def show(app: App, revision: str, format_: str) -> None:
    """Show the commit REV (by default HEAD) and what was said about it later."""
    entry = app.registry.entry(revision)
    data = everything(app.registry, entry)
    write_as(
        app.terminal,
        format_,
        data=lambda: data,
        lines=lambda: [data],
        markdown=lambda: _markdown(app, data),
        human=lambda: _human(app, entry, data),
    )


def _human(app: App, entry: "Entry", data: dict[str, Any]) -> Iterator[str]:
    terminal, registry = app.terminal, app.registry
    head: list[Span] = [
        *title(entry.commit, entry.generation),
        *decorations(registry, entry),
    ]
    yield terminal.paint(head)
    yield from facts(terminal, _facts(data), {"id": "id", "tainted": "bad"})
    if data["message"]:
        yield ""
        for line in data["message"].splitlines():
            yield f"    {one_line(line)}".rstrip()
    yield from sections(terminal, _sections(registry, data))
    hidden = len(data["files"]) - _FILES
    if hidden > 0:
        yield f"  … and {hidden:,} more: `lineage show --format json` lists them"


def _markdown(app: App, data: dict[str, Any]) -> Iterator[str]:
    yield f"# {data['kind']} {escaped(one_line(data['name']))}"
    told = ((name, escaped(one_line(value))) for name, value in _facts(data))
    yield from ("", *(f"- {name}: {value}" for name, value in told))
    if data["message"]:
        lines = data["message"].splitlines()
        yield from ("", *(f"> {escaped(one_line(line))}" for line in lines))
    yield from markdown_sections(_sections(app.registry, data))


def _facts(data: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What fits on a line each."""
    for taint in data["tainted"]:
        yield "tainted", why(data["id"], taint)
    yield "id", data["id"]
    yield "git", data["git"]
    yield "recorded", f"{moment(data['time'])} ({ago(data['time'])})"
    yield "by", data["author"]
    payload = data["payload"]
    if payload:
        count = plural(payload["count"], "file")
        yield "payload", f"{count}, {size(payload['size'])}{_whereabouts(payload)}"
    if data["path"]:
        yield "from", data["path"]
    for name, telling in (("external", "uri"), ("origin", "type"), ("code", "")):
        if data[name]:
            yield name, _described(data[name], telling)


def _whereabouts(payload: Record) -> str:
    """What there is to say of where the files are."""
    if not payload["stored"]:
        return ", hashed in place and not stored"
    share = percent(payload["packed_share"] or 0)
    return "".join(
        f", {what}"
        if payload[key] == payload["count"]
        else f", {payload[key]:,} {what}"
        for key, what in (
            ("erased", "erased"),
            ("absent", "not here"),
            ("packed", f"packed, {share} of whole"),
        )
        if payload[key]
    )


def _described(fields: Record, telling: str) -> str:
    """The fields on one line, the telling one first and without its name."""
    rest = (f"{k} {inline(v)}" for k, v in fields.items() if k != telling)
    first = [inline(fields[telling])] if telling in fields else []
    return ", ".join([*first, *rest])


def _sections(registry: "Registry", data: dict[str, Any]) -> Iterator[Section]:
    """The tables that have something in them."""
    edges = [{**e, "short": short(registry, e["id"])} for e in data["edges"]]
    metrics = _named(data["metrics"])
    tables: dict[str, tuple[Sequence[Record], tuple[Column, ...]]] = {
        "edges": (edges, _EDGES),
        "metrics": (
            metrics,
            _METRICS + (_ATTESTED,) * any(m["event"] for m in metrics),
        ),
        "params": ([{"name": k, "value": v} for k, v in _settings(data)], _PARAMS),
        "gates": (data["gates"] or [], GATES),
        "files": (data["files"][:_FILES], _FILE_LIST),
    }
    found = [Section(name, *table) for name, table in tables.items()]
    files = found.pop()
    yield from (one for one in (*found, *said(data), files) if one.records)


def _named(found: Record) -> list[Record]:
    return [{"name": name, **fields} for name, fields in found.items()]


def _settings(data: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    yield from data["params"].items()
    yield from data["extra"].items()


def _shared(record: Record) -> str:
    """The share of the records that came along an edge, as counts and in percent."""
    pairs = record["share"] or {}
    part, whole = pairs.get("records") or next(iter(pairs.values()), (0, 0))
    return f"{part:,} of {whole:,}, {percent(part / whole)}" if whole else ""


def _definition(record: Record) -> str:
    """What is measured, unless the name says it; and which version of that."""
    named = record["definition"] in (None, record["name"])
    version = f"v{record['version']}" if record["version"] is not None else ""
    return version if named else f"{record['definition']} {version}".rstrip()


def _attested(record: Record) -> Span:
    """The event that said it later; nothing where the commit itself does."""
    return (record["event"] or "")[:8], "id"


def _count(record: Record) -> str:
    return number(record["n"]) if record["n"] is not None else ""


def _gate_value(record: Record) -> str:
    value = record.get("value", "")
    return against(value, record)[0] if is_number(value) else inline(value)


def _in_words(record: Record) -> str:
    """What a gate says of its verdict or, when it says nothing, what it allows."""
    from lineage.audit.words import bounds

    return str(record.get("sentence") or bounds(record))


def verdict(record: Record) -> Span:
    """What a gate said."""
    word = str(record.get("verdict", ""))
    return word, {"pass": "good", "fail": "bad"}.get(word, "")


_EDGES = (
    Column("role", lambda r: r["role"]),
    Column("commit", lambda r: (r["short"], "id")),
    Column("what", lambda r: f"{r['kind']} {r['name']}", flexible=True),
    Column("share", _shared, right=True),
    Column("evidence", lambda r: graded(r["grade"])),
)
_METRICS = (
    Column("name", lambda r: r["name"], flexible=True),
    Column("value", lambda r: number(r["value"]), right=True),
    Column("interval", lambda r: interval(r["interval"])),
    Column("n", _count, right=True),
    Column("better", lambda r: r["direction"] or ""),
    Column("definition", _definition, flexible=True),
)
_ATTESTED = Column("attested", _attested)
_PARAMS = (
    Column("name", lambda r: r["name"], flexible=True),
    Column("value", lambda r: inline(r["value"]), flexible=True),
)
GATES = (
    Column("gate", lambda r: str(r.get("id", ""))),
    Column("verdict", verdict),
    Column("value", _gate_value, right=True),
    Column("if not", lambda r: str(r.get("action", ""))),
    Column("in words", _in_words, below=True),
)
_FILE_LIST = (
    Column("path", lambda r: r["path"], flexible=True),
    Column("size", lambda r: size(r["size"]), right=True),
    Column("sha256", lambda r: (r["sha256"] or "empty folder")[:12]),
)

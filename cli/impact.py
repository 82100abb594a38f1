"""`lineage impact`: what a commit reached, and with what dose."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import click

from lineage.cli.command import (
    COUNT,
    ROWS,
    App,
    Command,
    at_option,
    complete_revision,
    format_option,
    pass_app,
)
from lineage.cli.names import called, copied, short
from lineage.cli.plan import show_plan
from lineage.cli.render import (
    Column,
    Record,
    Section,
    escaped,
    markdown_sections,
    sections,
    write_as,
)
from lineage.cli.terminal import Span
from lineage.cli.text import one_line
from lineage.graph import KIND_ORDER
from lineage.shapes.impact import reached
from lineage.wording import between, plural

if TYPE_CHECKING:
    from lineage.descent.impact import Impact
    from lineage.registry import Registry

_SHAPED = "0 % and no weights: reached as config, judge, prompts or part, not by data"
_SHARES = (
    "shares make numbers of them: --derived-from REV,share=N/M, or `shares` of a step"
)
_FEW = 3  # commits from which on doses are ranges
_CSV = (
    *("id", "git", "kind", "name", "branches", "tags", "generation"),
    *("records_low", "records_high", "written_low", "written_high"),
    *("of", "weights", "turns", "measured_only", "reason", "time", "author"),
)


@click.command(
    cls=Command,
    short_help="Show what a commit reached, and with what dose.",
    examples={
        "lineage impact dataset/seed": "everything that came of it",
        "lineage impact dataset/seed --plan": "what to make again; it makes nothing",
        "lineage impact 3fa9 --format csv > recall.csv": "the recall list, as a table",
        "lineage impact 3fa9 --at 2026-11-01": "what it had reached by then",
    },
    exits=[5],
)
@click.argument("revision", metavar="REV", shell_complete=complete_revision)
@click.option("--plan", is_flag=True, help="What to make again, in order.")
@click.option(
    "--unit",
    type=click.Choice(["records", "tokens"]),
    default="records",
    show_default=True,
    help="What shares are counted in.",
)
@click.option("--limit", type=COUNT, metavar="N",
              help=f"At most N rows per table; {ROWS} for people.")  # fmt: skip
@at_option
@format_option("json", "jsonl", "csv", "md")
@pass_app
def impact(
    app: App,
    /,
    *,
    revision: str,
    plan: bool,
    unit: str,
    limit: int | None,
    format_: str,
) -> None:
    """Show everything that came of REV: models, datasets and generations.

    For each: the share of its training records that are REV's own, the share that was
    written by models which REV had reached, whether it inherited their weights, and
    after how many turns. Where a share was not recorded a dose is the lowest and the
    highest that it can be. docs/impact.md has the definitions.
    """
    from lineage.descent.impact import impact as find

    registry = app.registry
    id_ = registry.resolve(revision)
    if limit is None and format_ == "human":
        limit = ROWS
    if plan:
        show_plan(app, id_, limit, format_)
        return
    found = find(registry, id_, unit=unit, limit=limit)
    data = reached(registry, found, limit)
    write_as(
        app.terminal,
        format_,
        data=lambda: data,
        lines=lambda: _list(data),
        rows=lambda: map(_row, _list(data)),
        markdown=lambda: _markdown(registry, found, data),
        human=lambda: _human(app, found, data),
        header=_CSV,
    )


def _list(data: dict[str, Any]) -> list[Record]:
    """The recall list: what it reached and, behind that, what was measured on it."""
    return [*data["reached"], *data["measured"]]


def _row(record: Record) -> Record:
    """A line of the recall list as a line of a table."""
    dose = record["dose"] or {}
    row = {**record, **dose, "measured_only": not dose}
    for name in ("records", "written"):
        share = dose.get(name) or {}
        row |= {f"{name}_{end}": share.get(end) for end in ("low", "high")}
    return {name: row.get(name) for name in _CSV}


def _human(app: App, found: "Impact", data: dict[str, Any]) -> Iterator[str]:
    registry = app.registry
    what = called(registry, found.source)
    first, *rest = _said(found)
    yield app.terminal.paint(
        [(short(registry, found.source), "id"), (f" {what} ", "title"), (first, "")]
    )
    yield from rest
    if data["source"]["tainted"]:
        yield app.terminal.paint(_tainted(data))
    yield from sections(app.terminal, _sections(registry, found, data))
    yield from _notes(registry, found, data)


def _markdown(
    registry: "Registry", found: "Impact", data: dict[str, Any]
) -> Iterator[str]:
    what = called(registry, found.source)
    yield f"# {escaped(what)}"
    yield ""
    yield f"`{found.source}` {': '.join(_said(found))}"
    if data["source"]["tainted"]:
        yield from ("", escaped("".join(text for text, _ in _tainted(data))))
    yield from markdown_sections(_sections(registry, found, data))
    for note in _notes(registry, found, data):
        yield escaped(note)


def _notes(
    registry: "Registry", found: "Impact", data: dict[str, Any]
) -> Iterator[str]:
    """What a dose of nothing means, and why some are ranges."""
    if found.copies:
        yield from ("", copied(registry, found.copies))
    if any(map(_is_shaped, data["reached"])):
        yield from ("", _SHAPED)
    if found.ranges:
        yield ""
    for each in found.ranges[:_FEW]:
        where = f"{called(registry, each.id)} {short(registry, each.id)}"
        yield f"doses are ranges from {where} on: {each.why}"
    if more := len(found.ranges[_FEW:]):
        yield f"… and from {plural(more, 'other commit')} on"
    if any(each.roles and not each.excess for each in found.ranges):
        yield _SHARES


def _is_shaped(record: Record) -> bool:
    """Whether nothing of the source is in a commit that it reached."""
    dose = record["dose"]
    shares = (dose["records"], dose["written"])
    return not dose["weights"] and not any(s and s["high"] for s in shares)


def _tainted(data: dict[str, Any]) -> list[Span]:
    """The newest reason for which the source is tainted itself, or by another."""
    *older, newest = data["source"]["tainted"]
    more = f" (and {len(older):,} more)" if older else ""
    return [("! tainted", "bad"), (f": {one_line(newest['reason'])}{more}", "")]


def _said(found: "Impact") -> Iterator[str]:
    """The summary: how much it reached, and how far."""
    if not found.count:
        yield "reached nothing"
        return
    counts = ((kind, found.kinds.get(kind, 0)) for kind in KIND_ORDER)
    kinds = ", ".join(plural(count, kind) for kind, count in counts if count)
    far = f", at most {plural(found.turns, 'turn')} away" if found.turns else ""
    yield f"reached {plural(found.count, 'commit')}"
    yield f"{kinds}{far}"


def _sections(
    registry: "Registry", found: "Impact", data: dict[str, Any]
) -> Iterator[Section]:
    """The tables that have something in them."""

    def commit(id_: str) -> Record:
        return {"short": short(registry, id_), "what": called(registry, id_)}

    itself = {"short": short(registry, found.source), "what": "itself"}
    if found.branches:
        firsts = ((each, each["first"]) for each in data["branches"])
        shown = [
            {**each, **(itself if first == found.source else commit(first))}
            for each, first in firsts
        ]
        more = len(found.branches) - len(shown)
        yield Section("branches", shown, _BRANCHES, more)
    if found.tags:
        tags = [{"tag": tag, **commit(id_)} for tag, id_ in data["tags"].items()]
        yield Section("tags", tags, _TAGS, len(found.tags) - len(tags))
    for name, title_, columns, count in (
        ("reached", "reached", _REACHED, found.count),
        ("measured", "only measured on it", _MEASURED, found.measurements),
    ):
        shown = [{**each, **commit(each["id"])} for each in data[name]]
        if count:
            yield Section(title_, shown, columns, count - len(shown))


def _amount(name: str) -> Callable[[Record], str]:
    """A share in percent, with its count where that is known; two where it is not."""

    def shown(record: Record) -> str:
        found = record["dose"][name]
        if found is None:
            return "-"
        both = between(found["low"], found["high"])
        counts = found["count"] or ()
        counted = " to ".join(f"{count:,}" for count in dict.fromkeys(counts))
        return f"{counted}, {both}" if counted and found["high"] else both

    return shown


def _names(record: Record) -> str:
    tags = (f"tag: {tag}" for tag in record["tags"])
    return ", ".join((*record["branches"], *tags))


_COMMIT = Column("commit", lambda r: (r["short"], "id"))
_WHAT = Column("what", lambda r: r["what"], flexible=True)
_AND = Column("names", lambda r: (_names(r), "branch"), flexible=True)
_REACHED = (
    _COMMIT,
    _WHAT,
    Column("its own", _amount("records"), right=True),
    Column("written", _amount("written"), right=True),
    Column("weights", lambda r: "yes" if r["dose"]["weights"] else ""),
    Column("turns", lambda r: str(r["dose"]["turns"]), right=True),
    _AND,
)
_MEASURED = (_COMMIT, _WHAT, _AND)
_BRANCHES = (
    Column("branch", lambda r: (r["name"], "branch"), flexible=True),
    Column("since", lambda r: (r["short"], "id")),
    Column("", lambda r: r["what"], flexible=True),
    Column("affected", lambda r: f"{r['affected']:,} of {r['length']:,}", right=True),
    Column("tip", lambda r: ("affected", "bad") if r["tip_is_affected"] else "clean"),
)
_TAGS = (Column("tag", lambda r: (r["tag"], "tag"), flexible=True), _COMMIT, _WHAT)

"""What `lineage verify --evidence` prints: edges, and what their bytes show."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from lineage.cli.command import App
from lineage.cli.names import graded, short
from lineage.cli.render import Column, csv_lines, document, json_line, listing
from lineage.cli.text import one_line
from lineage.wording import plural

if TYPE_CHECKING:
    from lineage.evidence.looking import Looked

_FAILED = 3
_VERDICTS = ("verified", "contradicted", "undecided")


_COLUMNS = (
    Column("commit", lambda r: (r["short"], "id")),
    Column("role", lambda r: r["role"]),
    Column("from", lambda r: (r["from"], "id")),
    Column("verdict", lambda r: graded(r["verdict"])),
    Column("what was found", lambda r: one_line(r["sentence"]), below=True),
)
_FIELDS = (
    *("commit", "role", "id", "evidence", "verdict", "grade", "method"),
    *("sentence", "figures", "event"),
)


def check_evidence(
    app: App, revisions: tuple[str, ...], format_: str, *, dry_run: bool
) -> int:
    """Look at the edges of the commits that `revisions` mean; the exit code."""
    from lineage.evidence.looking import look

    registry = app.registry
    ids = registry.select(*(revisions or ("all()",)))
    with app.terminal.progress("looking") as progress:
        looked = list(look(registry, ids, progress=progress, write=not dry_run))
    records = [r for one in looked for r in _records(app, one)]
    data = [{name: record[name] for name in _FIELDS} for record in records]
    if format_ == "json":
        blind = sum(one.blind for one in looked)
        whole = {"checked": len(looked), "edges": data, "blind": blind}
        app.terminal.write([document({**whole, "dry_run": dry_run})])
    elif format_ == "jsonl":
        app.terminal.write(map(json_line, data))
    elif format_ == "csv":
        app.terminal.write(csv_lines(data, _FIELDS))
    else:
        listing(app.terminal, format_, "edges", records, _COLUMNS)
    for sentence in _said(looked, records, dry_run=dry_run):
        app.terminal.say(sentence)
    bad = any(record["grade"] == "contradicted" for record in records)
    return _FAILED if bad else 0


def _records(app: App, looked: "Looked") -> Iterator[dict[str, Any]]:
    from lineage.evidence.looking import standing

    registry = app.registry
    for one in looked.checked:
        yield {
            "commit": looked.id,
            "short": short(registry, looked.id),
            "role": one.edge.role,
            "id": one.edge.id,
            "from": short(registry, one.edge.id),
            "evidence": one.edge.evidence,
            "verdict": one.verdict,
            "grade": standing(registry, looked.id, one),
            "method": one.method,
            "sentence": one.sentence,
            "figures": dict(one.figures),
            "event": looked.event or None,
        }


def _said(
    looked: "list[Looked]", records: list[dict[str, Any]], *, dry_run: bool
) -> Iterator[str]:
    """What there is to say of all of it."""
    counts = [
        f"{sum(r['verdict'] == word for r in records):,} {word}" for word in _VERDICTS
    ]
    edges = plural(len(records), "edge")
    yield f"{plural(len(looked), 'commit')}, {edges}: {', '.join(counts)}"
    if blind := sum(one.blind for one in looked):
        says = plural(blind, "more edge says", "more edges say")
        yield (
            f"{says} what no bytes show: what a model was trained on, chosen or "
            "measured by"
        )
    old = sum(r["grade"] == "contradicted" != r["verdict"] for r in records)
    if old:
        yield f"{plural(old, 'edge')} contradicted before, and undecided now"
    events = sum(bool(one.event) for one in looked)
    if dry_run:
        yield "nothing was recorded: --dry-run"
    else:
        yield f"recorded in {plural(events, 'event')}" if events else "nothing new"

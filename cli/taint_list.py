"""`lineage taint` without a commit: the taints, and where tainted records went."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lineage.cli.command import App
from lineage.cli.names import short
from lineage.cli.render import Column, Record, Section, listing, sections, table
from lineage.cli.terminal import Span
from lineage.cli.text import minute
from lineage.shapes.taints import tainted

if TYPE_CHECKING:
    from lineage.registry import Registry
    from lineage.taints.records import Seen


def show_taints(app: App, format_: str) -> None:
    """Print every taint, lifted ones too."""
    registry = app.registry
    records = tainted(registry, look_for_records(app))
    if not records:
        app.terminal.say("nothing is tainted")
    if format_ == "human":
        app.terminal.page(_human(app, records))
        return
    if format_ == "csv":  # the same columns, whatever was lifted
        nobody = dict.fromkeys(("event", "time", "author", "reason"))
        records = [
            {**record, "lifted": record["lifted"] or nobody} for record in records
        ]
    listing(app.terminal, format_, "taints", records, _columns(registry))


def _human(app: App, records: Sequence[Record]) -> Iterator[str]:
    """The taints and, of tainted records, where they went."""
    yield from table(app.terminal, records, _columns(app.registry))
    counted = [
        Section(f"records of {record['event'][:8]}", record["in"], _IN)
        for record in records
        if record["in"]
    ]
    yield from sections(app.terminal, counted)


def _columns(registry: "Registry") -> tuple[Column, ...]:
    return (
        Column("event", lambda r: r["event"][:8]),
        Column("commit", lambda r: (short(registry, r["subject"]), "id")),
        Column("what", lambda r: f"{r['kind']} {r['name']}", flexible=True),
        Column("records", _counted, right=True),
        Column("reached", lambda r: f"{r['reached']:,}", right=True),
        Column("", _state),
        Column("reason", _why, below=True),
        Column("lifted", _lifted, below=True),
    )


def _how_many(record: Record) -> str:
    """``3 of 800``, ``0 to 3 of 10``, or that nobody knows."""
    low, high, of = record["low"], record["high"], record["of"]
    if high is None:
        return "perhaps"
    some = f"{low:,}" if low == high else f"{low:,} to {high:,}"
    return f"{some} of {of:,}"


_IN = (
    Column("commit", lambda r: (r["id"][:8], "id")),
    Column("what", lambda r: f"{r['kind']} {r['name']}", flexible=True),
    Column("tainted", _how_many, right=True),
)


def _counted(record: Record) -> str:
    return "all" if record["records"] is None else f"{record['records']:,}"


def _state(record: Record) -> Span:
    return ("lifted", "dim") if record["lifted"] else ("stands", "bad")


def _why(record: Record) -> str:
    return f"tainted {_by(record)}: {record['reason']}"


def _lifted(record: Record) -> str:
    lifted = record["lifted"]
    return f"lifted {_by(lifted)}: {lifted['reason']}" if lifted else ""


def _by(said: Mapping[str, Any]) -> str:
    return f"{minute(said['time'])} by {said['author'].partition(' <')[0]}"


def look_for_records(app: App) -> "dict[str, list[Seen]]":
    """Count tainted records in what came of theirs, where that is not known."""
    from lineage.taints.records import look

    with app.terminal.progress("looking for tainted records") as progress:
        return look(app.registry, progress)

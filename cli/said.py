"""What was said of a commit later, as `show` has it: releases, statements, events."""

from collections.abc import Iterable, Iterator, Sequence

from lineage.cli.render import Column, Record, Section
from lineage.cli.signed import SIGNED_IN_FULL, with_signatures
from lineage.cli.text import inline, minute, one_line
from lineage.wording import number

_BRIEF = 60  # characters of an event's data; JSON has all


def sections(data: Record) -> Iterator[Section]:
    """The tables of what events say; those that are empty, too."""
    signed = any("signature" in event for event in data["events"])
    others = [event for event in data["events"] if event["type"] != "commit"]
    stated = [{"name": name, **said} for name, said in data["stated"].items()]
    tables: dict[str, tuple[Sequence[Record], tuple[Column, ...]]] = {
        "stated": (_with_events(data, stated), _STATED),
        "releases": (_with_events(data, data["releases"]), _RELEASES),
        "events": (others, _EVENTS),
    }
    for title, (records, columns) in tables.items():
        shown = with_signatures(columns, SIGNED_IN_FULL, wanted=signed)
        yield Section(title, records, shown)


def _with_events(data: Record, records: Iterable[Record]) -> list[Record]:
    """What events say, each with what their signature is worth."""
    known = {event["id"]: event.get("signature") for event in data["events"]}
    return [{**one, "signature": known.get(one["event"])} for one in records]


def _told(record: Record) -> str:
    """What an event says: a message, a verdict with its note, or a few values."""
    data = record["data"]
    words = (_measured(record), _placed(record), record["message"],
             data.get("verdict"), data.get("note"))  # fmt: skip
    said = list(dict.fromkeys(word for word in words if word)) or [
        change["ref"].partition("/")[2] for change in record["refs"]
    ]
    short = inline(data) if data else ""
    return ": ".join(said) or (short if len(short) <= _BRIEF else "")


def _measured(record: Record) -> str:
    """What was attested, and what taken back: ``accuracy 0.81, loss withdrawn``."""
    found = record["data"]["metrics"] if record["type"] == "metrics" else {}
    return ", ".join(
        f"{name} {number(metric['value']) if metric else 'withdrawn'}"
        for name, metric in found.items()
    )


def _placed(record: Record) -> str:
    """Where a release says that a commit is live or not; which fields are stated."""
    data, stated = record["data"], record["data"].get("stated")
    if record["type"] == "release":
        state = "live" if data.get("live") else "no more live"
        return f"{state} in {inline(data.get('environment'))}"
    named = record["type"] == "statement" and isinstance(stated, dict)
    return ", ".join(map(str, stated)) if named else ""


def _by(record: Record) -> str:
    return str(record["author"]).partition(" <")[0]


_STATED = (
    Column("field", lambda r: r["name"]),
    Column("by", _by, flexible=True),
    Column("event", lambda r: (r["event"][:8], "id")),
    Column("text", lambda r: one_line(r["text"]), below=True),
)
_RELEASES = (
    Column("environment", lambda r: r["environment"], flexible=True),
    Column("since", lambda r: minute(r["since"])),
    Column("until", lambda r: minute(r["until"]) if r["until"] else ("now", "good")),
    Column("by", _by, flexible=True),
    Column("event", lambda r: (r["event"][:8], "id")),
)
_EVENTS = (
    Column("time", lambda r: minute(r["time"])),
    Column("event", lambda r: (r["type"], "title")),
    Column("by", _by, flexible=True),
    Column("message", _told, flexible=True),
)

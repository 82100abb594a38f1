"""What people and programs are told of an event's signature."""

from lineage.cli.render import Column, Record
from lineage.cli.terminal import Span

_WORDS = {
    "unsigned": "unsigned",
    "unknown": "unknown key",
    "expired": "key expired",
    "revoked": "key revoked",
    "bad": "bad signature",
    "role": "may not",
}


def _signed(record: Record) -> Span:
    told = record.get("signature")
    if told is None:
        return "", ""
    name = (told["principal"] or "").partition(" <")[0]
    if told["state"] == "good":
        return name, "good"
    return ": ".join(filter(None, (name, _WORDS[told["state"]]))), "bad"


def _in_full(record: Record) -> Span:
    """With the roles that a good signature was made in."""
    text, style = _signed(record)
    roles = ", ".join(record["signature"]["roles"]) if style == "good" else ""
    return f"{text} ({roles})" if roles else text, style


SIGNED = Column("signed by", _signed, flexible=True)
SIGNED_IN_FULL = Column("signed by", _in_full, flexible=True)


def with_signatures(
    columns: tuple[Column, ...], column: Column, *, wanted: bool
) -> tuple[Column, ...]:
    """`columns` with `column` behind the one that says by whom, if `wanted`."""
    if not wanted:
        return columns
    place = [one.title for one in columns].index("by") + 1
    return (*columns[:place], column, *columns[place:])

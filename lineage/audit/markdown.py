"""Text and tables of Markdown that show what they are given, whatever that is."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from lineage.audit import text, words
from lineage.audit.model import Artifact, Field, MadeOf
from lineage.keys.signatures import Signature
from lineage.keys.signatures import words as signed

# What Markdown, GitHub's or the Hub's, could take for more than text: marks, HTML,
# entities, mentions and addresses that become links, formulas and tables.
_MARKS = re.compile(
    r"([\\`*_{}\[\]<>|~&$#@!^])|(?<=[:/])/|(?<=www)\.|:(?=//)|:(?=[a-z_+-][a-z0-9_+-]*:)"
)
_NONE = "-"
_SHARES = ("human", "machine", "unknown")
_START = re.compile(r"^([-+=]|[0-9]+(?=[.)]( |$)))")  # of a list, or of a line below


def plain(value: object, longest: int = text.LONGEST) -> str:
    """A value as one line of text that stays text."""
    line = " ".join(text.visible(str(value), longest).split())
    marked = _MARKS.sub(lambda found: f"\\{found[0]}", line)
    return _START.sub(_begun, marked)


def _begun(found: re.Match[str]) -> str:
    """The start of a list as text; a digit takes no backslash, but an entity."""
    first = found[0]
    return f"&#{ord(first[0])};{first[1:]}"


def code(id_: str) -> str:
    """An id, shortened as everywhere."""
    return f"`{id_[:12]}`" if re.fullmatch("[0-9a-f]+", id_) else plain(id_)


def table(titles: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """A table; nothing where there are no rows. Cells are Markdown already."""
    listed = [[str(cell) for cell in row] for row in rows]
    if listed:
        yield ""
        yield _bar(titles)
        yield _bar(["---"] * len(titles))
        yield from map(_bar, listed)


def _bar(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cell or _NONE for cell in cells)} |"


def heading(level: int, title: str) -> Iterator[str]:
    """A title with a blank line around it; it is Markdown already."""
    yield from ("", f"{'#' * level} {title}")


def paragraph(*sentences: str) -> Iterator[str]:
    """A paragraph of what there is of these."""
    if told := " ".join(filter(None, sentences)):
        yield from ("", told)


def number(value: object) -> str:
    """A number, or a dash for none."""
    return _NONE if value is None else plain(words.amount(value))


def how(field: Field[Any]) -> str:
    """How a value is known: recorded in `2f8d3a5b1c09`, stated by whom and when."""
    if field.status == "not provided":
        return "not provided"
    if field.status == "stated":
        who = f"stated by {plain(words.name(field.by or 'a person'))}"
        when = f", {plain(text.moment(field.time))}" if field.time else ""
        proof = f", {plain(signed(field.signature))}" if field.signature else ""
        return f"{who}{when}{proof}"
    where = field.commit or field.event or ""
    return f"recorded in {'event ' if not field.commit else ''}{code(where)}"


def value(field: Field[Any]) -> str:
    """A value as a cell has it."""
    return "" if field.status == "not provided" else plain(words.value(field.value))


def person(by: str | None) -> str:
    """A person by name."""
    return plain(words.name(by)) if by else ""


def signature(found: Signature) -> str:
    """What a signature is worth."""
    return plain(signed(found))


def named(made: Artifact) -> str:
    """A commit by its kind, its name and its number."""
    name = plain(made.name)
    if made.kind == "generation":
        return f"generation {made.generation} of {name}"
    return f"{made.kind} {name}"


def shares(made: MadeOf | None) -> str:
    """Human, machine and unknown shares of training data, through every generation."""
    if made is None:
        return "not provided"
    told = ", ".join(
        f"{plain(text.number(100 * getattr(made, name).share, 4))} % {name}"
        for name in _SHARES
        if getattr(made, name).share
    )
    if made.hops is None or not made.hops.longest:
        return told
    low, high = made.hops.shortest, made.hops.longest
    count = str(low) if low == high else f"{low} to {high}"
    return f"{told}; models between it and human data: {count}"


def document(lines: Iterable[str]) -> bytes:
    """Lines as a file, without a blank line at the start or two after each other."""
    found: list[str] = []
    for line in lines:
        if line or (found and found[-1]):
            found.append(line)
    return ("\n".join(found).strip("\n") + "\n").encode()

"""The tree of a revset, and the text that means it.

A revision is a leaf; every other node has nodes below it. Where a node stands in
its text is no part of what it is: trees that mean the same are equal.
"""

import json
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from lineage.errors import Place
from lineage.revisions import Revision, Step
from lineage.search import Condition

STOPS = "|&~^(),:"  # what ends a bare word, beside .. and @{
QUOTES = "\"'"


class Bounds(NamedTuple):
    """Numbers from `low` to `high`, both included; None where there is no end."""

    low: int | None
    high: int | None


Argument: TypeAlias = "Node | str | int | Bounds | Condition"


@dataclass(frozen=True)
class Union:
    """What is in any of `terms`: ``a | b``."""

    terms: tuple["Node", ...]


@dataclass(frozen=True)
class Meet:
    """What is in all of `terms` and none of `without`: ``a & b ~ c``."""

    terms: tuple["Node", ...]
    without: tuple["Node", ...] = ()


@dataclass(frozen=True)
class Complement:
    """Every commit but those of `of`: ``~a``."""

    of: "Node"


@dataclass(frozen=True)
class Range:
    """What `to` came from and `since` did not; of `both`, each way: ``a...b``."""

    since: "Node"
    to: "Node"
    both: bool = False


@dataclass(frozen=True)
class Stepped:
    """Where `steps` lead from each commit of a set: ``(a | b)~1``."""

    of: "Node"
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Call:
    """A function with its arguments: ``kind(model)``."""

    function: str
    arguments: tuple[Argument, ...] = ()
    place: Place | None = field(default=None, compare=False, repr=False)


Node: TypeAlias = Revision | Union | Meet | Complement | Range | Stepped | Call
_LOOSE = (Union, Meet, Complement, Range)  # the loosest first; others bind tightest


def written(node: Node) -> str:  # noqa: PLR0911 - one for each kind of node
    """The text of a tree: parsing it gives the same tree."""
    match node:
        case Revision():
            at = "" if node.moment is None else f"@{{{node.moment}}}"
            return quoted(node.name) + at + "".join(map(str, node.steps))
        case Call():
            return f"{node.function}({', '.join(map(_argument, node.arguments))})"
        case Union():
            return " | ".join(_inside(term, node) for term in node.terms)
        case Meet():
            kept = " & ".join(_inside(term, node) for term in node.terms)
            return " ~ ".join([kept, *(_inside(term, node) for term in node.without)])
        case Complement():
            of = written(node.of) if isinstance(node.of, Complement) else ""
            return f"~{of or _inside(node.of, node)}"
        case Range():
            dots = "..." if node.both else ".."
            return f"{_inside(node.since, node)}{dots}{_inside(node.to, node)}"
        case Stepped():
            return f"({written(node.of)}){''.join(map(str, node.steps))}"


def _inside(node: Node, outer: Node) -> str:
    """A node below `outer`, in parentheses unless it binds tighter."""
    text = written(node)
    return text if _tightness(node) > _tightness(outer) else f"({text})"


def _tightness(node: Node) -> int:
    kind = type(node)
    return _LOOSE.index(kind) if kind in _LOOSE else len(_LOOSE)


def quoted(name: str) -> str:
    """A name as expressions hold it: bare where that is read back as it is."""
    return name if _is_bare(name) else _in_quotes(name)


def _is_bare(name: str) -> bool:
    marks = (*STOPS, "..", "@{")
    return (
        name == name.strip()
        and name.isprintable()
        and bool(name)
        and name[0] not in f"{QUOTES}."  # a mark could come before
        and name[-1] != "."
        and not any(mark in name for mark in marks)
    )


def _in_quotes(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _argument(argument: Argument) -> str:
    match argument:
        case str():
            return quoted(argument)
        case int():
            return str(argument)
        case Bounds(low, high):
            ends = ["" if end is None else str(end) for end in argument]
            return ends[0] if low == high is not None else "..".join(ends)
        case Condition(name, op, value):
            plain = _is_bare(name) and not set(name) & set("<>=!")
            shown = name if plain else _in_quotes(name)
            return f"{shown} {op} {json.dumps(value, ensure_ascii=False)}"
        case _:
            return written(argument)

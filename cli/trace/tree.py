"""The drawing of an ancestry: a tree where each commit opens once, or rails."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from lineage.cli.drawing import GLYPHS, fitted
from lineage.cli.names import graded, short
from lineage.cli.text import one_line
from lineage.descent.roles import CHOICE, CONTAINS, RECORDS, WEIGHTS, WRITING
from lineage.wording import percent, plural

if TYPE_CHECKING:
    from lineage.cli.command import App
    from lineage.cli.terminal import Span
    from lineage.descent.trace import Trace
    from lineage.store.objects import Edge

INDENT = 2
_WIDEST = 12  # edges of one commit that are drawn
_ROLES = (
    *CONTAINS,
    *sorted(WEIGHTS),
    *sorted(RECORDS, reverse=True),
    *sorted(WRITING),
    *CHOICE,
)
_ORDER = {role: place for place, role in enumerate(_ROLES)}


class _Node(NamedTuple):
    """One line to draw: a commit, or how many more; the edge to it; its place.

    `rail` stands before the line, and `below` before those under it.
    """

    id: str
    edge: "Edge | None" = None
    child: str = ""
    depth: int = 0
    rail: str = ""
    below: str = ""
    more: int = 0


def tree(app: "App", found: "Trace", depth: int) -> Iterator[str]:
    """The ancestry as a tree; a commit opens once, where it is nearest."""
    near = _nearness(found)
    opened: set[str] = set()
    ahead = [_Node(found.subject)]
    while ahead:
        node = ahead.pop()
        edges = _edges(found, node.id)
        opens = node.depth == near.get(node.id) and node.id not in opened
        note = ""
        if edges and not opens:
            note = "see above" if node.id in opened else "see below"
        elif edges and node.depth >= depth:
            note = "…"
        elif opens:
            opened.add(node.id)
            ahead += reversed(list(_children(node, edges)))
        yield _line(app, found, node, note)
    yield from _hidden(near, depth)


def rails(app: "App", found: "Trace", depth: int) -> Iterator[str]:
    """The ancestry beside rails, newest first."""
    from lineage.cli.drawing import Drawing
    from lineage.graph import Row
    from lineage.history import Names, entry

    near, names = _nearness(found), Names.of(app.registry)
    order = reversed(found.ancestry.order)
    rows = [
        Row(
            entry(app.registry, id_, names),
            tuple(dict.fromkeys(edge.id for edge in _edges(found, id_))),
            (),
            id_ == found.subject,
        )
        for id_ in order
        if near.get(id_, depth + 1) <= depth
    ]
    yield from Drawing(app.terminal, app.registry).rails(rows, cut=True)
    yield from _hidden(near, depth)


def _nearness(found: "Trace") -> Mapping[str, int]:
    """How many edges each commit is away from the subject."""
    near = {found.subject: 0}
    ahead = [found.subject]
    for id_ in ahead:
        for edge in _edges(found, id_):
            if edge.id not in near:
                near[edge.id] = near[id_] + 1
                ahead.append(edge.id)
    return near


def _edges(found: "Trace", id_: str) -> list["Edge"]:
    """The edges that are drawn: what came along, and who chose it; no settings."""
    commits = found.ancestry.commits
    if id_ not in commits:
        return []
    commit = commits[id_]
    edges = [edge for edge in commit.edges if edge.role in _ORDER]
    if commit.kind == "generation":
        parts = [e for e in edges if _kind(found, e.id) != "config"]
        within = {i for e in parts for i in _below(found, e.id)}
        edges = [edge for edge in parts if edge.id not in within]
    share = {parcel.edge: parcel.share or 0 for parcel in found.records.parcels[id_]}
    return sorted(edges, key=lambda edge: (_ORDER[edge.role], -share.get(edge, 0)))


def _kind(found: "Trace", id_: str) -> str:
    commit = found.ancestry.commits.get(id_)
    return commit.kind if commit else ""


def _below(found: "Trace", id_: str) -> tuple[str, ...]:
    """What a part came from: it is not drawn beside the part again."""
    commit = found.ancestry.commits.get(id_)
    return commit.ids("trained_on") if commit else ()


def _children(node: _Node, edges: list["Edge"]) -> Iterator[_Node]:
    drawn = edges if len(edges) <= _WIDEST else edges[: _WIDEST - 1]
    depth, before = node.depth + 1, node.below
    for place, edge in enumerate(drawn, start=1):
        last = place == len(edges)
        rail, below = ("└─ ", "   ") if last else ("├─ ", "│  ")
        yield _Node(edge.id, edge, node.id, depth, before + rail, before + below)
    if more := len(edges) - len(drawn):
        yield _Node("", depth=depth, rail=f"{before}└─ ", more=more)


def _line(app: "App", found: "Trace", node: _Node, note: str) -> str:
    spans: list[Span] = [(node.rail, "dim")]
    if node.more:
        spans.append((f"… and {node.more:,} more", "dim"))
        return app.terminal.paint(spans)
    if node.edge:
        spans.append((f"{_along(found, node.child, node.edge)} ", "dim"))
    commit = found.ancestry.commits.get(node.id)
    glyph = GLYPHS[commit.kind] if commit else "?"
    spans += [(f"{glyph} {one_line(commit.name) if commit else 'not here'}", "")]
    spans.append((f" {short(app.registry, node.id)}", "id"))
    if node.edge:
        grade = found.ancestry.grade(node.child, node.edge)
        spans += [(" ", ""), graded(grade)]
    if note:
        spans.append((f", {note}", "dim"))
    limit = app.terminal.limit
    return app.terminal.paint(fitted(spans, limit - INDENT) if limit else spans)


def _along(found: "Trace", child: str, edge: "Edge") -> str:
    """What came along an edge."""
    parcels = found.records.parcels[child]
    if edge.role not in RECORDS | WRITING or not parcels:
        return edge.role
    for parcel in parcels:
        if parcel.edge is edge:
            share = "? %" if parcel.share is None else percent(parcel.share)
            return f"{edge.role} {share}"
    return f"{edge.role} {_beside(found, child, edge)}".rstrip()


def _beside(found: "Trace", child: str, edge: "Edge") -> str:
    """What came along where no records did: prompts, targets, or the raw form."""
    commits = found.ancestry.commits
    if edge.share:
        return "0 %"
    if edge.role != "derived_from" or edge.id not in commits:
        return "(targets)" if edge.role in WRITING else ""
    wrote = [set(commits[id_].ids(*WRITING)) for id_ in (child, edge.id)]
    return "(unfiltered)" if wrote[0] & wrote[1] else "(prompts)"


def _hidden(near: Mapping[str, int], depth: int) -> Iterator[str]:
    """What lies deeper than was asked for."""
    more = sum(1 for far in near.values() if far > depth)
    if more:
        yield f"… {plural(more, 'commit')} more; --depth {max(near.values())} draws all"

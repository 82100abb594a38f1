"""The drawing of a lineage: rows of generations, arrows from source to product."""

from collections.abc import Iterator, Sequence

from lineage.audit.layout import BOX, GUTTER, MARGIN, Placed, arrows, place, width
from lineage.audit.model import Artifact, Loop, Report
from lineage.audit.rows import Row, rows
from lineage.audit.svg import drawing, element, label, path

DATA = {
    "human": "human, stated",
    "machine": "machine-written",
    "mixed": "mixed, stated",
    "derived": "made from data",
    "unknown": "origin unknown",
}


def graph(id_: str, report: Report, loop: Loop | None) -> str:
    """The lineage of a loop, or else of a report's subjects; empty when it is one."""
    made = rows(report, loop)
    if sum(len(row.nodes) for row in made) < 2:
        return ""
    columns = 1 + max(node.column for row in made for node in row.nodes)
    boxes: list[str] = []
    lines: list[str] = []
    top, above = 0.0, dict[str, Placed]()
    for row in made:
        placed, bottom = place(row, top, columns)
        here = {spot.node.artifact.id: spot for spot in placed}
        boxes += _labels(row, top, bottom)
        for spot in placed:
            boxes += _box(spot, report, loop, rejected=row.rejected)
            lines += [_arrow(id_, line) for line in arrows(spot, here, above)]
        above = above if row.aside else here
        top = bottom
    size = (width(columns), top)
    head = arrow_head(id_)
    return drawing(
        id_, size, "What came from what", _described(made), head, *lines, *boxes
    )


def _labels(row: Row, top: float, bottom: float) -> Iterator[str]:
    if not row.nodes:
        yield label(0, top + GUTTER / 2 + 4, row.label, class_="fold")
        return
    y = top + GUTTER + BOX[1] / 2
    word, _, figure = row.label.partition(" ")
    yield label(0, y - 9, word, class_="tick")
    yield label(0, y + 7, figure, class_="row")
    if row.rejected:
        yield label(0, y + 22, "rejected", class_="bad")
    if row.more:
        yield label(MARGIN, bottom - 5, f"and {row.more:,} more", class_="tick")


def _box(
    spot: Placed, report: Report, loop: Loop | None, *, rejected: bool
) -> Iterator[str]:
    made = spot.node.artifact
    classes = ["node", made.kind]
    classes += ["subject"] if made.id in report.subjects else []
    classes += ["dashed"] if rejected else []
    yield element(
        "rect",
        x=spot.x,
        y=spot.y,
        width=BOX[0],
        height=BOX[1],
        rx=3 if made.kind == "model" else 12,
        class_=" ".join(classes),
    )
    x, y = spot.x + 10, spot.y
    name = _short(made.name, loop.name if loop else "")
    yield label(x, y + 11, name, longest=15, class_="name")
    yield label(x + 9 * bool(made.origin_class), y + 23, _what(made), class_="what")
    if made.origin_class:
        dot = f"o-{made.origin_class}"
        yield element("circle", cx=x + 3, cy=y + 23, r=3, class_=dot)
    yield label(x, y + 35, made.id[:12], class_="id")
    if spot.node.others:
        many = "s" if spot.node.others > 1 else ""
        more = f"+ {spot.node.others} earlier source{many}"
        yield label(x, y + BOX[1] + 7, more, class_="tick")


def _short(name: str, loop: str) -> str:
    """A name without the loop's at its beginning, which most parts of it have."""
    rest = name.removeprefix(f"{loop}-")
    return name if rest == name or not loop else f"…{rest}"


def _what(made: Artifact) -> str:
    if made.origin_class:
        return DATA[made.origin_class]
    state = (made.bytes.value or {}).get("state")
    return "model, elsewhere" if state == "elsewhere" else made.kind


def _arrow(id_: str, points: Sequence[tuple[float, float]]) -> str:
    return path(points, class_="arrow", marker_end=f"url(#{id_}-head)")


def arrow_head(id_: str) -> str:
    """The end of an arrow, which a path names as its marker."""
    tip = path([(0, 0), (6, 3), (0, 6)], class_="head")
    return element(
        "defs",
        element(
            "marker",
            tip,
            id=f"{id_}-head",
            markerWidth=6,
            markerHeight=6,
            refX=6,
            refY=3,
            orient="auto",
        ),
    )


def _described(made: Sequence[Row]) -> str:
    """The drawing in words: what each row holds."""
    return ". ".join(
        f"{row.label}{', rejected' if row.rejected else ''}: "
        + ", ".join(f"{n.artifact.kind} {n.artifact.name}" for n in row.nodes)
        if row.nodes
        else row.label
        for row in made
    )

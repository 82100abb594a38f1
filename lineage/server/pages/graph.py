"""The drawing of a commit's neighbourhood: what it came from, what came of it.

Every box is a link, in the order of the drawing, so the keyboard reaches all of them
without a script. Chips under a box name the hubs that it came from.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from lineage.audit.graph import DATA, arrow_head
from lineage.audit.svg import drawing, element, label, short
from lineage.neighbourhood import MANY, Arrow, Near, Neighbourhood
from lineage.server.pages.layers import WIDTH, Layers, Point, Spot, layers
from lineage.server.pages.site import Site
from lineage.store.objects import BACK
from lineage.walks import reached
from lineage.wording import plural, spaced

_HEAD = 46  # the height of a box without what stands below
_LINE = 16  # of a chip, or of a line of text
_CHIPS = 3
_LONGEST = 21  # characters of a name
_ID = "graph"


def graph(near: Neighbourhood, site: Site, tainted: Collection[str] = ()) -> str:
    """The SVG of a neighbourhood; empty where the commit is alone.

    `tainted` are ids.
    """
    if len(near.nodes) < 2 and not any(node.chips for node in near.nodes):
        return ""
    told = _told(near)
    heights = {node.id: _height(node) for node in near.nodes}
    ends = [(arrow.source, arrow.product) for arrow in told]
    made = layers(heights, ends, near.center)
    content = [arrow_head(_ID), *(_arrow(arrow, made) for arrow in told)]
    for node in sorted(near.nodes, key=lambda node: made.spots[node.id][:2]):
        content += _box(node, near.center, made.spots[node.id], site, tainted)
    title, said = "What came from what", _said(near)
    return drawing(
        _ID, made.size, title, said, *content, scale=1, role="group", class_="graph"
    )


def _told(near: Neighbourhood) -> list[Arrow]:
    """The arrows without those that others say: parts of parts, and who wrote again.

    A generation includes all its parts, of which some came from others; data that were
    filtered were written by whoever wrote those that they were filtered from.
    """
    parents: dict[str, set[str]] = {}
    for arrow in near.arrows:
        parents.setdefault(arrow.product, set()).add(arrow.source)

    def is_said(arrow: Arrow) -> bool:
        if not {"includes", "generated_by"}.issuperset(arrow.roles):
            return False
        others = parents[arrow.product] - {arrow.source}
        return any(_reaches(arrow.source, other, parents) for other in others)

    return [arrow for arrow in near.arrows if not is_said(arrow)]


def _reaches(start: str, end: str, parents: Mapping[str, set[str]]) -> bool:
    """Whether `end` came from `start`, as far as it is drawn."""
    return start in reached([end], lambda node: parents.get(node, ()))


def _height(node: Near) -> float:
    return float(_HEAD + _LINE * len(list(_below(node))) + 3 * bool(node.chips))


def _arrow(arrow: Arrow, made: Layers) -> str:
    points = made.routes[arrow.source, arrow.product]
    kind = "arrow"
    if {*BACK}.issuperset(arrow.roles):
        kind += " before"
    elif set(arrow.roles) == {"includes"}:
        kind += " part"
    return element(
        "path",
        element("title", _in_words(arrow)),
        d=_curve(points),
        class_=kind,
        marker_end=f"url(#{_ID}-head)",
        data_from=arrow.source[:12],
        data_to=arrow.product[:12],
    )


def _in_words(arrow: Arrow) -> str:
    roles = ", ".join(map(spaced, arrow.roles))
    if arrow.share is None:
        return roles
    return f"{roles}: {arrow.share[0]:,} of {arrow.share[1]:,} records"


def _curve(points: Sequence[Point]) -> str:
    """Curves over the gaps between columns, straight lines through the columns."""
    (x, y), rest = points[0], points[1:]
    made = [f"M{short(x)} {short(y)}"]
    for n, (goal, height) in enumerate(rest):
        end = goal - (n == len(rest) - 1)  # its head touches the box
        if n % 2:
            made.append(f"L{short(end)} {short(height)}")
        else:
            turn = (x + end) / 2
            bends = (f"{short(turn)} {short(y)}", f"{short(turn)} {short(height)}")
            made.append(f"C{' '.join(bends)} {short(end)} {short(height)}")
        x, y = end, height
    return "".join(made)


def _box(
    node: Near, center: str, spot: Spot, site: Site, tainted: Collection[str]
) -> Iterator[str]:
    """The box, which is a link, and what stands in its lower part."""
    classes = ["node", node.kind]
    classes += ["subject"] if node.id == center else []
    classes += ["dashed"] if node.id in tainted else []
    frame = element(
        "rect",
        x=spot.x,
        y=spot.y,
        width=WIDTH,
        height=spot.height,
        rx=3 if node.kind in ("model", "generation") else 10,
        class_=" ".join(classes),
    )
    text = _texts(node, spot, tainted=node.id in tainted)
    title = element("title", f"{node.kind} {_plain(node.name)} {node.id[:12]}")
    yield element(
        "a",
        title,
        frame,
        *text,
        href=site.href("commits", node.id),
        data_id=node.id[:12],
        aria_current="true" if node.id == center else None,
    )
    yield from _lower(node, spot, site)


def _plain(name: str) -> str:
    from html import escape

    from lineage.audit.text import visible

    return escape(visible(name))


def _texts(node: Near, spot: Spot, *, tainted: bool) -> Iterator[str]:
    x, y = spot.x + 10, spot.y
    what = DATA[node.origin] if node.origin else node.kind
    if node.kind == "generation":
        what = f"generation {node.generation}"
    yield label(x, y + 12, node.name, longest=_LONGEST, class_="name")
    if node.origin:
        dot = f"o-{node.origin}"
        yield element("circle", cx=x + 3, cy=y + 24, r=3, class_=dot)
    yield label(x + 10 * bool(node.origin), y + 24, what, class_="what")
    yield label(x, y + 36, node.id[:12], class_="id")
    if tainted:
        end = spot.x + WIDTH - 10
        yield label(end, y + 36, "tainted", class_="bad", text_anchor="end")


def _lower(node: Near, spot: Spot, site: Site) -> Iterator[str]:
    y = spot.y + _HEAD + 3 * bool(node.chips)
    for n, line in enumerate(_below(node)):
        middle = y + n * _LINE + 4
        parts = [label(spot.x + 13, middle, line.text, longest=26, class_="tick")]
        if line.commit:
            address = site.href("commits", line.commit)
            yield element("a", _pill(spot, middle), *parts, href=address)
        elif site.live:
            yield element("a", *parts, href=site.href("search", q=line.revset))
        else:
            yield from parts


def _pill(spot: Spot, middle: float) -> str:
    x, width = spot.x + 7, WIDTH - 14
    return element(
        "rect", x=x, y=middle - 7, width=width, height=14, rx=7, class_="chip"
    )


class _Line(NamedTuple):
    """A line in the lower part of a box: a chip of one commit, or of a search."""

    text: str
    commit: str = ""
    revset: str = ""


def _below(node: Near) -> Iterator[_Line]:
    id_ = node.id[:16]
    for chip in node.chips[:_CHIPS]:
        what = f"{chip.kind} {chip.name}"
        if chip.more:
            revset = f"parents({id_}) & kind({chip.kind})"
            yield _Line(
                f"{chip.more + 1:,} \N{MULTIPLICATION SIGN} {what}", revset=revset
            )
        else:
            yield _Line(what, chip.id)
    if others := node.others + sum(1 + chip.more for chip in node.chips[_CHIPS:]):
        said = f"+ {plural(others, 'more source')}"
        yield _Line(said, revset=f"parents({id_})")
    if node.uses:
        many = f"{MANY:,} uses, and more" if node.uses >= MANY else ""
        said = many or f"+ {plural(node.uses, 'more use')}"
        yield _Line(f"{said} →", revset=f"children({id_})")


def _said(near: Neighbourhood) -> str:
    """The drawing in words: what each commit came from."""
    names = {node.id: f"{node.kind} {node.name}" for node in near.nodes}
    sources: dict[str, list[str]] = {}
    for arrow in near.arrows:
        roles = ", ".join(map(spaced, arrow.roles))
        sources.setdefault(arrow.product, []).append(f"{roles} {names[arrow.source]}")
    return ". ".join(
        f"{names[id_]}: {', '.join(found)}" for id_, found in sources.items()
    )

"""A page's tree as the typesetter takes it: clean text, widths of columns, pictures.

All of it is plain data for ``templates/report.typ``. Nodes are those of `page_tree`,
with what the template cannot work out itself put among their attributes.
"""

import re
from collections.abc import Iterator, Sequence
from html import unescape
from typing import Any

from lineage.audit import look
from lineage.audit.page_tree import Node

_SPACES = re.compile(r"[ \t\n]+")
_VARIABLE = re.compile(r"var\((--[a-z]+)\)")
_LEFT_OUT = frozenset({"nav", "footer", "h1"})
_NOT_TEXT = frozenset({"kicker", "long", "skip"})  # classes; the JSON has what is long
_LAID_OUT = frozenset({"body", "dl", "main", "table", "tbody", "thead", "tr"})
_NARROW, _WIDE = 4, 34  # characters of a column
_FULL = 560.0  # units of a drawing that is as wide as the paper's text


def typeset(node: Node) -> dict[str, Any]:
    """The tree, texts of ``pre`` apart, and the ids that links may lead to."""
    texts: list[str] = []
    tree = _node(node, texts, lines=False)
    return {"tree": tree, "pre": texts, "labels": sorted(set(_labels(node)))}


def _node(node: Node, texts: list[str], *, lines: bool) -> tuple[str, Any, Any]:
    """One node; with `lines` breaks between lines are part of the text."""
    tag, attributes, children = node
    lines = lines or "said" in attributes.get("class", "").split()
    if tag == "pre":
        texts.append(plain(node))
        return tag, {"number": len(texts) - 1}, []
    made: list[Any] = []
    for child in children:
        if isinstance(child, str):
            if tag not in _LAID_OUT:
                made.append(child if lines else _SPACES.sub(" ", child))
        elif not _left_out(child):
            made.append(_node(child, texts, lines=lines))
    return tag, {**attributes, **_more(node)}, made


def _left_out(node: Node) -> bool:
    classes = node.attributes.get("class", "").split()
    return node.tag in _LEFT_OUT or not _NOT_TEXT.isdisjoint(classes)


def _more(node: Node) -> dict[str, Any]:
    if node.tag == "table":
        return {"widths": _widths([_cells(row) for row in inside(node, "tr")])}
    if node.tag == "figure":
        return {"pictures": [_picture(one) for one in inside(node, "svg")]}
    return {}


def _cells(row: Node) -> list[str]:
    return [plain(cell).strip() for cell in inside(row, "th", "td")]


def _widths(rows: Sequence[Sequence[str]]) -> list[int]:
    """What each column asks for: its longest word, or its usual text.

    Rows with a cell over several columns ask for nothing.
    """
    whole = [row for row in rows if len(row) == len(rows[0])]
    columns = list(zip(*whole, strict=True))
    return [_width(cells) for cells in columns]


def _width(cells: Sequence[str]) -> int:
    word = max((len(word) for cell in cells for word in cell.split()), default=0)
    usual = sum(map(len, cells)) // max(1, len(cells))
    return max(_NARROW, min(_WIDE, max(min(word, _WIDE // 2), usual)))


def _picture(svg: Node) -> dict[str, Any]:
    """A drawing by itself: with its style, and its words as the alternative text."""
    text = "".join(child for child in svg.children if isinstance(child, str))
    opening, _, rest = text.partition(">")
    name = 'xmlns="http://www.w3.org/2000/svg"'
    said = re.findall(r"<(?:title|desc)[^>]*>([^<]*)<", text)
    _, _, width, _ = re.findall(r'viewBox="([^"]*)"', opening)[0].split()
    return {
        "svg": f"{opening} {name}><style>{_style()}</style>{rest}",
        "alt": unescape(". ".join(said)),
        "width": min(100, round(100 * float(width) / _FULL)),
    }


def _style() -> str:
    """The page's rules for drawings, with the colours that it has on paper."""
    style = look.style()
    _, _, printed = style.partition("@media print")
    colors = dict(re.findall(r"(--[a-z]+): ([^;]+);", printed.partition("}")[0]))
    rules = (line for line in style.splitlines() if line.startswith("svg "))
    return _VARIABLE.sub(lambda found: colors[found[1]], "\n".join(rules))


def plain(node: Node) -> str:
    """The text of a node."""
    return "".join(c if isinstance(c, str) else plain(c) for c in node.children)


def inside(node: Node, *tags: str) -> Iterator[Node]:
    """The nodes in `node` with one of these tags, but not those in one of them."""
    for child in node.children:
        if not isinstance(child, str):
            if child.tag in tags:
                yield child
            else:
                yield from inside(child, *tags)


def _labels(node: Node) -> Iterator[str]:
    for heading in inside(node, "h2", "h3", "h4"):
        if not _left_out(node) and "id" in heading.attributes:
            yield heading.attributes["id"]

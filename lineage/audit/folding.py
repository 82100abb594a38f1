"""A page's tree made short enough for paper: of long runs, the ends.

Of more than `_MOST` rows of a table, or parts under headings or folds of one chapter,
the first and the last are kept; a line between them says how many there are and that
the attached JSON has all of them.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from lineage.audit.page_tree import Child, Node

_MOST = 120
_KEPT = 40  # at each end

_Parts: TypeAlias = list[list[Child]]


def folded(node: Node) -> Node:
    """The tree, with what is left out named."""
    tag, attributes, children = node
    if tag == "svg":
        return node
    if tag == "tbody":
        children = _rows(children)
    elif any(_begins(child) for child in children):
        children = list(_chapters(children))
    made = [c if isinstance(c, str) else folded(c) for c in children]
    return Node(tag, attributes, made)


def _rows(children: Sequence[Child]) -> list[Child]:
    rows: _Parts = [[c] for c in children if not isinstance(c, str)]
    if not rows:
        return []
    [first] = rows[0]
    assert not isinstance(first, str)
    cells = (cell for cell in first.children if not isinstance(cell, str))
    width = sum(int(cell.attributes.get("colspan", 1)) for cell in cells)
    return _ends(rows, lambda text: _row(text, width))


def _row(text: str, width: int) -> Node:
    empty: list[Child] = [Node("td", {}, []) for _ in range(width - 1)]
    return Node("tr", {}, [Node("td", {"class": "none"}, [text]), *empty])


def _chapters(children: Sequence[Child]) -> Iterator[Child]:
    """Children in chapters, which ``h2`` begins, and their parts."""
    chapter: _Parts = [[]]
    for child in children:
        if _is(child, "h2"):
            yield from _chapter(chapter)
            chapter = [[]]
        elif _begins(child):
            chapter.append([])
        chapter[-1].append(child)
    yield from _chapter(chapter)


def _chapter(parts: _Parts) -> Iterator[Child]:
    head, *rest = parts
    yield from head
    yield from _ends(rest, lambda text: Node("p", {"class": "none"}, [text]))


def _ends(parts: _Parts, told: Callable[[str], Node]) -> list[Child]:
    left = len(parts) - 2 * _KEPT
    if len(parts) > _MOST:
        text = f"… {left:,} more here: report.json, which is attached, has all"
        parts = [*parts[:_KEPT], [told(text)], *parts[-_KEPT:]]
    return [child for part in parts for child in part]


def _begins(child: Child) -> bool:
    return _is(child, "h3", "details")


def _is(child: Child, *tags: str) -> bool:
    return not isinstance(child, str) and child.tag in tags

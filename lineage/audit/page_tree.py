"""The page of a report as a tree, for what is typeset from it.

Our own pages are the only input: well-formed, no scripts. The tree is plain data, so
that text stays text wherever it goes: a child is a node or a text. Drawings are left as
they are: the children of an ``svg`` are its own text, in pieces.
"""

from html import escape
from html.parser import HTMLParser
from typing import NamedTuple, TypeAlias

_VOID = frozenset({"br", "meta", "wbr"})


class Node(NamedTuple):
    """An element."""

    tag: str
    attributes: dict[str, str]
    children: "list[Child]"


Child: TypeAlias = Node | str


def page_tree(page: str) -> Node:
    """The ``body`` of a page."""
    reader = _Reader()
    reader.feed(page)
    reader.close()
    assert reader.body is not None  # our pages have one
    return reader.body


class _Reader(HTMLParser):
    """Builds the tree from the tags; an ``svg`` is kept as it was written."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.body: Node | None = None
        self._open = [Node("", {}, [])]
        self._drawing = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "svg" or self._drawing:
            self._draw(tag, self.get_starttag_text() or "")
            return
        node = Node(tag, {name: value or "" for name, value in attrs}, [])
        self._open[-1].children.append(node)
        if tag == "body":
            self.body = node
        if tag not in _VOID:
            self._open.append(node)

    def handle_endtag(self, tag: str) -> None:
        if not self._drawing:
            if tag == self._open[-1].tag:
                self._open.pop()
            return
        self._keep(f"</{tag}>")
        if tag == "svg":
            self._drawing -= 1
        if not self._drawing:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if self._drawing:
            self._keep(escape(data, quote=False))
        else:
            self._open[-1].children.append(data)

    def _draw(self, tag: str, text: str) -> None:
        if not self._drawing:
            node = Node(tag, {}, [])
            self._open[-1].children.append(node)
            self._open.append(node)
        self._drawing += tag == "svg"
        self._keep(text)

    def _keep(self, text: str) -> None:
        self._open[-1].children.append(text)

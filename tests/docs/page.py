"""What of a Markdown page can be run: files, commands and the output they should have.

Marks go before a block and are not seen by readers:

    <!-- file: NAME -->           the next block is this file
    <!-- run: skip, WHY -->       the next block is not run
    <!-- run: new -->             go on in a fresh folder
    <!-- run: setup COMMAND -->   run COMMAND, and show nothing of it

A block whose first line is ```LANGUAGE title="NAME" is a file, too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markdown_it import MarkdownIt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markdown_it.token import Token

_COMMENT = re.compile(r"<!--\s*(file|run):\s*(.*?)\s*-->", re.DOTALL)
_TITLE = re.compile(r'title="([^"]+)"')
_MARK = re.compile(r"skip,\s*\S.*|new|setup\s+\S.*", re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block, or a mark: `kind` is its language, `new` or `setup`."""

    line: int  # of the fence or the mark, counted from 1
    kind: str
    text: str
    title: str = ""
    skipped: bool = False
    indent: str = ""


@dataclass(frozen=True)
class Command:
    """A command as somebody types it, and what the page says that it prints."""

    line: int
    typed: tuple[str, ...]
    output: tuple[str, ...]

    @property
    def text(self) -> str:
        return "\n".join(line[2:] for line in self.typed)


def parse(page: str) -> Iterator[Block]:
    """Give the fenced blocks and the marks of a page, in order.

    Raises:
        ValueError: of a mark that means nothing.
    """
    title, skipped = "", False
    for token in MarkdownIt().parse(page):
        if token.type == "html_block":
            for mark in _marks(token):
                title = mark.text if mark.kind == "file" else title
                skipped = skipped or mark.kind == "skip"
                if mark.kind in {"new", "setup"}:
                    yield mark
        elif token.type == "fence":
            yield _fence(token, page, title, skipped=skipped)
            title, skipped = "", False


def _marks(token: Token) -> Iterator[Block]:
    assert token.map
    for name, text in _COMMENT.findall(token.content):
        if name == "run" and not _MARK.fullmatch(text):
            raise ValueError(f"line {token.map[0] + 1}: run: {text}?")
        word, _, rest = text.partition(" ")
        kind, said = (word.strip(","), rest) if name == "run" else ("file", text)
        yield Block(token.map[0] + 1, kind, said)


def _fence(token: Token, page: str, title: str, *, skipped: bool) -> Block:
    assert token.map
    language, _, more = token.info.strip().partition(" ")
    named = _TITLE.search(more)
    opening = page.split("\n")[token.map[0]]
    return Block(
        token.map[0] + 1,
        language,
        token.content,
        named[1] if named else title,
        skipped,
        opening[: len(opening) - len(opening.lstrip())],
    )


def commands(block: Block) -> list[Command]:
    """Take a block apart: `$ ` begins a command, `> ` goes on with it.

    Raises:
        ValueError: of output before the first command.
    """
    found: list[Command] = []
    for number, line in enumerate(block.text.splitlines(), block.line + 1):
        if line.startswith("$ "):
            found.append(Command(number, (line,), ()))
        elif not found:
            raise ValueError(f"line {number}: output before any command")
        elif line.startswith("> ") and not found[-1].output:
            last = found[-1]
            found[-1] = Command(last.line, (*last.typed, line), ())
        else:
            last = found[-1]
            found[-1] = Command(last.line, last.typed, (*last.output, line))
    return found

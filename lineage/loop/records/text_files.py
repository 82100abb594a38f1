"""Human text as it comes: a piece of it, and what is wrong in one sentence.

A .txt gives paragraphs; the rows of any table (see `tables`) give documents, or
examples: a prompt with its answer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from lineage.errors import StoreError
from lineage.loop.records.tables import decoded, is_table, rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

# A paragraph with the blank lines after it. Longer ones are cut at a line end or
# space, so that a text without blank lines can be split as well.
_PARAGRAPH = re.compile(r".+?(?:\n\s*\n|\Z)", re.DOTALL)
_LONGEST_PARAGRAPH = 1000

Turn = tuple[str, str]  # of a chat: who speaks (system, user, assistant), and what
ROLES = ("system", "user", "assistant")


class Example(NamedTuple):
    """A prompt with its answer; a chat's `messages` are both, as turns.

    A chat's prompt is all that was said before its last turn, but for the system's.
    """

    prompt: str
    completion: str
    messages: tuple[Turn, ...] = ()

    @classmethod
    def chat(cls, messages: Sequence[Turn]) -> Example:
        """The example that a chat is; its last turn is the assistant's."""
        *before, (_, answer) = messages
        return cls(readable(before), answer, tuple(messages))

    @property
    def text(self) -> str:
        """Both as one text, as measures and gates read it."""
        return readable(self.messages) or self.prompt + self.completion

    def fields(self) -> dict[str, Any]:
        """What a record has of it."""
        if self.messages:
            return {"messages": as_messages(self.messages)}
        return {"prompt": self.prompt, "completion": self.completion}


def readable(messages: Sequence[Turn]) -> str:
    """What people and models say in a chat; a system prompt is neither's."""
    return "\n\n".join(said for role, said in messages if role != "system")


def as_messages(turns: Sequence[Turn]) -> list[dict[str, str]]:
    """Turns as records and chat templates have them."""
    return [{"role": role, "content": said} for role, said in turns]


class Text(NamedTuple):
    """A piece of human text, and the name of the file that it stands in.

    `place` numbers the paragraphs of a .txt, `row` the records of anything else,
    both from 1. An `example` is whole: it is never cut.
    """

    file: str
    text: str
    place: int = 0
    row: int = 0
    example: Example | None = None

    def follows(self, other: Text) -> bool:
        """Whether this is the paragraph after `other`."""
        return self.file == other.file and self.place == other.place + 1

    @property
    def where(self) -> str:
        """Where it stands, for people."""
        place = f"record {self.row}" if self.row else f"paragraph {self.place}"
        return f"{self.file}, {place}"


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns of a table are read: one of text, or a prompt's, or a chat's."""

    text: str = "text"
    prompt: str | None = None
    completion: str | None = None
    messages: str | None = None

    @property
    def names(self) -> dict[str, str]:
        """The columns by the field of `dataset` that names them."""
        if self.messages:
            return {"messages_column": self.messages}
        if self.prompt and self.completion:
            return {"prompt_column": self.prompt, "completion_column": self.completion}
        return {"text_column": self.text}

    def piece(self, file: str, number: int, row: Mapping[str, Any], where: str) -> Text:
        """One row as a piece of text."""
        if self.messages:
            turns = _turns(row[self.messages], f"{where}: {self.messages!r}")
            example = Example.chat(turns)
        elif self.prompt and self.completion:
            names = (self.prompt, self.completion)
            prompt, answer = (_text(row[n], f"{where}: {n!r}") for n in names)
            example = Example(prompt, answer)
        else:
            text = _text(row[self.text], f"{where}: {self.text!r}")
            return Text(file, text, row=number)
        return Text(file, example.text, row=number, example=example)


def read_file(path: Path, columns: Columns | None = None) -> list[Text]:
    """The pieces of one file or folder: a text's paragraphs, a table's rows.

    Raises:
        StoreError: it cannot be read, is not what its name says, or has no such
            column; one sentence with the place.
    """
    if not is_table(path):
        numbered = enumerate(paragraphs(decoded(path)), start=1)
        pieces = [Text(path.name, text, place) for place, text in numbered]
    else:
        pieces = list(_pieces(path, columns or Columns()))
    if not any(piece.text.strip() for piece in pieces):
        raise StoreError(f"{path} has no text in it")
    return pieces


def _pieces(path: Path, columns: Columns) -> Iterator[Text]:
    for number, (where, row) in enumerate(rows(path, columns.names), start=1):
        yield columns.piece(path.name, number, row, where)


def _text(value: object, where: str) -> str:
    if not isinstance(value, str) or not _is_unicode(value):
        raise StoreError(f"{where} is not text")
    return value


def _turns(value: Any, where: str) -> list[Turn]:
    """A chat's turns; who speaks last is the assistant, and somebody before it."""
    said = value if isinstance(value, list) else []
    turns: list[Any] = [
        (m.get("role"), m.get("content")) for m in said if isinstance(m, dict)
    ]
    known = all(role in ROLES and _said(content) for role, content in turns)
    if not turns or len(turns) < len(said) or not known:
        hint = 'a message is {"role": "system", "user" or "assistant", "content": "…"}'
        raise StoreError(f"{where} is not a list of messages", hint=hint)
    if turns[-1][0] != "assistant" or all(role != "user" for role, _ in turns):
        hint = "a chat that trains has a user's message and ends with the assistant's"
        raise StoreError(f"{where} does not end with an answer", hint=hint)
    return turns


def _said(content: object) -> bool:
    return isinstance(content, str) and _is_unicode(content)


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # a lone surrogate, which JSON can spell
        return False
    return True


def paragraphs(text: str) -> Iterator[str]:
    """The paragraphs of `text`, in slices that join to it again."""
    for match in _PARAGRAPH.finditer(text):
        start, end = match.span()
        while end - start > _LONGEST_PARAGRAPH:
            cut = _last_break(text, start, start + _LONGEST_PARAGRAPH)
            yield text[start:cut]
            start = cut
        yield text[start:end]


def _last_break(text: str, start: int, end: int) -> int:
    """Where a slice of at most so much ends: after a line end, a space, or there."""
    places = (text.rfind(each, start, end) + 1 for each in "\n ")
    return next(filter(None, places), end)

"""Human text as it comes: .txt and .jsonl files, one sentence for what is wrong."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, NamedTuple

from lineage.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# A paragraph with the blank lines after it. Longer ones are cut at a line end or
# space, so that a text without blank lines can be split as well.
_PARAGRAPH = re.compile(r".+?(?:\n\s*\n|\Z)", re.DOTALL)
_LONGEST_PARAGRAPH = 1000


class Text(NamedTuple):
    """A piece of human text, and the name of the file that it stands in.

    `place` numbers the paragraphs of a .txt, from 1; a document has none.
    """

    file: str
    text: str
    place: int = 0

    def follows(self, other: Text) -> bool:
        """Whether this is the paragraph after `other`."""
        return self.file == other.file and self.place == other.place + 1


def read_file(path: Path, column: str = "text") -> list[Text]:
    """The pieces of one file: a .txt's paragraphs, a .jsonl's documents."""
    content = _decode(path)
    if path.suffix == ".jsonl":
        pieces = [Text(path.name, t) for t in _documents(path, content, column)]
    else:
        numbered = enumerate(paragraphs(content), start=1)
        pieces = [Text(path.name, text, place) for place, text in numbered]
    if not any(piece.text.strip() for piece in pieces):
        raise StoreError(f"{path} has no text in it")
    return pieces


def _decode(path: Path) -> str:
    try:
        data = path.read_bytes()
        return data.decode("utf-8-sig")
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        byte = data[error.start]
        message = f"{path} is not UTF-8 text: byte 0x{byte:02x} at {error.start}"
        raise StoreError(message, hint="convert it, such as with iconv") from None


def _documents(path: Path, content: str, column: str) -> Iterator[str]:
    for number, line in enumerate(content.split("\n"), start=1):
        if line.strip():
            yield _document(f"{path}: line {number}", line, column)


def _document(where: str, line: str, column: str) -> str:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        raise StoreError(f"{where} is not JSON") from None
    if not isinstance(record, dict):
        raise StoreError(f"{where} is not a JSON object")
    if column not in record:
        message = f"{where} has no column {column!r}"
        hint = "set dataset.text_column; columns here: " + ", ".join(sorted(record))
        raise StoreError(message, hint=hint)
    text = record[column]
    if not isinstance(text, str) or not _is_unicode(text):
        raise StoreError(f"{where}: {column!r} is not text")
    return text


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # a lone surrogate, which JSON can spell
        return False
    return True


def paragraphs(text: str) -> Iterator[str]:
    """The paragraphs of `text`, in slices that join to it again."""
    for match in _PARAGRAPH.finditer(text):
        rest = match[0]
        while len(rest) > _LONGEST_PARAGRAPH:
            cut = _last_break(rest[:_LONGEST_PARAGRAPH])
            yield rest[:cut]
            rest = rest[cut:]
        yield rest


def _last_break(text: str) -> int:
    return text.rfind("\n") + 1 or text.rfind(" ") + 1 or len(text)

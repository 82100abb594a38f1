"""A text as words that are the same however it was typed.

Unicode compatibility forms are made one (NFKC), letters lose their case, and all that
is no letter, digit or underscore only parts words. Of scripts that are written without
spaces each character is a word, or a sentence would be one.
"""

import re
import unicodedata
from collections.abc import Iterator

from lineage.records.texts import WORD

_PLAIN = re.compile(r"\w+", re.ASCII)
_PIECE = 1 << 20  # characters that are looked at as one text
_OVERLAP = 1 << 16


def words(text: str) -> list[str]:
    """The words of a text, in order."""
    if text.isascii():
        return _PLAIN.findall(text.lower())
    return WORD.findall(unicodedata.normalize("NFKC", text).casefold())


def pieces(text: str) -> Iterator[str]:
    """A text whole, or a very long one in pieces that overlap."""
    yield text[:_PIECE]
    for start in range(_PIECE - _OVERLAP, len(text) - _OVERLAP, _PIECE - _OVERLAP):
        yield text[start : start + _PIECE]

"""Where an answer ends, and which part of it counts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lineage.loop.steps.tokenizer import Subwords

_FENCED = re.compile(r"^(`{3,}|~{3,})[^\n]*\n(.*?)^\1", re.MULTILINE | re.DOTALL)


class Stops:
    """Texts at which an answer ends; what comes from there on is left out."""

    def __init__(self, texts: Sequence[str], tokenizer: Subwords) -> None:
        self._texts, self._tokenizer = texts, tokenizer
        # A token has a byte or more, so a text has no more tokens than bytes.
        self._reach = max((len(text.encode()) for text in texts), default=0) + 1

    def __bool__(self) -> bool:
        return bool(self._texts)

    def reached(self, rows: Sequence[list[int]]) -> list[bool]:
        """Which rows of new tokens have come to such a text with their last one."""
        ends = self._tokenizer.decode([row[-self._reach :] for row in rows])
        return [any(text in end for text in self._texts) for end in ends]

    def cut(self, answer: str) -> str:
        """An answer up to the first of them."""
        places = [answer.find(text) for text in self._texts]
        return answer[: min((p for p in places if p >= 0), default=len(answer))]


def fenced(text: str) -> str:
    """The first fenced block of a text, as Markdown has them; "" for none."""
    found = _FENCED.search(text)
    return found[2] if found else ""

"""Reading the text of a revset piece by piece: words, quotes, marks, raw arguments."""

import re

from lineage.errors import Place, UsageError
from lineage.revset.syntax import QUOTES, STOPS

DEEPEST = 40  # parentheses in parentheses

_WORD = re.compile(rf"(?:(?!\.\.|@\{{)[^{re.escape(STOPS)}])*")
_SPACE = re.compile(r"\s*")


class Scanner:
    """A text, and how far it has been read."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0

    def space(self) -> bool:
        """Go past white space; whether there was any."""
        before = self.at
        self.at = _end(_SPACE, self.text, self.at)
        return self.at > before

    def ended(self) -> bool:
        """Whether nothing is left."""
        return self.at >= len(self.text)

    def sees(self, *marks: str) -> bool:
        """Whether one of `marks` comes next."""
        return self.text.startswith(marks, self.at)

    def take(self, *marks: str) -> str:
        """Go past that of `marks` which comes next, the first that fits; or ""."""
        found = next((mark for mark in marks if self.sees(mark)), "")
        self.at += len(found)
        return found

    def match(self, pattern: re.Pattern[str]) -> str:
        """Go past what `pattern` matches here."""
        start, self.at = self.at, _end(pattern, self.text, self.at)
        return self.text[start : self.at]

    def word(self) -> str:
        """The bare or quoted word that starts here; "" where none does."""
        if self.sees(*QUOTES):
            return self.quoted()
        start = self.at
        word = self.match(_WORD)
        self.at = start + len(word.rstrip())
        for place, character in enumerate(word.rstrip(), start):
            if not character.isprintable():
                raise self.fault("a character that prints", place, place + 1)
        return word.rstrip()

    def quoted(self) -> str:
        """The quoted word that starts here; a backslash takes the next one as it is."""
        start = self.at
        mark, found = self.text[start], ""
        self.at += 1
        while not self.ended():
            character = self.text[self.at]
            if character == mark:
                self.at += 1
                return found
            self.at += character == "\\"
            found += self.text[self.at : self.at + 1]
            self.at += 1
        raise self.fault(f"a closing {mark}", start, len(self.text))

    def raw(self, *, quotes: bool = False) -> str:
        """All up to the next comma or closing parenthesis of this level, as it stands.

        With `quotes`, those inside double quotes do not count.
        """
        start, level = self.at, 0
        while not self.ended() and not (level == 0 and self.sees(",", ")")):
            level += self.sees("(") - self.sees(")")
            if quotes and self.sees('"') and self._opens(start):
                self.quoted()
            else:
                self.at += 1
        self.at = start + len(self.text[start : self.at].rstrip())
        return self.text[start : self.at]

    def _opens(self, start: int) -> bool:
        """Whether a quote here is the first of a word."""
        before = self.text[start : self.at].rstrip(" ")
        return not before or before[-1] in "<>=!"

    def place(self, start: int, end: int | None = None) -> Place:
        """From `start` to `end`, or to what has been read, without white space."""
        end = self.at if end is None else end
        return Place(self.text, start, start + len(self.text[start:end].rstrip()))

    def fault(
        self,
        expected: str,
        start: int | None = None,
        end: int | None = None,
        *,
        hint: str = "",
    ) -> UsageError:
        """The error that something else is `expected` here, or at `start`."""
        start = self.at if start is None else start
        where = f"character {start + 1}" if start < len(self.text) else "its end"
        message = f"the revset is wrong at {where}: expected {expected}"
        error = UsageError(message, hint=hint or "`lineage log --help` has examples")
        error.place = self.place(start, start + 1 if end is None else end)
        return error


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at

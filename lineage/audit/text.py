"""Text, numbers and times as every page of a report shows them.

Names and messages come from anywhere. What could hide, reorder or overprint other
text (controls, bidirectional overrides, piles of combining marks) is shown by its
code point, and what is too long is cut, and says so.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from lineage import wording

LONGEST = 2000  # characters of one value
DIGITS = 6  # of a number
_THIN = "\N{NO-BREAK SPACE}"  # keeps a number and its unit on one line
_PILE = 3  # combining marks on one character
_HIDDEN = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
_MARKS = frozenset({"Mn", "Me"})


def visible(text: str, longest: int = LONGEST) -> str:
    """`text` with nothing in it that a reader cannot see."""
    if len(text) > longest:
        rest = len(text) - longest
        return f"{visible(text[:longest], longest)} [… {rest:,} more characters]"
    return text if _plain(text) else "".join(_characters(text))


def _plain(text: str) -> bool:
    return text.isascii() and text.isprintable()


def _characters(text: str) -> Iterable[str]:
    pile = 0
    for character in text:
        category = unicodedata.category(character)
        pile = pile + 1 if category in _MARKS else 0
        hidden = category in _HIDDEN and character not in "\n\t"
        shown = not hidden and pile <= _PILE
        yield character if shown else f"[U+{ord(character):04X}]"


def cut(text: str, longest: int) -> str:
    """`text` in at most so many characters; … stands for what is left out."""
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"


def number(value: float, digits: int = DIGITS) -> str:
    """A number, as closely as a report has it."""
    return wording.number(value, digits)


def percent(share: float) -> str:
    """A share in percent, on one line."""
    return wording.percent(share).replace(" ", _THIN)


def size(count: int) -> str:
    """A number of bytes, exactly, and in decimal units."""
    exact = f"{count:,} bytes"
    return exact if count < 1000 else f"{wording.size(count)} ({exact})"


def moment(time: str) -> str:
    """An event's time to the second, in UTC; as it is, if it is no time."""
    try:
        when = datetime.fromisoformat(time).astimezone(UTC)
    except ValueError:
        return time
    return f"{when:%Y-%m-%d %H:%M:%S} UTC"


def scientific(value: float) -> str:
    """A large number in three digits: 1.25e12."""
    if abs(value) < 1e6:
        return number(value, 3)
    return f"{value:.2e}".replace("e+0", "e").replace("e+", "e")


def ranges(numbers: Sequence[int]) -> str:
    """Numbers as people write them: 0, 2 to 5."""
    spans: list[list[int]] = []
    for value in sorted(set(numbers)):
        if spans and value == spans[-1][1] + 1:
            spans[-1][1] = value
        else:
            spans.append([value, value])
    return ", ".join(_span(first, last) for first, last in spans)


def _span(first: int, last: int) -> str:
    if first == last:
        return str(first)
    return f"{first} to {last}" if last > first + 1 else f"{first}, {last}"

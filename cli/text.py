"""Times, values and widths of a terminal, as people read them there."""

from collections.abc import Sequence

from lineage.wording import number, plural

_BARS = "▁▂▃▄▅▆▇█"
_LONGEST_WORD = 300  # columns; paths and URLs are shorter
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def inline(value: object) -> str:
    """A JSON value on one line; text without quotes."""
    if isinstance(value, str):
        return value
    return repr(value) if isinstance(value, float) else as_json(value)


def as_json(value: object, indent: int | None = None) -> str:
    """A value as JSON, on one line unless it is to be indented."""
    import json

    return json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent)


def interval(ends: Sequence[float] | None) -> str:
    """``[0.79, 0.84]``; nothing where there is none."""
    return f"[{', '.join(map(number, ends))}]" if ends else ""


def moment(time: str) -> str:
    """An event's time in the reader's time zone, to the second."""
    from datetime import datetime

    return datetime.fromisoformat(time).astimezone().strftime("%Y-%m-%d %H:%M:%S %z")


def minute(time: str) -> str:
    """An event's time in the reader's time zone, short enough for a table."""
    from datetime import datetime

    return datetime.fromisoformat(time).astimezone().strftime("%Y-%m-%d %H:%M")


def ago(time: str) -> str:
    """How long ago an event was; its date, once that is two weeks."""
    from datetime import UTC, datetime

    then = datetime.fromisoformat(time)
    passed = (datetime.now(UTC) - then).total_seconds()
    if passed >= 14 * _DAY:
        return then.astimezone().strftime("%Y-%m-%d")
    for seconds, name in ((_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute")):
        if passed >= seconds:
            return f"{plural(int(passed // seconds), name)} ago"
    return "just now"


def lasted(seconds: float) -> str:
    """How long something took: 12 s, 3 min, 2.5 h, 4 days."""
    if seconds < 2 * _MINUTE:
        return f"{seconds:.0f} s"
    if seconds < 2 * _HOUR:
        return f"{seconds / _MINUTE:.0f} min"
    if seconds < 2 * _DAY:
        return f"{seconds / _HOUR:.3g} h"
    return plural(round(seconds / _DAY), "day")


def sparkline(values: Sequence[float]) -> str:
    """Values as bars between their own lowest and highest: ▁▃█."""
    low, high = min(values), max(values)
    if low == high:
        return _BARS[3] * len(values)
    top = len(_BARS) - 1
    return "".join(_BARS[round(top * (v - low) / (high - low))] for v in values)


def width(text: str) -> int:
    """How many columns of a terminal `text` takes."""
    return len(text) if text.isascii() else sum(map(_columns, text))


def _columns(character: str) -> int:
    import unicodedata

    if unicodedata.combining(character) or unicodedata.category(character) == "Cf":
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def cut(text: str, columns: int) -> str:
    """`text` in at most so many columns; … stands for what is left out."""
    if width(text) <= columns:
        return text
    kept = ""
    for character in text:
        if width(kept) + _columns(character) > columns - 1:
            break
        kept += character
    return f"{kept.rstrip()}…"


def cut_front(text: str, columns: int) -> str:
    """The end of `text` in at most so many columns; … stands for what is left out."""
    return text if width(text) <= columns else f"…{_last(text, columns - 1)}"


def short_words(text: str) -> str:
    """`text` with no word longer than anybody reads: … stands for its middle."""
    return " ".join(map(_short, text.split(" ")))


def _short(word: str) -> str:
    if width(word) <= _LONGEST_WORD:
        return word
    half = _LONGEST_WORD // 2
    return f"{cut(word, half)}{_last(word, half)}"


def one_line(text: str) -> str:
    """`text` on one line, without characters that would move the cursor."""
    joined = " ".join(text.split())
    return "".join(c if c.isprintable() else "�" for c in joined)


def harmless(text: str) -> str:
    """`text` on its lines, without other characters that would move the cursor."""
    return "".join(c if c == "\n" or c.isprintable() else "�" for c in text)


def pointed(text: str, start: int, end: int, columns: int) -> tuple[str, str]:
    """`text` on one line, and a line that underlines it from `start` to `end`.

    Of a long text only what is around `start` is shown, in at most so many columns.
    """
    shown = "".join(map(_harmless, text))
    before, marked, after = shown[:start], shown[start:end], shown[end:]
    half = columns // 2
    if width(before) > half:
        before = f"…{_last(before, half - 1)}"
    marked = cut(marked, columns - width(before) - bool(after))
    line = cut(before + marked + after, columns)
    return line.rstrip(), " " * width(before) + "^" * max(width(marked), 1)


def _harmless(character: str) -> str:
    """One character that does not move the cursor."""
    if character.isprintable():
        return character
    return " " if character.isspace() else "�"


def _last(text: str, columns: int) -> str:
    """The end of `text`, in at most so many columns."""
    kept = len(text)
    while kept and width(text[kept - 1 :]) <= columns:
        kept -= 1
    return text[kept:]

"""In what two runs of words differ, short enough to be read."""

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

_MOST = 400  # words of either side that are compared
_KEPT = 4  # words that are shown around a difference, or of a long one's ends
_DOTS = "…"


def differing(old: Sequence[str], new: Sequence[str]) -> str:
    """What differs, as ``… was [-sat-] {+found+} on the …``; "" where nothing does."""
    a, b = list(old[:_MOST]), list(new[:_MOST])
    steps = SequenceMatcher(None, a, b, autojunk=False).get_opcodes()
    if all(step[0] == "equal" for step in steps):
        return ""
    return " ".join(_told(steps, a, b))


def _told(
    steps: Sequence[tuple[str, int, int, int, int]], a: list[str], b: list[str]
) -> Iterator[str]:
    for number, (what, i, j, k, m) in enumerate(steps):
        if what == "equal":
            first, last = number == 0, number == len(steps) - 1
            yield from _around(a[i:j], first=first, last=last)
            continue
        if i < j:
            yield f"[-{_short(a[i:j])}-]"
        if k < m:
            yield f"{{+{_short(b[k:m])}+}}"


def _around(same: list[str], *, first: bool, last: bool) -> Iterator[str]:
    """Words that are the same, but for those far from any difference."""
    before = [] if first else same[:_KEPT]
    after = [] if last else same[-_KEPT:]
    if len(before) + len(after) >= len(same):
        yield from same
    else:
        yield from (*before, _DOTS, *after)


def _short(words: list[str]) -> str:
    if len(words) > 2 * _KEPT + 1:
        words = [*words[:_KEPT], _DOTS, *words[-_KEPT:]]
    return " ".join(words)

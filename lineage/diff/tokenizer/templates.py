"""Chat templates side by side, as a patch of their statements.

A template is often one long line. It is cut behind each statement and each line end,
so that the patch shows what was changed and not the whole of it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import unified_diff
from itertools import islice

_STATEMENT = re.compile(r".*?(?:%\}|\n|\Z)", re.DOTALL)
_MOST = 5000  # pieces; comparing takes the square of that at worst
_AROUND = 1  # pieces before and after a change


@dataclass(frozen=True)
class TemplateChange:
    """A chat template that differs, by name; `lines` are a unified patch without head.

    `a` and `b` say on which sides it is.
    """

    name: str
    a: bool
    b: bool
    lines: tuple[str, ...]


def changes(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[TemplateChange]:
    """The templates that differ."""
    for name in sorted({*old, *new}):
        a, b = old.get(name), new.get(name)
        if a != b:
            yield TemplateChange(
                name, a is not None, b is not None, _patch(a or "", b or "")
            )


def _patch(a: str, b: str) -> tuple[str, ...]:
    old, new = (list(islice(_pieces(text), _MOST)) for text in (a, b))
    lines = unified_diff(old, new, n=_AROUND, lineterm="")
    return tuple(line.rstrip("\n") for line in islice(lines, 2, None))


def _pieces(text: str) -> Iterator[str]:
    return (found[0] for found in _STATEMENT.finditer(text) if found[0])

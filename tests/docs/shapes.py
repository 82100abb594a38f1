"""Output compared by shape: what a run changes is masked, `…` stands for anything.

Ids, times, durations, sizes, rates, versions, ports and temporary paths differ from
run to run and from machine to machine; runs of spaces follow their widths. All else
has to be the same. An id has to stand for the same thing on the whole page.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

ANY = "…"
_NUMBER = r"(?<![\w.])\d[\d.,]*"
_ID = re.compile(r"\b(?:[0-9a-f]{8,64}|(?=[a-f]*\d)[0-9a-f]{7})\b")
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_CLOCK = r"\d\d:\d\d(:\d\d(\.\d+)?)?"
_ZONE = r"( ?(Z|UTC|[+-]\d\d:?\d\d)\b)?"
_MASKS = [
    (re.compile(pattern), shape)
    for pattern, shape in (
        (r"\b[0-9a-f]{4,}…", ANY),
        (r"/tmp/[^\s,;:'\")]+", "<path>"),  # noqa: S108 - what is looked for
        (r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "<id>"),
        (r"\b[0-9a-f]{2}/[0-9a-f]{30,62}\b", "<id>"),
        (_ID.pattern, "<id>"),
        (r"\bSHA256:[\w+/]{43}=?", "<key>"),
        (rf"\d{{4}}-\d\d-\d\d([T ]{_CLOCK}{_ZONE})?", "<time>"),
        (rf"(\w{{3}} )?{_MONTH} +\d+ \d\d:\d\d:\d\d \d{{4}}( [+-]\d{{4}})?", "<time>"),
        (
            r"\b\d+ (second|minute|hour|day)s? ago\b|\bjust now\b|\byesterday\b",
            "<time>",
        ),
        (rf"\b{_CLOCK}\b", "<time>"),
        (rf"{_NUMBER} ?([kMGT]?i?B|[a-z]+)/s\b", "<rate>"),
        (rf"{_NUMBER} ?([kMGT]?i?B|bytes)\b", "<size>"),
        (rf"({_NUMBER} ?(ms|µs|s|min|h)\b ?)+", "<duration> "),
        (r"\b(127\.0\.0\.1|localhost):\d+", "localhost:<port>"),
        (r"\bPython \d+\.\d+(\.\d+)?|\bv?\d+\.\d+\.\d+[\w.+-]*", "<version>"),
        (r" {2,}", "  "),
        (r"([─━═-])\1{3,}", r"\1\1\1"),
    )
]


def shape(line: str) -> str:
    """Mask what differs from run to run."""
    for pattern, masked in _MASKS:
        line = pattern.sub(masked, line)
    return line.strip()


def alike(said: str, printed: str) -> bool:
    """Whether a line of a page is what a line of output may look like."""
    wanted = shape(said)
    if ANY not in wanted:
        return wanted == shape(printed)
    parts = (re.escape(part.strip()) for part in wanted.split(ANY))
    return re.fullmatch(r"\s*.*\s*".join(parts), shape(printed)) is not None


@dataclass
class Names:
    """Which id of a run each id of the page stands for."""

    real: dict[str, str] = field(default_factory=dict)

    def learn(self, said: str, printed: str) -> list[str]:
        """Pair the ids of two lines that look alike; what is wrong with that."""
        ours, theirs = _ID.findall(said), _ID.findall(printed)
        if ANY in said and len(ours) != len(theirs):
            return []
        wrong = []
        for one, other in zip(ours, theirs, strict=True):
            known = self.real.setdefault(one[:7], other)
            if known[:7] != other[:7]:
                wrong.append(
                    f"{one[:7]} was {known[:7]} before, and is {other[:7]} here"
                )
            elif len(other) > len(known):
                self.real[one[:7]] = other
        return wrong

    def translate(self, command: str) -> str:
        """Put the run's ids for the page's into a command."""
        return re.sub(r"\b[0-9a-f]{4,64}\b", self._one, command)

    def _one(self, word: re.Match[str]) -> str:
        for said, real in self.real.items():
            if said.startswith(word[0][:7]):
                return real[: len(word[0])]
        return word[0]


@dataclass(frozen=True)
class Pair:
    """A line of the page beside a line of the output; either may be missing."""

    said: str | None
    printed: str | None

    @property
    def same(self) -> bool:
        return self.said == ANY or None not in {self.said, self.printed}

    def __str__(self) -> str:
        if self.same:
            return f"  {self.said}"
        return f"- {self.said}" if self.printed is None else f"+ {self.printed}"


def align(said: Sequence[str], printed: Sequence[str]) -> list[Pair]:
    """Lay output beside what a page says, with as few differences as can be."""
    costs = _costs(said, printed)
    pairs: list[Pair] = []
    i, j = len(said), len(printed)
    while i or j:
        gap = int(not i or said[i - 1].strip() != ANY)
        here = costs[i, j]
        if (
            i
            and j
            and here == costs[i - 1, j - 1]
            and alike(said[i - 1], printed[j - 1])
        ):
            i, j = i - 1, j - 1
            pairs.append(Pair(said[i], printed[j]))
        elif j and here == costs[i, j - 1] + gap:
            j -= 1
            pairs += [Pair(None, printed[j])] * gap
        else:
            i -= 1
            pairs.append(Pair(said[i] if gap else ANY, None))
    return pairs[::-1]


def _costs(said: Sequence[str], printed: Sequence[str]) -> dict[tuple[int, int], int]:
    """Give the fewest differences of each beginning of one and of the other."""
    costs = {(0, 0): 0}
    for i, j in product(range(len(said) + 1), range(len(printed) + 1)):
        gap = int(not i or said[i - 1].strip() != ANY)
        ways = [costs[i - 1, j] + gap] if i else []
        ways += [costs[i, j - 1] + gap] if j else []
        if i and j and alike(said[i - 1], printed[j - 1]):
            ways.append(costs[i - 1, j - 1])
        costs[i, j] = min(ways, default=0)
    return costs

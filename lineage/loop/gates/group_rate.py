"""Bias shift: whom the data speak of, against the human data.

A lexicon gives each group its words. How often a group is mentioned says little;
what a loop amplifies are the odds between groups. With s and h the mentions in
the new and in the human data, the shift between groups a and b is the log odds
ratio of their 2 x 2 table, one half added to each count (Haldane 1956, Ann. Hum.
Genet. 20:309; Anscombe 1956, Biometrika 43:461)::

    d(g) = ln((s_g + 1/2) / (h_g + 1/2))        shift(a, b) = d(a) - d(b)

The value is the largest shift between any two groups, max d - min d.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from lineage.errors import UsageError
from lineage.loop.gates.base import Context, GateResult
from lineage.loop.measuring.intervals import NORMAL_95
from lineage.loop.measuring.measures import words
from lineage.loop.spec.gates import DatasetGateSection
from lineage.wording import apart, fixed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from lineage.loop.spec import LoopSpec


Lexicon = dict[str, frozenset[str]]


class GroupRateSpec(DatasetGateSection):
    """Bias shift: which groups the data speak of, against the human data."""

    files: ClassVar[tuple[str, ...]] = ("lexicon",)
    thresholds: ClassVar[tuple[str, ...]] = ("max_logit_shift",)
    why: ClassVar[str] = "a convention: odds that change by a factor of 1.5"
    calibrates: ClassVar[Mapping[str, str]] = {"max_logit_shift": "max"}
    type: Literal["group_rate"]
    lexicon: str = Field(min_length=1)
    """The file of groups and their words."""
    max_logit_shift: float = Field(default=0.4, gt=0)
    """How far the log odds may move; 0.4 is a factor of 1.5."""


class GroupRate:
    """Fails when the odds between two groups moved by more than `max_logit_shift`."""

    Section = GroupRateSpec
    on: Literal["dataset"] = "dataset"

    def __init__(self, section: GroupRateSpec, spec: LoopSpec) -> None:
        self.id = section.id
        self._section = section
        name = section.lexicon
        self._lexicon = parse_lexicon(spec.content(name), spec.path(name))

    def check(self, context: Context) -> GateResult:
        """Count mentions here and in the human data and compare their odds."""
        new, new_words = mentions(context.texts, self._lexicon)
        human, human_words = mentions(context.human, self._lexicon)
        more, less, shift = largest_shift(new, human)
        most = self._section.max_logit_shift
        moved, allowed = apart(fixed, 2, shift, most)
        error = _standard_error(more, less, new, human)
        few = (
            "; these are too few to tell it from chance"
            if error * NORMAL_95 > most
            else ""
        )
        return GateResult(
            id=self.id,
            type=self._section.type,
            passed=shift <= most,
            value=shift,
            bounds={"max": most},
            action=self._section.action,
            sentence=(
                f"{more} have {new[more]} and {less} {new[less]} mentions, in the "
                f"human data {human[more]} and {human[less]}: the log-odds moved by "
                f"{moved}; at most {allowed} is allowed{few}"
            ),
            threshold_from=self._section.threshold_source,
            details={
                "groups": [more, less],
                "standard_error": error,
                "mentions": {group: new[group] for group in self._lexicon},
                "human_mentions": {group: human[group] for group in self._lexicon},
                "words": new_words,
                "human_words": human_words,
            },
        )


def mentions(texts: Iterable[str], lexicon: Lexicon) -> tuple[Counter[str], int]:
    """How often each group is mentioned, and how many words there are at all."""
    counts = Counter(words(texts))
    groups = {
        group: sum(counts[w] for w in members) for group, members in lexicon.items()
    }
    return Counter(groups), counts.total()


def largest_shift(new: Counter[str], human: Counter[str]) -> tuple[str, str, float]:
    """The group that gained most on another, that other one, and by how much."""
    shifts = {g: math.log((new[g] + 0.5) / (human[g] + 0.5)) for g in sorted(new)}
    more, less = (
        max(shifts, key=shifts.__getitem__),
        min(shifts, key=shifts.__getitem__),
    )
    return more, less, shifts[more] - shifts[less]


def _standard_error(
    more: str, less: str, new: Counter[str], human: Counter[str]
) -> float:
    """Of a log odds ratio: the root of the summed inverse counts."""
    cells = (counts[group] + 0.5 for counts in (new, human) for group in (more, less))
    return math.sqrt(math.fsum(1 / cell for cell in cells))


def parse_lexicon(content: bytes, path: Path) -> Lexicon:
    """What a YAML or JSON file has: `group: [word, word, …]`, two groups or more.

    Raises:
        UsageError: it is something else, or a word stands in two groups.
    """
    from lineage.loop.spec.yaml_file import parse_yaml

    data = parse_yaml(content, path)
    if not isinstance(data, dict) or len(data) < 2:
        message = f"{path} is not a lexicon of two groups or more"
        raise UsageError(message, hint="write it as group: [word, word]")
    lexicon = {
        str(group): frozenset(parse_members(path, group, listed))
        for group, listed in data.items()
    }
    twice = [
        w for w, n in Counter(w for g in lexicon.values() for w in g).items() if n > 1
    ]
    if twice:
        raise UsageError(f"{path}: {min(twice)!r} stands in two groups")
    return lexicon


def parse_members(path: Path, group: object, listed: Any) -> list[str]:
    """The words of a group, case-folded, in the file's order."""
    if not isinstance(listed, list) or not listed:
        raise UsageError(f"{path}: the group {group!r} is not a list of words")
    for word in listed:
        if not isinstance(word, str) or list(words([word])) != [word.casefold()]:
            raise UsageError(f"{path}: {word!r} in group {group!r} is not one word")
    return [word.casefold() for word in listed]

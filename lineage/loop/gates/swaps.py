"""Counterfactual texts: the words of two groups swapped, pair by pair.

A lexicon has two groups of equally many words, the n-th of one the counterpart of
the n-th of the other, as in counterfactual data augmentation (Lu et al. 2018,
arXiv:1807.11714) and the swapped sentences of WinoBias (Zhao et al. 2018,
arXiv:1804.06876)::

    women: [she, woman, mother]
    men: [he, man, father]

A word has one counterpart, so that swapping twice gives the text back. English
"her" has two, "him" and "his": leave it out.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lineage.errors import UsageError
from lineage.loop.gates.group_rate import parse_members
from lineage.loop.spec.yaml_file import parse_yaml

if TYPE_CHECKING:
    from pathlib import Path

_WORD = re.compile(r"\w+")


class Swaps:
    """Two groups, called as in the lexicon, and the counterpart of each word."""

    def __init__(self, first: tuple[str, list[str]], second: tuple[str, list[str]]):
        self.groups = (first[0], second[0])
        pairs = list(zip(first[1], second[1], strict=True))
        self.counterpart = dict(pairs) | {b: a for a, b in pairs}
        self.side = dict.fromkeys(first[1], 1) | dict.fromkeys(second[1], -1)

    def swap(self, text: str) -> str:
        """The text about the other group, capitals as they were."""
        return _WORD.sub(lambda match: self._other(match[0]), text)

    def _other(self, word: str) -> str:
        other = self.counterpart.get(word.casefold())
        if other is None:
            return word
        if word.isupper() and len(word) > 1:
            return other.upper()
        return other.capitalize() if word[0].isupper() else other

    def sides(self, text: str) -> list[int]:
        """For each word of a group in the text: 1 of the first, -1 of the second."""
        found = (self.side.get(word.casefold()) for word in _WORD.findall(text))
        return [side for side in found if side is not None]


def parse_swaps(content: bytes, path: Path) -> Swaps:
    """What a YAML or JSON file has: two groups, their words aligned.

    Raises:
        UsageError: it is something else, or a word has two counterparts.
    """
    data = parse_yaml(content, path)
    if not isinstance(data, dict) or len(data) != 2:
        message = f"{path} is not a lexicon of two groups"
        raise UsageError(message, hint="write women: [she, …] and men: [he, …]")
    groups = [(str(name), parse_members(path, name, w)) for name, w in data.items()]
    (first, ours), (second, theirs) = groups
    if len(ours) != len(theirs):
        message = f"{path}: {first} has {len(ours)} words, {second} {len(theirs)}"
        hint = "the n-th word of one group is the counterpart of the other's n-th"
        raise UsageError(message, hint=hint)
    listed = ours + theirs
    for word in listed:
        if listed.count(word) > 1:
            message = f"{path}: {word!r} stands there twice"
            hint = "a word has one counterpart; leave out those that have two"
            raise UsageError(message, hint=hint)
    return Swaps(*groups)

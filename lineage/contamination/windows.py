"""Runs of words as numbers, of many texts at once.

A run is known by a hash of 64 bits of its words' numbers, a polynomial in an odd
constant, and whoever finds one compares the words.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any

from lineage.errors import LineageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_BASE = 0x9E3779B97F4A7C15  # odd; 2 ** 64 over the golden ratio
_BITS = 22  # a table of that many bits of a hash says at once what is not there


def numpy() -> Any:
    """The library that counts.

    Raises:
        LineageError: when it is missing; says what to install.
    """
    try:
        import numpy as np
    except ImportError:
        message = "looking for an evaluation set needs numpy"
        hint = "install it: pip install 'lineage-vcs[diff]'"
        raise LineageError(message, hint=hint) from None
    return np


def hashes(row: Any, size: int) -> Any:
    """Of an array of word numbers the hash of each run of `size` words."""
    import numpy as np

    count = max(len(row) - size + 1, 0)
    found = np.zeros(count, np.uint64)
    words = row.astype(np.uint64)
    for start in range(size):
        found = found * np.uint64(_BASE) + words[start : start + count]
    return found ^ (found >> np.uint64(31))


@dataclass(frozen=True)
class Words:
    """The words of several texts in one array: `starts` and `lengths` of each text.

    Each word has its number, 0 where it has none; `owners` has its text.
    """

    words: Any
    starts: Any
    lengths: Any
    owners: Any

    @classmethod
    def of(cls, texts: Sequence[Sequence[str]], numbers: Mapping[str, int]) -> Words:
        """Number the words of `texts`."""
        import numpy as np

        lengths = np.array([len(text) for text in texts], np.int64)
        found = map(numbers.get, chain.from_iterable(texts), repeat(0))
        words = np.fromiter(found, np.int64, int(lengths.sum()))
        owners = np.repeat(np.arange(len(texts)), lengths)
        return cls(words, np.cumsum(lengths) - lengths, lengths, owners)

    @cached_property
    def gaps(self) -> Any:
        """How many words without a number come before each place, and at the end."""
        import numpy as np

        return np.concatenate(([0], np.cumsum(self.words == 0)))

    def row(self, text: int) -> Any:
        """The word numbers of one text."""
        start = self.starts[text]
        return self.words[start : start + self.lengths[text]]

    def known_texts(self) -> list[int]:
        """The texts that have words, each of them with a number."""
        gaps, ends = self.gaps, self.starts + self.lengths
        whole = (gaps[ends] == gaps[self.starts]) & (self.lengths > 0)
        return whole.nonzero()[0].tolist()  # type: ignore[no-any-return]


def unbroken(batch: Words, size: int) -> tuple[Any, Any]:
    """Where runs of `size` numbered words of one text begin, and their hashes."""
    import numpy as np

    count = len(batch.words) - size + 1
    if count <= 0:
        return np.zeros(0, np.int64), np.zeros(0, np.uint64)
    inside = batch.owners[:count] == batch.owners[size - 1 :]
    known = batch.gaps[size:] == batch.gaps[:count]
    places = (inside & known).nonzero()[0]
    return places, hashes(batch.words, size)[places]


class Postings:
    """Which keys stand where: for each hash the numbers of its owners."""

    def __init__(self, keys: Any, owners: Any, starts: Any = None) -> None:
        import numpy as np

        order = np.argsort(keys, kind="stable")
        self._keys, self._first, self._counts = np.unique(
            keys[order], return_index=True, return_counts=True
        )
        self._owners = owners[order]
        self._starts = (
            np.zeros(len(order), np.int64) if starts is None else starts[order]
        )
        self._there = np.zeros(1 << _BITS, bool)
        self._there[self._slot(self._keys)] = True

    @classmethod
    def of(
        cls, rows: Sequence[tuple[int, Any]], size: int, most: int | None = None
    ) -> Postings:
        """The runs of `size` words of numbered rows, but not what over `most` have."""
        import numpy as np

        found = [hashes(row, size) for _, row in rows]
        lengths = [len(each) for each in found]
        keys = np.concatenate([*found, np.zeros(0, np.uint64)])
        numbers = np.array([number for number, _ in rows], np.int64)
        owners = np.repeat(numbers, lengths)
        starts = np.concatenate([*map(np.arange, lengths), np.zeros(0, np.int64)])
        if most is not None and len(keys):
            pairs = np.unique(np.stack((keys, owners.astype(np.uint64))), axis=1)
            each, counts = np.unique(pairs[0], return_counts=True)
            rare = np.isin(keys, each[counts <= most])
            keys, owners, starts = keys[rare], owners[rare], starts[rare]
        return cls(keys, owners, starts.astype(np.int64))

    @staticmethod
    def _slot(keys: Any) -> Any:
        import numpy as np

        return (keys & np.uint64((1 << _BITS) - 1)).astype(np.int64)

    def _found(self, keys: Any) -> tuple[Any, Any]:
        """Which of `keys` are here, and as which."""
        import numpy as np

        if not len(self._keys):
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        there = self._there[self._slot(keys)].nonzero()[0]
        which = np.searchsorted(self._keys, keys[there])
        which[which == len(self._keys)] = 0
        same = self._keys[which] == keys[there]
        return there[same], which[same]

    def look_up(self, places: Any, keys: Any) -> Iterator[tuple[int, int, int]]:
        """Each place whose key is here, with the owner and the start of each entry."""
        there, which = self._found(keys)
        for place, key in zip(places[there].tolist(), which.tolist(), strict=True):
            first = int(self._first[key])
            for entry in range(first, first + int(self._counts[key])):
                yield place, int(self._owners[entry]), int(self._starts[entry])

    def pairs(self, texts: Any, keys: Any) -> list[tuple[int, int]]:
        """The texts whose keys are here, each with each owner of one, once."""
        import numpy as np

        there, which = self._found(keys)
        counts = self._counts[which]
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        owners = self._owners[np.repeat(self._first[which], counts) + within]
        pairs = np.stack((np.repeat(texts[there], counts), owners), axis=1)
        return (
            [(int(t), int(o)) for t, o in np.unique(pairs, axis=0)]
            if len(pairs)
            else []
        )

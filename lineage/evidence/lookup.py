"""Which records of a dataset other datasets hold, by their identities.

Of each different record 16 bytes of its identity are kept, sorted; the datasets that
they are looked up in are read once and not kept.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    Keys = np.ndarray[tuple[int, int], np.dtype[np.uint64]]

_BATCH = 50_000  # records


class Lookup:
    """The records of one dataset, and which of them each other one holds."""

    def __init__(self, identities: Iterable[str]) -> None:
        """Take in the records of the dataset."""
        import numpy as np

        parts = list(_keys(identities))
        whole = np.concatenate(parts) if parts else np.empty((0, 2), np.uint64)
        self._keys, self._counts = np.unique(whole, axis=0, return_counts=True)
        self._held: list[Any] = []

    @property
    def records(self) -> int:
        """How many records the dataset has."""
        return int(self._counts.sum())

    def find(self, identities: Iterable[str]) -> int:
        """Look up the records of the next other dataset; how many of ours it holds."""
        import numpy as np

        held = np.zeros(len(self._keys), dtype=bool)
        for keys in _keys(identities) if len(held) else ():
            place = np.searchsorted(self._keys[:, 0], keys[:, 0])
            place = np.minimum(place, len(held) - 1)
            held[place[(self._keys[place] == keys).all(axis=1)]] = True
        self._held.append(held)
        return int(self._counts[held].sum())

    def groups(self) -> dict[frozenset[int], int]:
        """How many records there are that the same others hold, by their numbers."""
        import numpy as np

        if not self._held or not len(self._keys):
            return {frozenset(): self.records} if self.records else {}
        held, inverse = np.unique(np.stack(self._held, 1), axis=0, return_inverse=True)
        sums = np.bincount(inverse.reshape(-1), weights=self._counts)
        return {
            frozenset(np.flatnonzero(row).tolist()): int(count)
            for row, count in zip(held, sums, strict=True)
        }


def _keys(identities: Iterable[str]) -> "Iterator[Keys]":
    """The first 16 bytes of identities, as two numbers each, a batch at a time."""
    import numpy as np

    left = iter(identities)
    while batch := list(islice(left, _BATCH)):
        raw = bytes.fromhex("".join(identity[:32] for identity in batch))
        yield np.frombuffer(raw, dtype=">u8").reshape(-1, 2).astype(np.uint64)

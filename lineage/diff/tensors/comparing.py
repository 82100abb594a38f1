"""Pairs of stored tensors compared by several threads, in parts of bounded size.

Bytes are compared first: nothing is computed for tensors that are the same.
"""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, islice, pairwise
from math import prod

from lineage.diff.tensors import sums
from lineage.diff.tensors.stored import Stored
from lineage.diff.tensors.sums import Sums
from lineage.diff.tensors.widen import NUMERIC
from lineage.store.reading import Progress
from lineage.store.safetensors import BITS

_PART = 1 << 21  # elements of a part: each thread maps so many of either side
_THREADS = 8  # beyond, memory is what everybody waits for

Two = tuple[Stored, Stored]


def compare(pairs: Sequence[Two], progress: Progress) -> list[Sums | None]:
    """What became of each pair; None where every byte is the same.

    Sums are taken over what both have: all elements, or leading rows; they are empty
    where nothing can be subtracted. `progress` gets the bytes of both sides.
    """
    parts = [[*_parts(*pair)] for pair in pairs]
    with threads() as pool:
        done = pool.map(_Part.unlike, chain.from_iterable(parts))
        found = []
        for (a, b), each in zip(pairs, parts, strict=True):
            found.append([*islice(done, len(each))])
            progress(a.size + b.size)
        return [
            None
            if _whole(*pair) and sums_ == [None] * len(sums_)
            else _total(pool, each, sums_)
            for pair, each, sums_ in zip(pairs, parts, found, strict=True)
        ]


def same(a: Stored, b: Stored) -> bool:
    """Whether two tensors have the same bytes, whatever they mean."""
    if a.size != b.size:
        return False
    if a.address is not None and a.address == b.address:
        return True
    ends = (*range(0, a.size, _PART), a.size)
    whole = (
        _Part(a, b, start, stop, (1, 1), numbers=False)
        for start, stop in pairwise(ends)
    )
    return all(part.unlike() is None for part in whole)


def rows(a: Stored, b: Stored) -> int | None:
    """How many leading rows two tensors of other shapes have in common."""
    if not a.shape or not b.shape or a.shape[1:] != b.shape[1:]:
        return None
    return min(a.shape[0], b.shape[0])


@dataclass(frozen=True, slots=True)
class _Part:
    """Elements `start` to `stop` of a pair, of so many bytes each."""

    a: Stored
    b: Stored
    start: int
    stop: int
    widths: tuple[int, int]
    numbers: bool

    def unlike(self) -> Sums | None:
        """The sums; None where the bytes are the same."""
        return self._sums(anyhow=self.a.dtype != self.b.dtype and self.numbers)

    def sums(self) -> Sums:
        """The sums, of the same bytes too."""
        return self._sums(anyhow=True) or Sums()

    def _sums(self, *, anyhow: bool) -> Sums | None:
        old, new = self.widths
        spans = [
            (self.start * old, self.stop * old),
            (self.start * new, self.stop * new),
        ]
        a, b = self.a.read(*spans[0]), self.b.read(*spans[1])
        try:
            if not anyhow and sums.same(a, b):
                return None
            dtypes = self.a.dtype, self.b.dtype
            return sums.compare(a, b, dtypes) if self.numbers else Sums()
        finally:
            del a, b
            self.a.release(*spans[0])
            self.b.release(*spans[1])


def _parts(a: Stored, b: Stored) -> Iterator[_Part]:
    if a.address is not None and a.address == b.address and _whole(a, b):
        return
    numbers = {a.dtype, b.dtype} <= NUMERIC
    count, widths = a.size, (1, 1)
    if numbers and a.shape == b.shape:
        count, widths = a.count, (BITS[a.dtype] // 8, BITS[b.dtype] // 8)
    elif numbers and (common := rows(a, b)) is not None:
        count = common * prod(a.shape[1:])
        widths = BITS[a.dtype] // 8, BITS[b.dtype] // 8
    elif not _whole(a, b):
        return
    else:
        numbers = False
    for start in range(0, count, _PART):
        stop = min(start + _PART, count)
        yield _Part(a, b, start, stop, widths, numbers)


def _whole(a: Stored, b: Stored) -> bool:
    """Whether the same bytes would mean the same elements."""
    return a.dtype == b.dtype and a.size == b.size


def _total(
    pool: ThreadPoolExecutor, parts: list[_Part], found: list[Sums | None]
) -> Sums:
    """All parts added up; those of the same bytes still count for the norms."""
    alike = [part for part, sums_ in zip(parts, found, strict=True) if sums_ is None]
    late = pool.map(_Part.sums, alike)
    total = Sums()
    for sums_ in found:
        total.add(next(late) if sums_ is None else sums_)
    return total


@contextmanager
def threads() -> Iterator[ThreadPoolExecutor]:
    """A pool whose waiting work is dropped when somebody interrupts."""
    pool = ThreadPoolExecutor(max_workers=workers())
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def workers() -> int:
    """How many threads to use on this machine."""
    if hasattr(os, "sched_getaffinity"):
        return min(_THREADS, len(os.sched_getaffinity(0)))
    return min(_THREADS, os.cpu_count() or 1)

"""Decoding blocks: from whichever pack has them, and each no oftener than need be.

A block that builds on another one is decoded after it. What was decoded is kept for a
while, for others that build on it and for those that ask again. Every chain ends: a
base is only taken from a row of less depth than that of what builds on it, so neither
a hostile pack nor two that build on one another make a circle.
"""

import hashlib
import os
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple, Protocol

from lineage.errors import VerificationError
from lineage.store.packed.format import MAX_DEPTH, NO_BASE, Block
from lineage.store.threads import Mutex

if TYPE_CHECKING:
    from lineage.store.packed.codec import Data

_HELD = 192 << 20  # bytes of decoded blocks that are kept
_CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 4
THREADS = min(8, _CORES)
AHEAD = 2 * THREADS  # blocks that are begun before they are asked for
_importing = Mutex()


def crew() -> ThreadPoolExecutor:
    """The threads that decode for all readers of this process."""
    return _crew_of(os.getpid())  # a fork has none of its parent's


@lru_cache(maxsize=1)
def _crew_of(_process: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(THREADS, thread_name_prefix="unpacking")


class Source(Protocol):
    """What has blocks: a pack, or one in the making."""

    def find_block(self, id_: bytes) -> Block | None:
        """How a block is coded here, if it is."""

    def coded(self, block: Block) -> bytes:
        """The bytes of a block as they are coded."""


class Row(NamedTuple):
    """A block, and what has it."""

    source: Source
    block: Block


class _Held:
    """A block that is being decoded, or was."""

    def __init__(self, block: Block) -> None:
        self.depth, self.size = block.depth, block.size
        self.data: Future[Data] = Future()
        self.checked = False


class Blocks:
    """Blocks of the packs that `sources` gives.

    Where one has a damaged block, another one may have it whole; not so if `strict`.
    """

    def __init__(
        self, sources: Callable[[], Iterable[Source]], *, strict: bool = False
    ) -> None:
        self._sources, self._strict = sources, strict
        self._lock = Mutex()
        self._held: OrderedDict[tuple[int, bytes], _Held] = OrderedDict()
        self._size = 0

    def get(self, id_: bytes, *, compare: bool = True) -> "Data":
        """The bytes of a block, compared with its SHA-256 when they were decoded.

        Who compares whole files with theirs need not `compare` blocks, but has to
        read a file again, block by block, that is not what it should be.

        Raises:
            VerificationError: when they are missing or not what they should be.
        """
        try:
            held = self._decoded(id_, MAX_DEPTH + 1)
            data = held.data.result()
            held.checked = held.checked or (compare and _is(id_, data))
            if held.checked or not compare:
                return data
        except (VerificationError, OSError):
            if self._strict:
                raise
        self._forget(id_)
        return self._carefully(id_, MAX_DEPTH + 1)

    def keep(self, block: Block, data: "Data") -> None:
        """Have the bytes of a block at hand, as if it had just been decoded."""
        with self._lock:
            self._forget(block.id)
            held = self._held[os.getpid(), block.id] = _Held(block)
            held.data.set_result(data)
            held.checked = True
            self._make_room(held.size)

    def rows(self, id_: bytes, below: int = MAX_DEPTH + 1) -> Iterator[Row]:
        """Where a block is, as long as fewer than `below` bases come before it."""
        for source in self._sources():
            block = source.find_block(id_)
            if block and block.depth < below:
                yield Row(source, block)

    def row(self, id_: bytes, below: int = MAX_DEPTH + 1) -> Row | None:
        return next(self.rows(id_, below), None)

    def _decoded(self, id_: bytes, below: int) -> _Held:
        """A block that is decoded, or is being decoded by another thread.

        Waiting for others comes to an end, as only what has less depth is waited for.
        """
        row = self.row(id_, below)
        if row is None:
            raise VerificationError(f"block {id_.hex()[:12]} is in no pack")
        key = (os.getpid(), id_)  # a fork does not wait for its parent's threads
        with self._lock:
            held = self._held.get(key)
            if held and held.depth < below:
                self._held.move_to_end(key)
                return held
            self._forget(id_)
            held = self._held[key] = _Held(row.block)
            self._make_room(held.size)
        try:
            held.data.set_result(self._decode(row))
        except BaseException as error:
            self._forget(id_)
            held.data.set_exception(error)
            raise
        return held

    def _decode(self, row: Row) -> "Data":
        block = row.block
        base = None
        if block.base != NO_BASE:
            base = self._decoded(block.base, block.depth).data.result()
        return _decode(row, base)

    def _carefully(self, id_: bytes, below: int) -> "Data":
        """A block from the first place where it, and all it builds on, is sound."""
        why = f"block {id_.hex()[:12]} is in no pack"
        for row in islice(self.rows(id_, below), 1 if self._strict else None):
            why = f"block {id_.hex()[:12]} of {row.source} does not have its SHA-256"
            try:
                data = _decode(row, self._base(row.block))
            except (VerificationError, OSError) as error:
                why = f"block {id_.hex()[:12]} of {row.source} is damaged: {error}"
            else:
                if _is(id_, data):
                    return data
        raise VerificationError(why, hint="run `lineage verify`")

    def _base(self, block: Block) -> "Data | None":
        if block.base == NO_BASE:
            return None
        return self._carefully(block.base, block.depth)

    def _make_room(self, size: int) -> None:
        self._size += size
        while self._size > _HELD:
            _, gone = self._held.popitem(last=False)
            self._size -= gone.size

    def _forget(self, id_: bytes) -> None:
        with self._lock:
            if gone := self._held.pop((os.getpid(), id_), None):
                self._size -= gone.size


def _decode(row: Row, base: "Data | None") -> "Data":
    with _importing:  # of two threads, one would see what the other failed to import
        from lineage.store.packed.codec import decode

    block = row.block
    coded = row.source.coded(block)
    return decode(coded, block.method, block.width, block.size, base)


def _is(id_: bytes, data: "Data") -> bool:
    return hashlib.sha256(data).digest() == id_

"""Reading a packed file as if it were one: blocks are decoded ahead by threads."""

import io
import os
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import accumulate
from typing import TYPE_CHECKING

from lineage.store.packed.format import Segment

if TYPE_CHECKING:
    from lineage.store.packed.codec import Data
    from lineage.store.packed.packs import Packs

_THREADS = min(8, os.cpu_count() or 1)


class Stream(io.BufferedIOBase):
    """The bytes of the segments, one after the other; seekable, not writable."""

    def __init__(self, packs: "Packs", segments: Sequence[Segment], size: int) -> None:
        self._packs, self._segments, self.size = packs, segments, size
        lengths = (segment.length for segment in segments)
        self._starts = list(accumulate(lengths, initial=0))
        self._at = 0
        self._crew = ThreadPoolExecutor(_THREADS)
        self._ahead: OrderedDict[bytes, Future[Data]] = OrderedDict()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self.size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def read(self, size: int | None = -1, /) -> bytes:
        left = self.size - self._at
        wanted = left if size is None or size < 0 else min(size, left)
        parts = []
        while wanted > 0 and (part := self._part(wanted)):
            parts.append(part)
            wanted -= len(part)
            self._at += len(part)
        return (
            parts[0]
            if len(parts) == 1 and isinstance(parts[0], bytes)
            else b"".join(parts)
        )

    def read1(self, size: int = -1, /) -> bytes:
        return self.read(size)

    def readinto(self, buffer, /) -> int:  # type: ignore[no-untyped-def]
        view = memoryview(buffer).cast("B")
        data = self.read(len(view))
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._crew.shutdown(wait=False, cancel_futures=True)
        self._ahead.clear()
        super().close()

    def _part(self, wanted: int) -> bytes | memoryview:
        """Bytes from here on, at most `wanted`, of one segment."""
        number = bisect_right(self._starts, self._at) - 1
        if number >= len(self._segments):
            return b""
        segment = self._segments[number]
        skip = self._at - self._starts[number]
        data = memoryview(self._decoded(number))
        first = segment.start + skip
        return data[first : first + min(wanted, segment.length - skip)]

    def _decoded(self, number: int) -> "Data":
        """The block of a segment; those after it are begun."""
        for segment in self._segments[number : number + 2 * _THREADS]:
            if segment.block not in self._ahead:
                task = self._crew.submit(self._packs.block, segment.block)
                self._ahead[segment.block] = task
        wanted = self._segments[number].block
        self._ahead.move_to_end(wanted)
        while len(self._ahead) > 3 * _THREADS:
            self._ahead.popitem(last=False)[1].cancel()
        return self._ahead[wanted].result()

"""Reading a packed file as if it were one: threads decode what is likely next."""

import io
import os
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from lineage.store.packed.blocks import AHEAD, Blocks, crew
from lineage.store.packed.format import Segment

if TYPE_CHECKING:
    from concurrent.futures import Future

    from lineage.store.packed.codec import Data


class Stream(io.BufferedIOBase):
    """The bytes of the segments, one after the other; seekable, not writable.

    `held` is what must not be let go of while this is open. One thread reads at a
    time, as with any file.

    Raises:
        VerificationError: on reading, when a block is missing or damaged.
    """

    def __init__(
        self, blocks: Blocks, segments: Sequence[Segment], held: object = None
    ) -> None:
        self._blocks, self._segments, self._holds = blocks, segments, held
        lengths = (segment.length for segment in segments)
        self._starts = list(accumulate(lengths, initial=0))
        self.size = self._starts[-1]
        self._at = 0
        self._last = -1  # the segment that was read last
        self._view: memoryview = memoryview(b"")  # its bytes
        self._ahead: OrderedDict[int, Future[Data]] = OrderedDict()
        self._process = os.getpid()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        self._check_open()
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        self._check_open()
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self.size}[whence]
        if start + offset < 0:
            raise ValueError("cannot seek to before the beginning")
        self._at = start + offset
        return self._at

    def read(self, size: int | None = -1, /) -> bytes:
        self._check_open()
        left = max(0, self.size - self._at)
        wanted = left if size is None or size < 0 else min(size, left)
        end = self._at + wanted
        parts = [self._part(end)]
        while self._at < end:
            parts.append(self._part(end))
        return bytes(parts[0]) if len(parts) == 1 else b"".join(parts)

    def read1(self, size: int = -1, /) -> bytes:
        """What one block has of it, at most `size` bytes."""
        self._check_open()
        end = self.size if size < 0 else min(self.size, self._at + size)
        return bytes(self._part(end))

    def readinto(self, buffer: Any, /) -> int:
        self._check_open()
        view = memoryview(buffer).cast("B")
        begin, end = self._at, min(self.size, self._at + len(view))
        while self._at < end:
            done = self._at - begin
            part = self._part(end)
            view[done : done + len(part)] = part
        return max(0, self._at - begin)

    readinto1 = readinto

    def close(self) -> None:
        for task in self._ahead.values():
            task.cancel()
        self._ahead.clear()
        self._view, self._holds = memoryview(b""), None
        super().close()

    def _check_open(self) -> None:
        if self.closed:
            raise ValueError("I/O operation on closed file")

    def _part(self, end: int) -> memoryview:
        """Bytes from here on, up to `end`, of one segment."""
        if self._at >= end:
            return memoryview(b"")
        number = bisect_right(self._starts, self._at) - 1
        if number != self._last:
            self._view = self._segment(number, end)
            self._last = number
        first = self._at - self._starts[number]
        part = self._view[first : first + end - self._at]
        self._at += len(part)
        return part

    def _segment(self, number: int, end: int) -> memoryview:
        """The bytes of a segment; those after it are begun if they are likely next.

        They are where they are read up to `end` now, or in a row with the last ones.
        """
        last = bisect_right(self._starts, end - 1) - 1
        if number == self._last + 1 and number > 0:
            last = len(self._segments) - 1
        self._begin(number, min(last, number + AHEAD))
        segment, task = self._segments[number], self._ahead.pop(number, None)
        return segment.of(task.result() if task else self._blocks.get(segment.block))

    def _begin(self, number: int, last: int) -> None:
        """Let threads decode the segments from `number` to `last`, and no others."""
        if self._process != os.getpid():  # the threads are those of our parent
            self._process = os.getpid()
            self._ahead.clear()
        for other in [key for key in self._ahead if not number <= key <= last]:
            self._ahead.pop(other).cancel()
        if last > number:
            for other in range(number, last + 1):
                if other not in self._ahead:
                    block = self._segments[other].block
                    self._ahead[other] = crew().submit(self._blocks.get, block)

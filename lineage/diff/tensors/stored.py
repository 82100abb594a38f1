"""Tensors as they are stored: a name, a form, and where the bytes lie."""

from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

    Bytes = np.ndarray[tuple[int], np.dtype[np.uint8]]


class Source(Protocol):
    """Bytes that can be read in part."""

    def read(self, start: int, stop: int) -> "Bytes":
        """The bytes from `start` up to `stop`, which are not copied."""

    def release(self, start: int, stop: int) -> None:
        """Let go of them; they can be read again."""


@dataclass(frozen=True)
class Stored:
    """One tensor in a file.

    `size` bytes from `start` of `source` hold its elements in C order; `address` is
    where they lie, the same for the same bytes.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    source: Source
    start: int
    size: int
    address: tuple[str, int] | None = None

    @property
    def count(self) -> int:
        """How many elements it has."""
        return prod(self.shape)

    def read(self, start: int, stop: int) -> "Bytes":
        """Bytes of it, counted from its own first one."""
        return self.source.read(self.start + start, self.start + stop)

    def release(self, start: int, stop: int) -> None:
        self.source.release(self.start + start, self.start + stop)


@dataclass
class Contents:
    """What a file of weights holds; `facts` is what it says beside its tensors."""

    tensors: list[Stored] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)


class Mapped:
    """A file mapped into memory; pages that were read are given back."""

    def __init__(self, path: Path) -> None:
        import mmap

        import numpy as np

        with path.open("rb") as file:
            self._map = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        self._advice, self._page = mmap.MADV_DONTNEED, mmap.PAGESIZE
        self._bytes = np.frombuffer(self._map, dtype=np.uint8)

    def __len__(self) -> int:
        return len(self._bytes)

    def read(self, start: int, stop: int) -> "Bytes":
        return self._bytes[start:stop]

    def release(self, start: int, stop: int) -> None:
        first = start // self._page * self._page
        self._map.madvise(self._advice, first, stop - first)


class Held:
    """Bytes that must be unpacked; they are kept until their end is released."""

    def __init__(self, unpack: "Callable[[], Bytes]", size: int) -> None:
        self._unpack, self._size = unpack, size
        self._bytes: Bytes | None = None

    def read(self, start: int, stop: int) -> "Bytes":
        whole = self._bytes
        if whole is None:
            whole = self._bytes = self._unpack()
        return whole[start:stop]

    def release(self, start: int, stop: int) -> None:
        del start
        if stop >= self._size:
            self._bytes = None

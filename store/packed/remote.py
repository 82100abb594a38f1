"""The packs at a remote: which files they make, and reading blocks in parts.

Tables are kept below a folder of this machine once they were read; a pack never
changes, so they stay right.
"""

from collections import OrderedDict
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, BinaryIO, Protocol, cast

from lineage.errors import VerificationError
from lineage.store.disk import write_atomically
from lineage.store.files import FileEntry
from lineage.store.packed.blocks import Blocks
from lineage.store.packed.closure import Closure
from lineage.store.packed.format import (
    TRAILER_SIZE,
    Block,
    PackedFile,
    Tables,
    read_tables,
    read_trailer,
)
from lineage.store.packed.stream import Stream
from lineage.store.reading import Progress, write_out

if TYPE_CHECKING:
    from lineage.store.packed.packs import Pack

_WINDOW = 1 << 20  # bytes asked for at once, so that small blocks come together
_KEPT = 32  # windows
_READERS = 8  # tables at once


class Parts(Protocol):
    """What gives packs in parts: a remote."""

    def packs(self) -> dict[str, int]:
        """The sizes of the packs by name."""

    def part(self, name: str, start: int, end: int) -> bytes:
        """The bytes of a pack from `start` to before `end`."""


class RemotePack:
    """One pack at a remote."""

    def __init__(self, remote: Parts, name: str, size: int, known: Path) -> None:
        self.name, self.size = name, size
        self._remote = remote
        self._windows: OrderedDict[int, bytes] = OrderedDict()
        self._lock = Lock()
        self.tables = self._tables(known / name)

    def __str__(self) -> str:
        return f"the pack {self.name[:12]}"

    def find_block(self, id_: bytes) -> Block | None:
        """How a block is coded here, if it is."""
        return self.tables.block(id_)

    def coded(self, block: Block) -> bytes:
        """The bytes of a block as they are coded."""
        start, end = block.offset, block.offset + block.stored
        if block.stored >= _WINDOW:
            return self._remote.part(self.name, start, end)
        first, last = start // _WINDOW, (end - 1) // _WINDOW
        data = b"".join(self._window(number) for number in range(first, last + 1))
        return data[start - first * _WINDOW : end - first * _WINDOW]

    def _window(self, number: int) -> bytes:
        with self._lock:
            if number in self._windows:
                self._windows.move_to_end(number)
                return self._windows[number]
        start = number * _WINDOW
        end = min(start + _WINDOW, self.size)
        data = self._remote.part(self.name, start, end)
        with self._lock:
            self._windows[number] = data
            while len(self._windows) > _KEPT:
                self._windows.popitem(last=False)
        return data

    def _tables(self, known: Path) -> Tables:
        """The tables, from what was read before if that is as it was."""
        with suppress(FileNotFoundError, VerificationError):
            return _read(known.read_bytes(), self.size)
        data = self._end()
        tables = _read(data, self.size)
        with suppress(OSError):  # somebody else may be writing it
            known.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(known, data)
        return tables

    def _end(self) -> bytes:
        """The tables and the trailer, as they are at the remote."""
        end = max(0, self.size - TRAILER_SIZE)
        last = self._remote.part(self.name, end, self.size)
        begin = read_trailer(last, self.size).begin
        return self._remote.part(self.name, begin, end) + last


def _read(data: bytes, size: int) -> Tables:
    trailer = read_trailer(data[-TRAILER_SIZE:], size)
    tables = read_tables(trailer, data[:-TRAILER_SIZE])
    tables.check()
    return tables


class RemotePacks:
    """All packs at a remote; those that are `here` too are read from the disk.

    `sizes` are those at the remote; `damaged` says why some of them cannot be read.
    """

    def __init__(self, remote: Parts, here: Iterable["Pack"], known: Path) -> None:
        self.sizes = remote.packs()
        self.damaged: dict[str, str] = {}
        read = partial(self._read, remote, known)
        with ThreadPoolExecutor(_READERS) as crew:
            there = list(filter(None, crew.map(read, sorted(self.sizes.items()))))
        near = {pack.name: pack for pack in here if not pack.damage}
        self.packs: dict[str, Pack | RemotePack] = {
            **near,
            **{pack.name: pack for pack in there if pack.name not in near},
        }
        self.closure = Closure(self.packs)
        self._blocks = Blocks(self.packs.values)

    def read(self, name: str, file: PackedFile) -> BinaryIO:
        """A file, of which the pack `name` says this; what is not here comes in parts.

        Raises:
            VerificationError: on reading, when a block is missing or damaged.
        """
        segments = self.packs[name].tables.segments(file)
        return cast("BinaryIO", Stream(self._blocks, segments))

    def write(
        self, name: str, file: PackedFile, copy: Path, progress: Progress
    ) -> FileEntry:
        """Write such a file whole to the new file `copy`; its size and digests.

        Raises:
            VerificationError: when a block is missing or damaged.
        """
        with self.read(name, file) as source:
            return write_out(source, file.size, copy, progress)

    def _read(
        self, remote: Parts, known: Path, one: tuple[str, int]
    ) -> RemotePack | None:
        name, size = one
        try:
            return RemotePack(remote, name, size, known)
        except FileNotFoundError:
            return None  # it went meanwhile
        except VerificationError as error:
            self.damaged[name] = str(error)
            return None


def packs_at(remote: Parts, home: Path, here: Iterable["Pack"] = ()) -> RemotePacks:
    """The packs at a remote as they are now, and those that are `here`.

    Raises:
        StoreError: when the remote cannot be asked.
    """
    return RemotePacks(remote, here, home / "remote-packs")

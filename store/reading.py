"""Reading a file once: its MD5, its SHA-256 and a copy, in one pass.

MD5 (DVC's address) cannot be spread over cores and is the floor of a large file.
SHA-256 (our identity) is made on another thread, and the copy goes to the disk
meanwhile, so that the sync at the end finds little left to write.
"""

import hashlib
import os
from collections.abc import Callable
from contextlib import suppress
from io import BufferedIOBase, FileIO, UnsupportedOperation
from itertools import cycle
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from lineage.errors import StoreError
from lineage.store.disk import reflink, start_writing_out
from lineage.store.files import FILE, FileEntry
from lineage.store.hashes import Stamp, mode_of
from lineage.store.scan import Found

if TYPE_CHECKING:
    from concurrent.futures import Future

Progress = Callable[[int], None]
"""Called with the number of bytes done since the last call."""


def unwatched(_: int) -> None:
    """Nobody watches."""


_CHUNK = 1 << 20
_SMALL = 4 << 20  # up to here starting threads costs more than it saves
STRETCH = 16 << 20  # what the disk is given at once


def read_once(
    item: Found, copy: Path | None, progress: Progress
) -> tuple[FileEntry, os.stat_result]:
    """Hash the file `item`, and write its bytes to the new file `copy`, if given.

    Raises:
        StoreError: when it cannot be read, or changes while it is read.
    """
    with _source(item) as source:
        read = _read(source, item.stat.st_size, copy, progress)
        stat = os.fstat(source.fileno())
    if Stamp.of(stat) != Stamp.of(item.stat) or read.size != stat.st_size:
        hint = "commit it once nothing writes to it"
        raise StoreError(f"{item.source} changed while it was read", hint=hint)
    return read._replace(path=item.path, mode=mode_of(stat)), stat


def write_out(
    source: BinaryIO, size: int, copy: Path, progress: Progress = unwatched
) -> FileEntry:
    """Write an open packed file of `size` bytes to the new file `copy`; what it was."""
    return _read(cast("BufferedIOBase", source), size, copy, progress)


def _read(
    source: FileIO | BufferedIOBase, size: int, copy: Path | None, progress: Progress
) -> FileEntry:
    """Copy and hash; the size and the digests."""
    read = _read_small if size <= _SMALL else _read_large
    with FileIO(copy or os.devnull, "w") as file:
        out = Copy(file)
        md5, sha256 = read(source, size, out, progress)
        if copy:
            os.fchmod(file.fileno(), 0o444)
            out.send(_CHUNK)
    return FileEntry("", FILE, out.size, sha256, md5)


class Copy:
    """The copy in the making, sent to the disk stretch by stretch."""

    def __init__(self, file: FileIO) -> None:
        self._file = file
        self._cloned = False
        self.size = self._sent = 0

    def clone(self, source: FileIO | BufferedIOBase) -> None:
        """Share the blocks of `source`, where the file system can: nothing to write.

        Should `source` change before it has been read, then so does its stamp.
        """
        with suppress(UnsupportedOperation):  # a packed file has none
            self._cloned = reflink(source.fileno(), self._file.fileno())

    def write(self, data: memoryview) -> None:
        if self._cloned:
            self.size += len(data)
            return
        while data:
            written = self._file.write(data)
            self.size += written
            data = data[written:]

    def send(self, least: int) -> None:
        """Start writing out what has come since the last time, if it is enough."""
        length = self.size - self._sent
        if length >= least:
            start_writing_out(self._file.fileno(), self._sent, length)
            self._sent = self.size


def _source(item: Found) -> FileIO:
    try:
        return FileIO(item.source)
    except OSError as error:
        raise StoreError(f"{item.source} cannot be read: {error.strerror}") from None


def _read_small(
    source: FileIO | BufferedIOBase, _: int, out: Copy, progress: Progress
) -> tuple[str, str]:
    data = source.read() or b""
    out.write(memoryview(data))
    progress(len(data))
    md5 = hashlib.md5(data, usedforsecurity=False)
    return md5.hexdigest(), hashlib.sha256(data).hexdigest()


def _read_large(
    source: FileIO | BufferedIOBase, size: int, out: Copy, progress: Progress
) -> tuple[str, str]:
    """A thread per hash, reading and writing here; three chunks at a time.

    A file that grows while it is read is not followed for ever.
    """
    from concurrent.futures import ThreadPoolExecutor

    md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
    pending: list[Future[None]] = []
    out.clone(source)
    with ThreadPoolExecutor(1) as first, ThreadPoolExecutor(1) as second:
        for buffer in cycle([bytearray(_CHUNK) for _ in range(3)]):
            chunk = memoryview(buffer)[: source.readinto(buffer)]
            if not chunk or out.size > size:
                break
            _wait(pending, 2)
            pending.append(first.submit(md5.update, chunk))
            pending.append(second.submit(sha256.update, chunk))
            out.write(chunk)
            out.send(STRETCH)
            progress(len(chunk))
        _wait(pending, 0)
    return md5.hexdigest(), sha256.hexdigest()


def _wait(pending: "list[Future[None]]", leave: int) -> None:
    while len(pending) > leave:
        pending.pop(0).result()


def found(path: Path) -> Found:
    """A file as `read_once` takes it."""
    return Found(str(path), path.name, path.stat())


def compared(path: Path, entry: FileEntry, progress: Progress) -> str:
    """What tells the bytes at `path` from those of an entry; empty if nothing.

    They are no progress, but `progress` may end it.
    """
    if path.stat().st_size != entry.size:
        return f"is {path.stat().st_size} bytes long instead of {entry.size}"
    return judged(read_once(found(path), None, lambda _: progress(0))[0], entry)


def judged(read: FileEntry, entry: FileEntry) -> str:
    """What tells digests that were just made from those of an entry."""
    if read.size != entry.size:
        return f"is {read.size} bytes long instead of {entry.size}"
    if read.sha256 != entry.sha256:
        return "does not have its recorded SHA-256"
    if entry.md5 and read.md5 != entry.md5.partition(".")[0]:
        return "does not have its recorded MD5"
    return ""

"""Writing an object's bytes to a new file: read once, hashed, and copied.

SHA-256 and the copy share what was read, so that what was compared is what was written.
Of a large file the hash is made on another thread: the copy alone is the floor then, or
the hash alone, whichever is slower.
"""

import hashlib
import os
from contextlib import suppress
from io import BufferedIOBase, FileIO, UnsupportedOperation
from itertools import cycle
from typing import TYPE_CHECKING

from lineage.store.disk import reflink

if TYPE_CHECKING:
    from concurrent.futures import Future

_CHUNK = 1 << 20
_SMALL = 1 << 20  # up to here starting a thread costs more than it saves
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL


def give(source: FileIO | BufferedIOBase, size: int, target: str, mode: int) -> str:
    """Copy an open object of `size` bytes to the new file `target`.

    Returns:
        The SHA-256 of what was read, whatever its size turned out to be.
    """
    out = os.open(target, _NEW, mode)
    try:
        if size > _SMALL:
            return _in_chunks(source, None if _cloned(source, out) else out)
        data = source.read() or b""
        _write(out, memoryview(data))
        return hashlib.sha256(data).hexdigest()
    finally:
        os.close(out)


def _in_chunks(source: FileIO | BufferedIOBase, out: int | None) -> str:
    """Three buffers, of which two are being hashed while the third is filled."""
    from concurrent.futures import ThreadPoolExecutor

    found = hashlib.sha256()
    pending: list[Future[None]] = []
    with ThreadPoolExecutor(1) as hashing:
        for buffer in cycle([bytearray(_CHUNK) for _ in range(3)]):
            chunk = memoryview(buffer)[: source.readinto(buffer)]
            if not chunk:
                break
            if len(pending) == 2:
                pending.pop(0).result()
            pending.append(hashing.submit(found.update, chunk))
            if out is not None:
                _write(out, chunk)
    return found.hexdigest()


def _write(out: int, data: memoryview) -> None:
    while data:
        data = data[os.write(out, data) :]


def _cloned(source: FileIO | BufferedIOBase, out: int) -> bool:
    """Whether `out` now shares the blocks of `source`; a packed file has none."""
    with suppress(UnsupportedOperation):
        return reflink(source.fileno(), out)
    return False

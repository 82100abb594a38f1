"""Files and durability: what every writer of this room needs of the disk."""

import fcntl
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from errno import EDQUOT, EFBIG, ENOSPC
from pathlib import Path

from lineage.errors import StoreError, UsageError

_FICLONE = 0x40049409  # ioctl_ficlone(2)
_LEAST = 1 << 14  # bytes, below which a disk counts as full
_FEW = 32  # up to here one fsync per file is faster than a sync of the file system


def read_file(path: Path) -> bytes:
    """The bytes of a file that somebody named.

    Raises:
        StoreError: when it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise StoreError(f"{path} cannot be read: {error.strerror}") from None


def sync_files(paths: Iterable[Path]) -> None:
    """Put the bytes of `paths` (one file system) on disk before returning."""
    pending = list(paths)
    if len(pending) > _FEW and _sync_file_system(pending[0]):
        return
    for path in pending:
        sync_path(path)


def check_place(place: Path) -> None:
    """Refuse a place for a folder where something else is, there or above.

    Raises:
        UsageError: with what is in the way.
    """
    there = (p for p in (place, *place.parents) if os.path.lexists(p))
    if (first := next(there, None)) and not first.is_dir():
        raise UsageError(f"{first} is no folder", hint="choose another place")


def check_no_device(path: Path) -> None:
    """Refuse to let a file take the place of a pipe or a device: others use it.

    Raises:
        UsageError: when `path` is one; a link to one is a link.
    """
    if os.path.lexists(path) and not (
        path.is_symlink() or path.is_file() or path.is_dir()
    ):
        message = f"{path} is a pipe or a device, and no file"
        raise UsageError(message, hint="choose another place")


def make_folder(path: str) -> set[str]:
    """Make a folder and those above it; what has to be synced for it to last.

    Others may be making the same ones.
    """
    parent = os.path.dirname(path)
    made: set[str] = set()
    try:
        os.mkdir(path)
    except FileNotFoundError:
        made = make_folder(parent)
        with suppress(FileExistsError):
            os.mkdir(path)
    except FileExistsError:
        return made
    return made | {parent}


def sync_path(path: Path) -> None:
    """Put one file or directory on disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_file_system(path: Path) -> bool:
    """One syncfs(2) for all; False where the system has none."""
    import ctypes

    syncfs = getattr(ctypes.CDLL(None, use_errno=True), "syncfs", None)
    if syncfs is None:
        return False
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return bool(syncfs(descriptor) == 0)
    finally:
        os.close(descriptor)


def start_writing_out(descriptor: int, offset: int, length: int) -> None:
    """Send a range of a file on its way to the disk without waiting for it.

    Linux does so before it looks which pages of the range it may forget; those on
    their way stay cached. A sync is still due, but finds little left to do.
    """
    if hasattr(os, "posix_fadvise"):
        with suppress(OSError):
            os.posix_fadvise(descriptor, offset, length, os.POSIX_FADV_DONTNEED)


def reflink(source: int, target: int) -> bool:
    """Let `target` share the blocks of `source`, where the file system can."""
    try:
        fcntl.ioctl(target, _FICLONE, source)
    except OSError:
        return False
    return True


def write_atomically(path: Path, data: bytes, *, sync: bool = False) -> None:
    """Replace `path` by `data` so that a reader or a crash sees the old or the new.

    A power cut may leave an empty file, or zeros, unless `sync`. Call it under a
    lock: all writers of `path` use one temporary name, so that what a killed one
    left is used up by the next.
    """
    temporary = path.with_name(f".{path.name}.new")
    try:
        temporary.write_bytes(data)
        if sync:
            sync_path(temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def locked(path: Path, *, wait: bool = True, shared: bool = False) -> Iterator[int]:
    """Hold a flock on `path`, exclusive unless `shared`; yields its descriptor.

    The kernel drops it with the last process that holds the descriptor, so a
    killed writer never leaves a stale lock.

    Raises:
        BlockingIOError: when `wait` is False and somebody else holds it.
    """
    how = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    descriptor = _lock(path, how | (0 if wait else fcntl.LOCK_NB))
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _lock(path: Path, how: int) -> int:
    """Open and lock the file that is at `path` once the lock is held."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(descriptor, how)
            if os.path.samefile(descriptor, path):
                return descriptor
        except FileNotFoundError:
            pass
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


@contextmanager
def disk_errors(doing: str) -> Iterator[None]:
    """Turn an OSError into one sentence about what failed while `doing`."""
    try:
        yield
    except OSError as error:
        where = f" ({os.fsdecode(error.filename)})" if error.filename else ""
        reason = error.strerror or str(error)
        raise StoreError(f"{doing} failed: {reason}{where}") from error


def full(place: Path, words: str) -> OSError | None:
    """What kept a program from writing at `place`, if its words are about that."""
    for code in (ENOSPC, EDQUOT, EFBIG):
        if os.strerror(code) in words:
            return OSError(code, os.strerror(code))
    room = os.statvfs(place)
    if "write" in words and room.f_bavail * room.f_frsize < _LEAST:
        return OSError(ENOSPC, os.strerror(ENOSPC))
    return None


def held(path: Path) -> bytes | None:
    """What a file holds, None where there is none."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return None

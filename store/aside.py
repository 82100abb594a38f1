"""A folder that is made aside and takes its place only when it is whole."""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def made_aside(place: Path) -> Iterator[tuple[Path, tuple[int, ...]]]:
    """An empty folder that becomes `place` afterwards; failure leaves nothing.

    What a killed maker left is removed first. With it come the descriptors that a
    process which writes there has to hold, so that it is waited for. A `place` that is
    there already, perhaps a mount, is filled where it is.
    """
    if place.is_dir():
        try:
            yield place, ()
        except BaseException:
            _empty(place)
            raise
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    work = place.with_name(f".{place.name}.part")
    with _held(work) as lock:
        try:
            _empty(work)
            yield work, (lock,)
            work.rename(place)
        finally:
            shutil.rmtree(work, ignore_errors=True)


@contextmanager
def _held(folder: Path) -> Iterator[int]:
    """Make a folder and hold a lock on it; the kernel drops it with its holders."""
    while True:
        folder.mkdir(exist_ok=True)
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            with suppress(FileNotFoundError):
                if os.path.samefile(descriptor, folder):
                    yield descriptor
                    return
        finally:
            os.close(descriptor)


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()

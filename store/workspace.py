"""A directory for copies on their way, which others sweep once its writer is gone.

A writer makes a directory and holds a lock beside it. The kernel drops the lock with
the process, so a lock that can be taken belongs to nobody, and its copies may go.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from lineage.store.disk import disk_errors, locked, make_folder, sync_files


@contextmanager
def workspace(parent: Path, what: str) -> Iterator[Path]:
    """A fresh directory in `parent`, gone afterwards; `what` is written to for it."""
    with disk_errors(f"writing to {what}"):
        sync_files(map(Path, make_folder(str(parent))))
        sweep(parent)
        work = parent / os.urandom(8).hex()
        lock = work.with_suffix(".lock")
    with locked(lock):
        try:
            work.mkdir()
            yield work
        finally:
            _discard(work)
            lock.unlink(missing_ok=True)


def sweep(parent: Path) -> None:
    """Remove the copies of writers that are gone: their lock can be taken."""
    for lock in parent.glob("*.lock"):
        with suppress(OSError), locked(lock, wait=False):
            _discard(lock.with_suffix(""))
            lock.unlink(missing_ok=True)


def _discard(work: Path) -> None:
    """Remove a directory of copies; what is published by now has its other links."""
    with suppress(OSError):
        for copy in work.iterdir():
            copy.unlink()
        work.rmdir()

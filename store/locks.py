"""The lock files that git takes for us, told from those of everybody else.

A git that is killed leaves its lock files behind, and no later one can move those
refs. Nobody may remove the lock of a git that lives, such as a `git gc` in the
background. So we write down which locks our git is about to take, and whoever holds
the registry's lock afterwards (our git inherits it) removes these and no others.
"""

import re
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from lineage.errors import Conflict, StoreError
from lineage.store.disk import sync_path

PACKED = "packed-refs"
_HELD = re.compile(r"nable to create (?:file )?'?(.+?)'?: File exists", re.DOTALL)
_PATIENCE = 1.0  # seconds, after which a lock that our note names is not another git's


class OwnLocks:
    """The note of one repository; use it under the registry's lock."""

    def __init__(self, common: Path, home: Path) -> None:
        self._common = common
        self._note = home / "moving"

    def write_down(self, refs: Iterable[str]) -> None:
        """Note the refs that git is about to lock; on disk before it does."""
        self._note.parent.mkdir(exist_ok=True)
        note = "".join(f"{ref}\n" for ref in refs)
        self._note.write_bytes(note.encode(errors="surrogateescape"))
        sync_path(self._note)

    def done(self) -> None:
        """Git has ended by itself and taken its locks away."""
        with suppress(OSError):  # a note of locks that are not there does no harm
            self._note.unlink()

    def sweep(self) -> None:
        """Remove the locks that a killed git of ours left."""
        try:
            note = self._note.read_bytes().decode(errors="surrogateescape")
        except FileNotFoundError:
            return
        refs = note.split("\n")[:-1]
        paths = [self._common / f"{ref}.lock" for ref in refs]
        if PACKED in refs:
            paths.append(self._common / f"{PACKED}.new")
        locks = {path: _inode(path) for path in paths}
        patience = time.monotonic() + _PATIENCE  # file times need not be our clock's
        while any(map(_inode, paths)) and time.monotonic() < patience:
            time.sleep(0.02)
        for path, inode in locks.items():
            if inode and inode == _inode(path):
                path.unlink(missing_ok=True)
        self._note.unlink()


def not_moved(error: StoreError) -> StoreError:
    """What it means that git did not move refs: a conflict, a lock, or what it says."""
    words = str(error)
    if "but expected" in words or "already exists" in words:
        hint = "run the command again"
        return Conflict(f"a ref moved meanwhile: {words}", hint=hint)
    if held := _HELD.search(words):
        hint = "run the command again; if no git is running, remove that file"
        return StoreError(f"another git process holds {held[1]}", hint=hint)
    return error


def _inode(path: Path) -> int | None:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return None

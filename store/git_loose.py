"""Loose objects, as git lays them out: one compressed file each, read-only."""

import os
import time
import zlib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from lineage.store.disk import sync_files
from lineage.store.git_objects import GitObject

_TEMPORARY = "tmp_obj_lineage_"  # `git prune` removes tmp_obj_* too
_OLD = 24 * 60 * 60  # seconds


class Loose:
    """The objects that lie loose in a repository's folder of objects."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, objects: Mapping[str, GitObject]) -> None:
        """Write objects that are not there yet, by oid, with one sync for all.

        Those that are there become new again, as git does it: a `git prune` that began
        when nothing named them then leaves them alone.
        """
        paths = {oid: self._folder / oid[:2] / oid[2:] for oid in objects}
        pending = [oid for oid, path in paths.items() if not _freshen(path)]
        if not pending:
            return
        self.sweep()
        staged = {oid: self._temporary() for oid in pending}
        try:
            for oid, temporary in staged.items():
                _stage(objects[oid], temporary)
            sync_files(staged.values())
            for oid, temporary in staged.items():
                _place(temporary, paths[oid])
        finally:
            for temporary in staged.values():
                temporary.unlink(missing_ok=True)

    def sweep(self) -> None:
        """Remove the copies that killed writers left; call it under the lock."""
        for path in self._folder.glob(f"{_TEMPORARY}*"):
            path.unlink(missing_ok=True)

    def sweep_old(self) -> None:
        """Remove what a git that was killed, or met a full disk, left a day ago.

        `git gc` does so after two weeks, but nobody may run it here. A git that works
        writes to its files.
        """
        for path in self._folder.glob("**/tmp_*"):
            with suppress(OSError):  # another may sweep, too
                if time.time() - path.stat().st_mtime > _OLD:
                    path.unlink()

    def _temporary(self) -> Path:
        return self._folder / f"{_TEMPORARY}{os.urandom(8).hex()}"


def _stage(item: GitObject, path: Path) -> None:
    """Write `item` to the new file `path`, as git lays out a loose object."""
    header = f"{item.kind} {len(item.data)}\0".encode()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o444)
    with os.fdopen(descriptor, "wb") as file:
        file.write(zlib.compress(header + item.data, 1))


def _freshen(path: Path) -> bool:
    """Give a file today's date; False where it is missing or somebody else's."""
    try:
        os.utime(path)
    except OSError:
        return False
    return True


def _place(temporary: Path, path: Path) -> None:
    """Rename into a folder that `git gc` may remove again while it is empty."""
    while True:
        path.parent.mkdir(exist_ok=True)
        try:
            temporary.replace(path)
        except FileNotFoundError:
            if not temporary.exists():
                raise
        else:
            return

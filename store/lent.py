"""Objects as plain files of the reader's own, for readers that need a path.

Others may pack an object, or unpack it, while its path is in somebody's hands. So a
loose one is lent as a hard link, which costs nothing, and a packed one is *thawed*:
written out. Both lie in a directory of this process's own in the cache's workspace,
called after their MD5, and are gone when it ends; should it be killed, the next
writer or `gc` sweeps them. Of what nobody is using, `KEPT` bytes stay.
"""

import os
import weakref
from collections import OrderedDict
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from shutil import copyfileobj
from threading import RLock
from typing import TYPE_CHECKING, BinaryIO

from lineage.errors import StoreError
from lineage.store.disk import disk_errors
from lineage.store.workspace import workspace

if TYPE_CHECKING:
    from lineage.store.packed.packs import Packs

KEPT = 1 << 30  # bytes that were thawed and may be wanted again
_CHUNK = 4 << 20


@dataclass(slots=True)
class _File:
    """What is lent, the bytes that it takes, and how many are using it."""

    path: Path
    size: int = 0
    users: int = 0


class Lent:
    """What one reader has of others' files; its threads may share it."""

    def __init__(self, parent: Path) -> None:
        self._parent = parent
        self._lock = RLock()
        self._files: OrderedDict[str, _File] = OrderedDict()
        self._work: Path | None = None
        self._stack = ExitStack()
        weakref.finalize(self, _end, self._stack, os.getpid())

    def link(self, oid: str, source: Path) -> Path:
        """A link to a loose object; where none can be made, the object.

        Raises:
            FileNotFoundError: when it is not there any more.
        """
        with self._lock:
            if held := self._held(oid):
                return held
            try:
                path = self._folder() / oid
                os.link(source, path)
            except FileNotFoundError:
                raise
            except (OSError, StoreError):  # a disk that only can be read, most likely
                return source
            return self._lend(oid, _File(path))

    def thaw(self, oid: str, packs: "Packs") -> Path | None:
        """A file with the bytes of a packed object; None if it is none.

        Raises:
            StoreError: when the disk takes no more.
            VerificationError: when the pack is damaged.
        """
        with self._lock:
            if held := self._held(oid):
                return held
            source = packs.open(oid)
            if source is None:
                return None
            with source, disk_errors("writing out a packed file"):
                path = self._folder() / oid
                return self._lend(oid, _File(path, _write(path, source)))

    def let_go(self, oid: str) -> None:
        """One user less; a file that was not lent is no error."""
        with self._lock:
            if oid in self._files:
                self._files[oid].users -= 1
            self._trim()

    def rest(self) -> None:
        """Nobody uses any of them now."""
        with self._lock:
            for file in self._files.values():
                file.users = 0
            self._trim()

    def close(self) -> None:
        """Remove all."""
        with self._lock:
            self._files.clear()
            self._work = None
            self._stack.close()

    def _folder(self) -> Path:
        if self._work is None:
            made = workspace(self._parent, "the DVC cache")
            self._work = self._stack.enter_context(made)
        return self._work

    def _held(self, oid: str) -> Path | None:
        """A file that is lent already, unless somebody removed it: to erase it, say."""
        file = self._files.get(oid)
        if file is None or not file.path.exists():
            return None
        return self._lend(oid, file)

    def _lend(self, oid: str, file: _File) -> Path:
        file.users += 1
        self._files[oid] = file
        self._files.move_to_end(oid)
        return file.path

    def _trim(self) -> None:
        """Remove what nobody uses: links, and what was thawed beyond `KEPT`."""
        idle = [(oid, file) for oid, file in self._files.items() if file.users <= 0]
        size = sum(file.size for _, file in idle)
        for oid, file in idle:
            if size > KEPT or not file.size:
                size -= file.size
                file.path.unlink(missing_ok=True)
                del self._files[oid]
        if not self._files:
            self.close()


def _write(path: Path, source: BinaryIO) -> int:
    """Write a file out; how long it is."""
    try:
        with path.open("wb") as out:
            copyfileobj(source, out, _CHUNK)
        path.chmod(0o444)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path.stat().st_size


def _end(stack: ExitStack, owner: int) -> None:
    """Remove a directory, but not as a fork of the process whose it is."""
    if os.getpid() == owner:
        stack.close()

"""Files on their way into the cache: read once, and put aside until all are there."""

import hashlib
from collections.abc import Container, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from lineage.errors import NotAllowed, StoreError
from lineage.store.files import FileEntry
from lineage.store.hashes import HashCache, mode_of
from lineage.store.reading import Progress, read_once
from lineage.store.scan import Found
from lineage.store.stored import Stored

if TYPE_CHECKING:
    import os


class Batch:
    """The files of one `add`, staged one after the other.

    `staged` is where their bytes wait, by MD5; `read` what was read of them anew.
    """

    def __init__(
        self, stored: Stored, hashes: HashCache, work: Path | None, progress: Progress
    ) -> None:
        self._stored = stored
        self._hashes = hashes
        self._work = work
        self._progress = progress
        self._seen: dict[str, str] = {}
        self.staged: dict[str, Path] = {}
        self.read: list[tuple[FileEntry, os.stat_result]] = []

    def take(self, item: Found) -> FileEntry:
        if item.is_directory:
            return FileEntry(item.path, mode_of(item.stat))
        entry = self._known(item)
        if entry:
            self._progress(entry.size)
        else:
            entry = self._read(item)
        if self._seen.setdefault(entry.md5, entry.sha256) != entry.sha256:
            raise collision(entry.md5)
        return entry

    def add_list(self, data: bytes) -> None:
        """Stage a ``.dir`` list, which no file of the user's holds."""
        oid = f"{hashlib.md5(data, usedforsecurity=False).hexdigest()}.dir"
        if self._work and not self._stored.intact(oid, len(data)):
            copy = self._work / oid
            copy.write_bytes(data)
            copy.chmod(0o444)
            self.staged[oid] = copy

    def _known(self, item: Found) -> FileEntry | None:
        """The entry of an unchanged file, if its object is here where it has to be."""
        entry = self._hashes.entry(item.path, item.stat)
        if entry and self._work and not self._stored.intact(entry.md5, entry.size):
            return None
        return entry

    def _read(self, item: Found) -> FileEntry:
        copy = self._work / str(len(self.read)) if self._work else None
        entry, stat = read_once(item, copy, self._progress)
        if copy:
            self.staged[entry.md5] = copy
        self.read.append((entry, stat))
        return entry


def refuse_erased(entries: Iterable[FileEntry], erased: Container[str]) -> None:
    """Refuse bytes that were erased here.

    Raises:
        NotAllowed: when there are any.
    """
    for entry in entries:
        if entry.sha256 and entry.sha256 in erased:
            hint = "`lineage events` says who erased it and why; commit other bytes"
            raise NotAllowed(f"the bytes of {entry.path} were erased", hint=hint)


def collision(md5: str) -> StoreError:
    """The error of two files that DVC cannot tell apart."""
    hint = "somebody made them so on purpose; DVC can keep only one of them"
    return StoreError(f"two files with other bytes have one MD5, {md5}", hint=hint)

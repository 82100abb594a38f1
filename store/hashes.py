"""The hash cache: digests of files that have not changed since they were read.

A file is known by device, inode, size, mtime and ctime (nanoseconds). An entry
whose file changed within the last two seconds before it was noted is not kept:
a later write could leave every one of those numbers the same (git calls such an
entry racily clean).
"""

import json
import os
import sqlite3
import stat as st
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from lineage.store.files import DIRECTORY, EXECUTABLE, FILE, FileEntry

_RACY = 2_000_000_000  # nanoseconds
_SCHEMA = """
CREATE TABLE IF NOT EXISTS hashes (
    device INTEGER, inode INTEGER, size INTEGER, mtime INTEGER, ctime INTEGER,
    md5 TEXT, sha256 TEXT, PRIMARY KEY (device, inode)
) WITHOUT ROWID
"""
_KNOWN = """
SELECT * FROM hashes WHERE device = ? AND inode IN (SELECT value FROM json_each(?))
"""
# sqlite3's codes for a file that is no database of ours, or not any more
_DAMAGED = (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


class Stamp(NamedTuple):
    """What tells that a file is still the one that was hashed."""

    device: int
    inode: int
    size: int
    mtime: int
    ctime: int

    @classmethod
    def of(cls, stat: os.stat_result) -> "Stamp":
        return cls(
            stat.st_dev, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns
        )


class HashCache:
    """Digests by file stamp, in an SQLite file that may be deleted at any time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[tuple[int, ...], tuple[str, str]] = {}

    def beside(self, name: str) -> Path:
        """Where another file of the same registry lies."""
        return self._path.with_name(name)

    def load(self, stats: Iterable[os.stat_result]) -> None:
        """Read what is known of the files that have these stats."""
        inodes: dict[int, list[int]] = {}
        for stat in stats:
            inodes.setdefault(stat.st_dev, []).append(stat.st_ino)
        with self._tolerant(), closing(self._open()) as database:
            for device, asked in inodes.items():
                rows = database.execute(_KNOWN, (device, json.dumps(asked)))
                self._known.update((row[:5], row[5:]) for row in rows)

    def entry(self, path: str, stat: os.stat_result) -> FileEntry | None:
        """The file's entry, if it is still as it was when it was hashed."""
        found = self._known.get(Stamp.of(stat))
        if found is None:
            return None
        return FileEntry(path, mode_of(stat), stat.st_size, found[1], found[0])

    def forget_wrong(self, known: Mapping[str, str]) -> bool:
        """Remove the file if a digest in it is not the one `known` (SHA-256 by MD5)."""
        rows: list[tuple[str, str]] = []
        if not self._path.exists():
            return False
        with self._tolerant(), closing(self._open()) as database:
            rows = database.execute("SELECT md5, sha256 FROM hashes").fetchall()
            [(said,)] = database.execute("PRAGMA integrity_check(1)").fetchall()
            back = {sha256: md5 for md5, sha256 in known.items()}
            if said == "ok" and all(
                known.get(md5, sha256) == sha256 and back.get(sha256, md5) == md5
                for md5, sha256 in rows
            ):
                return False
        self._path.unlink(missing_ok=True)
        return True

    def forget(self, md5s: Iterable[str]) -> None:
        """Remove what is known of files with these MD5."""
        if self._path.exists():
            with self._tolerant(), closing(self._open()) as database, database:
                database.execute(_SCHEMA)
                rows = [(md5,) for md5 in md5s]
                database.executemany("DELETE FROM hashes WHERE md5 = ?", rows)
            self._known.clear()

    def save(self, read: Iterable[tuple[FileEntry, os.stat_result]]) -> None:
        """Remember files that were just read; it is no error if that fails."""
        settled = time.time_ns() - _RACY
        rows = [
            (*Stamp.of(stat), entry.md5, entry.sha256)
            for entry, stat in read
            if max(stat.st_mtime_ns, stat.st_ctime_ns) < settled
        ]
        if rows and not self._insert(rows):
            self._insert(rows)

    def _insert(self, rows: Sequence[tuple[int | str, ...]]) -> bool:
        """False when the file had to be removed."""
        with self._tolerant(), closing(self._open()) as database, database:
            database.execute("PRAGMA synchronous=OFF")
            database.execute(_SCHEMA)
            database.executemany(
                "INSERT OR REPLACE INTO hashes VALUES (?, ?, ?, ?, ?, ?, ?)", rows
            )
        return self._path.exists()

    @contextmanager
    def _tolerant(self) -> Iterator[None]:
        """What fails is only slower, and a damaged file is removed."""
        try:
            yield
        except OverflowError:  # inode numbers may have 64 bits
            pass
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED:
                journal = self._path.with_name(f"{self._path.name}-journal")
                for path in (self._path, journal):
                    with suppress(OSError):
                        path.unlink()

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(self._path, timeout=10)


def mode_of(stat: os.stat_result) -> str:
    """The mode as git keeps it: directory, executable or plain file."""
    if st.S_ISDIR(stat.st_mode):
        return DIRECTORY
    return EXECUTABLE if stat.st_mode & 0o100 else FILE

"""The hash cache: an unchanged file is not read again, a changed one always is."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from lineage.store.files import EXECUTABLE, FILE, FileEntry
from lineage.store.hashes import HashCache, mode_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SETTLED = 3_000_000_000  # nanoseconds


def aged(path: Path, **changes: int) -> os.stat_result:
    """The stat of a file as it would be had it last changed three seconds ago."""
    stat = path.stat()
    names = ["st_mode", "st_ino", "st_dev", "st_nlink", "st_uid", "st_gid", "st_size"]
    head = [changes.get(name, getattr(stat, name)) for name in names]
    then = time.time_ns() - SETTLED
    times = {name: changes.get(name, then) for name in ("st_mtime_ns", "st_ctime_ns")}
    return os.stat_result([*head, 0, 0, 0], times)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_text("text", encoding="utf-8")
    return path


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "hashes.sqlite"


def entry(stat: os.stat_result, path: str = "file") -> FileEntry:
    return FileEntry(path, mode_of(stat), stat.st_size, "2" * 64, "5" * 32)


def known(database: Path, stat: os.stat_result, path: str = "file") -> FileEntry | None:
    cache = HashCache(database)
    cache.load([stat])
    return cache.entry(path, stat)


def test_an_unchanged_file_is_known(file: Path, database: Path) -> None:
    """Its digests come back under whatever name and mode it has now."""
    stat = aged(file)
    HashCache(database).save([(entry(stat), stat)])

    assert known(database, stat) == entry(stat)
    assert known(database, stat, "other/name") == entry(stat, "other/name")


@pytest.mark.parametrize(
    "field", ["st_ino", "st_dev", "st_size", "st_mtime_ns", "st_ctime_ns"]
)
def test_any_difference_makes_it_unknown(
    field: str, file: Path, database: Path
) -> None:
    """One number off, by one, and the file is read again."""
    stat = aged(file, st_mtime_ns=10**18, st_ctime_ns=10**18)
    HashCache(database).save([(entry(stat), stat)])
    assert known(database, stat)

    times = {"st_mtime_ns": 10**18, "st_ctime_ns": 10**18}
    off = aged(file, **{**times, field: getattr(stat, field) + 1})
    assert known(database, off) is None


@pytest.mark.parametrize("field", ["st_mtime_ns", "st_ctime_ns"])
@pytest.mark.parametrize("age", [0, 1_000_000_000, -60_000_000_000])
def test_a_file_that_just_changed_is_not_trusted(
    field: str, age: int, file: Path, database: Path
) -> None:
    """A later write could leave all numbers as they are; so could a fast clock."""
    stat = aged(file, **{field: time.time_ns() - age})
    HashCache(database).save([(entry(stat), stat)])

    assert known(database, stat) is None


def test_a_file_saved_again_is_known_as_it_is_now(file: Path, database: Path) -> None:
    """The newest digests of a file replace the ones before."""
    old, new = aged(file, st_size=1), aged(file, st_size=2)
    for stat in (old, new):
        HashCache(database).save([(entry(stat), stat)])

    assert known(database, old) is None
    assert known(database, new) == entry(new)


def test_many_files_are_asked_for_at_once(file: Path, database: Path) -> None:
    """Thousands of inodes on two devices are one question each."""
    stats = [aged(file, st_ino=i, st_dev=i % 2) for i in range(5_000)]
    HashCache(database).save(
        [(entry(stat, f"{i}"), stat) for i, stat in enumerate(stats)]
    )
    cache = HashCache(database)
    cache.load(stats)

    assert all(cache.entry("x", stat) for stat in stats)
    assert cache.entry("x", aged(file, st_ino=5_001)) is None


def garbage(path: Path) -> None:
    path.write_bytes(b"no database" * 100)


def other_tables(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE hashes (a, b)")


def half(path: Path) -> None:
    """Leave a sound beginning, and noise where the rows were."""
    stats = [aged(path.parent, st_ino=i) for i in range(5_000)]
    HashCache(path).save([(entry(stat), stat) for stat in stats])
    with path.open("r+b") as file:
        file.seek(8192)
        file.write(os.urandom(path.stat().st_size - 8192))


@pytest.mark.parametrize("spoil", [garbage, other_tables, half])
@pytest.mark.parametrize("first", ["load", "save"])
def test_a_spoilt_database_is_begun_anew(
    first: str, spoil: Callable[[Path], None], file: Path, database: Path
) -> None:
    """Whether reading or writing finds it: from the next time on files are known."""
    spoil(database)
    stats = [aged(file, st_ino=i) for i in range(5_000)]
    cache = HashCache(database)
    if first == "load":
        cache.load(stats)
    HashCache(database).save([(entry(stat), stat) for stat in stats])

    assert all(known(database, stat) == entry(stat) for stat in stats[::500])
    with closing(sqlite3.connect(database)) as connection:
        [(verdict,)] = connection.execute("PRAGMA integrity_check")
    assert verdict == "ok"


def test_a_database_that_cannot_be_is_none(file: Path, database: Path) -> None:
    """A folder in its place makes no error, only work, and stays."""
    database.mkdir()
    stat = aged(file)
    HashCache(database).save([(entry(stat), stat)])

    assert known(database, stat) is None
    assert database.is_dir()


def test_inode_numbers_of_64_bits_are_no_error(file: Path, database: Path) -> None:
    """SQLite cannot hold them, so such a file is read each time."""
    stat = aged(file, st_ino=2**64 - 1)
    HashCache(database).save([(entry(stat), stat)])

    assert known(database, stat) is None


def test_modes_are_gits(file: Path) -> None:
    """Executable for its owner, or not."""
    for mode, expected in (
        (0o644, FILE),
        (0o600, FILE),
        (0o611, FILE),
        (0o744, EXECUTABLE),
    ):
        file.chmod(mode)
        assert mode_of(file.stat()) == expected

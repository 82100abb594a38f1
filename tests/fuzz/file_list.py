"""files.jsonl: sorted, canonical, and no path in it leads out of the payload."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from lineage.store.files import (
    DIRECTORY,
    FileEntry,
    Payload,
    dvc_directory,
    file_list,
    parse_file_list,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

RUNS: Sequence[str] = ()
TRIES = 300
KEPT: Sequence[bytes] = ()


def seeds(folder: Path) -> Sequence[bytes]:
    del folder
    one = FileEntry("a.txt", "100644", 3, "1" * 64, "2" * 32)
    some = [
        one,
        FileEntry("empty", DIRECTORY),
        FileEntry("sub/ü \u2028\n.sh", "100755", 0, "3" * 64, "4" * 32),
    ]
    return [file_list([one]), file_list(some)]


def attack(data: bytes, folder: Path) -> None:
    entries = parse_file_list(data)
    assert file_list(entries) == data
    for entry in entries:
        place = folder / entry.path
        assert not PurePosixPath(entry.path).is_absolute()
        assert ".." not in place.parts
    Payload.of(entries, "directory")
    dvc_directory(entries)

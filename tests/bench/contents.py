"""Files to take in, and the folders in which contestants find them."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tests.bench.measure import Bench
    from tests.bench.peers import Peer

_CHUNK = 1 << 24
_MOST = 4_000_000_000  # bytes of memory that are worth making warm


def write_bytes(path: Path, size: int) -> Path:
    """A file that nothing compresses."""
    with path.open("wb") as file:
        for start in range(0, size, _CHUNK):
            file.write(os.urandom(min(_CHUNK, size - start)))
    return path


def write_records(folder: Path, count: int) -> None:
    """Small files of some words each, 500 to a folder."""
    for number in range(count):
        path = folder / f"{number // 500:02}" / f"{number:05}.json"
        path.parent.mkdir(exist_ok=True, parents=True)
        text = json.dumps({"id": number, "text": f"{number * 7919} " + "word " * 30})
        path.write_text(text, encoding="utf-8")


def filled(bench: Bench, peer: Peer, source: Path) -> Path:
    """A fresh repository with a copy of `source`, as `data`."""
    folder = bench.repository(peer)
    shutil.copytree(source, folder / "data")
    return folder


def turns(folders: Sequence[Path]) -> Callable[[], Path]:
    """Every call gives the next folder: none is used twice for one purpose."""
    remaining = iter(folders)
    return lambda: next(remaining)


class Room:
    """The place of one run, emptied for the next: gigabytes, but few files."""

    def __init__(self, bench: Bench, size: int) -> None:
        self._bench, self._size = bench, size
        self._last: Path | None = None

    def of(self, peer: Peer, content: Path) -> Callable[[], Path]:
        """What makes a repository with a copy of `content`, as `data`."""

        def make() -> Path:
            self.clear()
            self._last = self._bench.repository(peer)
            shutil.copyfile(content, self._last / "data")
            self._warm()
            return self._last

        return make

    def clear(self) -> None:
        """Remove the last one's."""
        if self._last:
            shutil.rmtree(self._last)
        self._last = None

    def _warm(self) -> None:
        """Use the memory that the run will need.

        A virtual machine gives what is free back to its host within seconds, and
        who uses it next pays: up to 2 s of CPU time per GB, which is nobody's.
        """
        scratch = self._bench.folder / "scratch"
        with scratch.open("wb") as file:
            for _ in range(min(3 * self._size, _MOST) // _CHUNK):
                file.write(bytes(_CHUNK))
        scratch.unlink()

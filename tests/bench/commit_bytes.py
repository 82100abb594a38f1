"""Committing 1 GB: beside `dvc add`, and beside hashing and copying in parallel."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from tests.bench.measure import DVC, LINEAGE, Contestant, Goal, Table, syncs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.bench.measure import Bench

SIZE = 1_000_000_000
_CHUNK = 1 << 24

OURS, DVC_ADD = "lineage commit", "dvc add + sync"
PLAIN = "md5sum ∥ openssl sha256 ∥ cp + sync"
FLOOR = "md5sum"

_PLAIN = """
md5sum "$1" & openssl dgst -sha256 "$1" & cp "$1" copy & wait; sync
"""


def measure(bench: Bench) -> None:
    big = bench.fresh() / "big.bin"
    with big.open("wb") as file:
        for start in range(0, SIZE, _CHUNK):
            file.write(os.urandom(min(_CHUNK, SIZE - start)))
    room = _Room(bench)

    def dvc() -> Path:
        """With a file of its own, because `dvc add` takes it and copies it back."""
        return room.of(bench.dvc, big)

    commit = [LINEAGE, "-q", "commit", "dataset", str(big), "--name", "big"]
    plain = ["sh", "-c", _PLAIN, "sh", str(big)]
    ours = Contestant(OURS, commit, lambda: room.of(bench.registry))
    contestants = [
        ours,
        Contestant(DVC_ADD, ["sh", "-c", f"{DVC} add -q big.bin; sync"], dvc),
        Contestant(PLAIN, plain, lambda: room.of(bench.fresh)),
        Contestant(FLOOR, ["md5sum", str(big)], lambda: room.of(bench.fresh)),
    ]
    goals = [Goal(OURS, DVC_ADD, 0.6), Goal(OURS, PLAIN, 1.25)]
    table = Table("A file of 1 GB", bench.race(contestants), goals)
    peak, theirs = table.memory(OURS), table.memory(DVC_ADD)
    verdict = "met" if peak <= 150 else "missed"
    memory = f"Peak memory: {peak:.0f} MB (goal ≤ 150 MB, {verdict})"
    table.notes += [f"{memory}; {DVC_ADD}: {theirs:.0f} MB.", syncs(ours)]
    table.print()


class _Room:
    """The place of one run, emptied for the next: gigabytes, but few files."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._last: Path | None = None

    def of(self, make: Callable[[], Path], *contents: Path) -> Path:
        if self._last:
            shutil.rmtree(self._last)
        self._last = make()
        for path in contents:
            shutil.copyfile(path, self._last / path.name)
        self._warm()
        return self._last

    def _warm(self) -> None:
        """Use the memory that the run will need.

        A virtual machine gives what is free back to its host within seconds, and
        who uses it next pays: up to 2 s of CPU time per GB, which is nobody's.
        """
        scratch = self._bench.folder / "scratch"
        with scratch.open("wb") as file:
            for _ in range(3 * SIZE // _CHUNK):
                file.write(bytes(_CHUNK))
        scratch.unlink()

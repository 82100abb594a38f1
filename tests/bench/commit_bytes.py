"""Taking in one large file, beside those who do it too, and its floors.

The floors: one MD5, which DVC's addresses need; and hashing twice while copying, as we
do, by three plain tools.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.bench.contents import Room, write_bytes
from tests.bench.measure import Goal, shell, syncs
from tests.bench.peers import FLOOR, OURS

if TYPE_CHECKING:
    from tests.bench.measure import Bench

PLAIN = "md5sum ∥ openssl ∥ cp"
HASH = "md5sum"

_PLAIN = "md5sum data & openssl dgst -sha256 data & cp data copy & wait; sync"


def measure(bench: Bench) -> None:
    """A file that fits into memory, which nobody reads from a disk."""
    _measure(bench, bench.sizes.big)


def large(bench: Bench) -> None:
    """A file of many times that, once, of which no more is kept than one needs."""
    _measure(bench, bench.sizes.larger, rounds=1)


def _measure(bench: Bench, size: int, rounds: int = 0) -> None:
    big = write_bytes(bench.fresh() / "data", size)
    room = Room(bench, size)
    contestants = [
        shell(peer.name, peer.add, room.of(peer, big))
        for peer in (OURS, *bench.here(), FLOOR)
    ]
    contestants += [
        shell(PLAIN, _PLAIN, room.of(FLOOR, big)),
        shell(HASH, "md5sum data", room.of(FLOOR, big)),
    ]
    goals = [Goal("lineage", "dvc", 0.6), Goal("lineage", PLAIN, 1.25)]
    goals += [
        Goal("lineage", name) for name in ("git lfs", "git annex", "oxen", FLOOR.name)
    ]
    title = f"Taking in a file of {size / 1e9:g} GB"
    table = bench.race(title, contestants, goals, rounds=rounds)
    peak = table.memory("lineage")
    verdict = "met" if peak <= 150 else "missed"
    table.notes.append(f"Peak memory of lineage: goal ≤ 150 MB, {verdict}.")
    table.notes.append(syncs(contestants[0]))
    bench.show(table)
    room.clear()
    big.unlink()

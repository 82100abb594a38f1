"""Taking in many small files, the same folder again, and with one of them changed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tests.bench.contents import filled, turns, write_records
from tests.bench.measure import Goal, shell, syncs
from tests.bench.peers import FLOOR, OURS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tests.bench.measure import Bench, Contestant
    from tests.bench.peers import Peer

SETTLED = 3  # seconds until a file that changed is taken from a hash cache


def measure(bench: Bench) -> None:
    """All three, in turn."""
    _measure(bench, bench.here(), bench.sizes.files, bench.rounds)


def large(bench: Bench) -> None:
    """Twenty times as many, once; without `git annex`, which takes long for each."""
    peers = [peer for peer in bench.here() if peer.name != "git annex"]
    _measure(bench, peers, bench.sizes.many, 1)


def _measure(bench: Bench, others: Sequence[Peer], count: int, rounds: int) -> None:
    source = bench.fresh()
    write_records(source, count)
    peers = (OURS, *others)
    places = {
        peer.name: [filled(bench, peer, source) for _ in range(rounds)]
        for peer in (*peers, FLOOR)
    }
    time.sleep(SETTLED)
    contestants = [each for peer in peers for each in _three(peer, places[peer.name])]
    contestants.append(shell(FLOOR.name, FLOOR.add, turns(places[FLOOR.name])))
    goals = [Goal("lineage", "dvc", 0.6), Goal("lineage, unchanged", "lineage", 0.1)]
    goals += [
        Goal("lineage", peer.name) for peer in (*others, FLOOR) if peer.name != "dvc"
    ]
    for how in ("unchanged", "one changed"):
        goals += [Goal(f"lineage, {how}", f"{p.name}, {how}") for p in others]
    title = f"Taking in {count:,} files of 180 bytes"
    table = bench.race(title, contestants, goals, rounds=rounds)
    if rounds > 1:
        again = filled(bench, OURS, source)
        table.notes.append(syncs(shell("lineage", OURS.add, lambda: again)))
    bench.show(table)


def _three(peer: Peer, folders: Sequence[Path]) -> list[Contestant]:
    """The first time, unchanged, and with another file."""
    return [
        shell(peer.name, peer.add, turns(folders)),
        shell(f"{peer.name}, unchanged", peer.add, turns(folders), peer.name),
        shell(f"{peer.name}, one changed", peer.add, _changed(folders), peer.name),
    ]


def _changed(folders: Sequence[Path]) -> Callable[[], Path]:
    """As `turns`, with another first file."""
    following = turns(folders)

    def change() -> Path:
        folder = following()
        [path] = (folder / "data" / "00").glob("00000.json")
        path.unlink()  # a link, where git annex was
        path.write_text('{"id": 0, "text": "changed"}', encoding="utf-8")
        return folder

    return change

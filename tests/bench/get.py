"""Giving files back: one large one, and many small ones, into an empty work tree.

Nobody syncs here: what is given back can be given back again. `git annex unlock` writes
plain files over links, as the others write them where there is nothing.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from tests.bench.contents import write_bytes, write_records
from tests.bench.measure import Goal, do, shell
from tests.bench.peers import FLOOR, OURS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.bench.measure import Bench
    from tests.bench.peers import Peer


def measure(bench: Bench) -> None:
    """A file, then a folder, each taken in once by everybody."""
    big = write_bytes(bench.fresh() / "data", bench.sizes.big)
    _race(bench, big, f"Giving back a file of {bench.sizes.big / 1e9:g} GB")
    big.unlink()
    small = bench.fresh() / "data"
    write_records(small, bench.sizes.files)
    _race(bench, small, f"Giving back {bench.sizes.files:,} files of 180 bytes")


def _race(bench: Bench, content: Path, title: str) -> None:
    peers = (OURS, *bench.here(), FLOOR)
    places = {peer.name: _taken_in(bench, peer, content) for peer in peers}
    contestants = [
        shell(peer.name, peer.get, _emptied(peer, places[peer.name])) for peer in peers
    ]
    goals = [Goal("lineage", "dvc", 1), Goal("lineage", FLOOR.name, 1.5)]
    goals += [Goal("lineage", peer.name) for peer in bench.here() if peer.name != "dvc"]
    bench.show(bench.race(title, contestants, goals))
    if content.is_file():
        for place in places.values():
            shutil.rmtree(place)


def _taken_in(bench: Bench, peer: Peer, content: Path) -> Path:
    folder = bench.repository(peer)
    copy = shutil.copytree if content.is_dir() else shutil.copyfile
    copy(content, folder / "data")
    do(folder, peer.add)
    return folder


def _emptied(peer: Peer, folder: Path) -> Callable[[], Path]:
    """The folder, without what is to be given back."""

    def empty() -> Path:
        do(folder, peer.forget)
        return folder

    return empty

"""Committing 10,000 small files, and the same folder again."""

from __future__ import annotations

import json
import shutil
import time
from typing import TYPE_CHECKING

from tests.bench.measure import DVC, LINEAGE, Contestant, Goal, Table, syncs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.bench.measure import Bench

COUNT = 10_000
SETTLED = 3  # seconds until a file that changed is taken from a hash cache

OURS, AGAIN = "lineage commit", "lineage commit, unchanged"
DVC_ADD, DVC_AGAIN = "dvc add + sync", "dvc add + sync, unchanged"
COPY = "cp -r + sync"


def measure(bench: Bench) -> None:
    source = bench.fresh()
    write(source)
    ours, theirs, copies = (
        [_filled(make(), source) for _ in range(bench.rounds + 1)]
        for make in (bench.registry, bench.dvc, bench.fresh)
    )
    time.sleep(SETTLED)
    commit = [LINEAGE, "-q", "commit", "dataset", "small", "--name", "small"]
    add = ["sh", "-c", f"{DVC} add -q small; sync"]
    copy = ["sh", "-c", "cp -r small copy; sync"]
    first = Contestant(OURS, commit, _turns(ours))
    contestants = [
        first,
        Contestant(AGAIN, commit, _turns(ours)),
        Contestant(DVC_ADD, add, _turns(theirs)),
        Contestant(DVC_AGAIN, add, _turns(theirs)),
        Contestant(COPY, copy, _turns(copies)),
    ]
    goals = [Goal(OURS, DVC_ADD, 0.6), Goal(AGAIN, OURS, 0.1)]
    table = Table(f"{COUNT:,} files of 180 bytes", bench.race(contestants), goals)
    for one, other in ((AGAIN, DVC_AGAIN), (OURS, COPY)):
        table.notes.append(f"{one} : {other} = {table.ratios(one, other)[0]:.2f}.")
    table.notes.append(syncs(first))
    table.print()


def write(folder: Path) -> None:
    """Records of some words each, 500 to a folder."""
    for number in range(COUNT):
        path = folder / f"{number // 500:02}" / f"{number:05}.json"
        path.parent.mkdir(exist_ok=True)
        text = json.dumps({"id": number, "text": f"{number * 7919} " + "word " * 30})
        path.write_text(text, encoding="utf-8")


def _filled(folder: Path, source: Path) -> Path:
    shutil.copytree(source, folder / "small")
    return folder


def _turns(folders: list[Path]) -> Callable[[], Path]:
    """Every call gives the next folder: none is used twice for one purpose."""
    remaining = iter(folders)
    return lambda: next(remaining)

"""Starting: help, a page of history, the commit of a small file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tests.bench.measure import DVC, LINEAGE, PYTHON, Contestant, Goal, syncs
from tests.bench.read import fill

if TYPE_CHECKING:
    from pathlib import Path

    from tests.bench.measure import Bench

VERSION = "dvc --version"
HELP, LOG, COMMIT = "lineage --help", "lineage log -n 20", "lineage commit, 1 kB"


_LOG = "import lineage.cli.log, lineage.cli.drawing, lineage.opening, renderdag"


def measure(bench: Bench) -> None:
    """Each is milliseconds: three times as many rounds as elsewhere."""
    folder = bench.registry()
    fill(folder, bench.sizes.commits)

    def changed() -> Path:
        (folder / "small.bin").write_bytes(os.urandom(1000))
        return folder

    commit = [LINEAGE, "-q", "commit", "dataset", "small.bin", "--name", "small"]
    ours = Contestant(COMMIT, commit, changed)
    contestants = [
        Contestant(VERSION, [DVC, "--version"], lambda: folder),
        Contestant(HELP, [LINEAGE, "--help"], lambda: folder),
        Contestant(LOG, [LINEAGE, "log", "-n", "20"], lambda: folder),
        ours,
        Contestant("python -c pass", [PYTHON, "-c", "pass"], lambda: folder),
        Contestant("… 'import click'", [PYTHON, "-c", "import click"], lambda: folder),
        Contestant("… what log imports", [PYTHON, "-c", _LOG], lambda: folder),
        Contestant("git --version", ["git", "--version"], lambda: folder),
    ]
    goals = [
        Goal(HELP, VERSION, 0.4),
        Goal(LOG, VERSION, 0.6),
        Goal(COMMIT, VERSION, 1),
    ]
    title = f"Starting, in a registry of {bench.sizes.commits} commits"
    table = bench.race(title, contestants, goals, rounds=3 * bench.rounds)
    table.notes.append(syncs(ours))
    bench.show(table)

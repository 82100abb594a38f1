"""`lineage impact` of a root that is everybody's parent, in a large registry.

    python tests/bench/impact.py [COMMITS] [--rounds N] [--in DIR]

It makes a registry of so many commits (100,000 unless told) as scale.py does, and
prints what a question costs from the shell, start-up included.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
from contextlib import closing
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from lineage.indexing import rebuild_index
from tests.bench.measure import LINEAGE, PYTHON, environment, machine, seconds
from tests.bench.scale import _made, _run

GOAL = 2.0
_PARTS = """
import time; began = time.perf_counter()
import lineage.cli.main
from lineage.indexing import index_of
from lineage.store.index import Index
imported = time.perf_counter()
import lineage
from lineage.descent.dose import doses
from lineage.store.index_asking import numbers
from lineage.store.index_graph import flow
with lineage.open(".") as registry, index_of(registry) as index:
    [start] = index.read(lambda ask: numbers(ask, [SOURCE]))
    graph = index.read(lambda ask: flow(ask, start, "records"))
    read = time.perf_counter()
    stated = {n: node.origin for n, node in graph.commits.items() if node.origin}
    found = doses(start, lambda n: graph.commits[n].kind, graph.edges, stated)
    done = time.perf_counter()
print(imported - began, read - imported, done - read)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure `lineage impact`.")
    parser.add_argument("commits", nargs="?", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=7, help="runs per command")
    parser.add_argument("--in", dest="place", metavar="DIR", help="a real disk")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lineage-impact-", dir=given.place) as top:
        folder = Path(top)
        print(f"{machine(folder)}. Medians of {given.rounds}.")
        registry = _made(folder / "registry", given.commits)[0]
        with closing(registry):
            rebuild_index(registry)
            source = min(registry.ids, key=lambda record: record.number).id
        print(f"\n{given.commits:,} commits\n\n| | measured | goal |\n|---|---:|---:|")
        _measure(registry.root, source, given.rounds)


def _measure(folder: Path, source: str, rounds: int) -> None:
    first = ["log", "-n", "20"]
    untainted = _median(first, folder, rounds)
    _row("`impact` of the root", _median(["impact", source], folder, rounds), GOAL)
    _parts(folder, source, rounds)
    table = ["impact", source, "--format", "csv"]
    _row("`impact --format csv`, everything", _median(table, folder, 1))
    _row("`impact --plan`", _median(["impact", source, "--plan"], folder, rounds))
    _row("`taint` of the root", _run([LINEAGE, *_taint(source)], folder))
    _row("`log -n 20`, nothing tainted", untainted)
    _row("`log -n 20`, everything tainted", _median(first, folder, rounds))
    _row("`taint`, the list", _median(["taint"], folder, rounds))


def _taint(source: str) -> list[str]:
    return ["taint", source, "--reason", "all of it"]


def _median(words: list[str], folder: Path, rounds: int) -> float:
    return statistics.median(_run([LINEAGE, *words], folder) for _ in range(rounds))


def _parts(folder: Path, source: str, rounds: int) -> None:
    """What the time goes into."""
    command = [PYTHON, "-c", _PARTS.replace("SOURCE", repr(source))]
    taken = []
    for _ in range(rounds):
        done = subprocess.run(
            command, cwd=folder, env=environment(), capture_output=True, check=True
        )
        taken.append([float(part) for part in done.stdout.split()])
    names = ("imports", "edges out of the index", "doses")
    for name, values in zip(names, zip(*taken, strict=True), strict=True):
        _row(f"- {name}", statistics.median(values))


def _row(what: str, measured: float, goal: float | None = None) -> None:
    wanted = "" if goal is None else f"≤ {seconds(goal)}"
    print(f"| {what} | {seconds(measured)} | {wanted} |", flush=True)


if __name__ == "__main__":
    main()

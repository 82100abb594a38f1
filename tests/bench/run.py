"""Side by side with every peer that is here: what `make bench` runs.

    python tests/bench/run.py [AREA…] [--rounds N] [--quick] [--large] [--in DIR]
    python tests/bench/run.py --table tests/bench/results/FILE.json [--docs]

Prints tables, keeps them as JSON under tests/bench/results, draws all that is kept over
time, and with --docs writes them into docs/benchmarks.md. Nothing here passes or fails:
a slow machine is not a wrong program.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import traceback
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench import (
    commit_bytes,
    get,
    peers,
    plot,
    read,
    results,
    runner_cost,
    server,
    small_files,
    startup,
    store_cases,
    text_store,
    transfer,
)
from tests.bench.measure import QUICK, Bench, Sizes, machine

if TYPE_CHECKING:
    from collections.abc import Callable

AREAS: dict[str, Callable[[Bench], None]] = {
    "commit_bytes": commit_bytes.measure,
    "small_files": small_files.measure,
    "get": get.measure,
    "startup": startup.measure,
    "read": read.measure,
    "serve": server.measure,
    "loop": runner_cost.measure,
    "transfer": transfer.measure,
    "store": store_cases.measure,
    "text": text_store.measure,
}
LARGE: dict[str, Callable[[Bench], None]] = {
    "commit_bytes_large": commit_bytes.large,
    "small_files_large": small_files.large,
}


def main() -> None:
    given = _arguments()
    if given.table:
        result = results.load(given.table)
        results.print_page(result)
    else:
        result = _measure(given)
    if given.docs:
        for area in results.write_docs(result):
            print(f"docs/benchmarks.md has no place for {area}", file=sys.stderr)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure lineage beside its peers.")
    every = {**AREAS, **LARGE}
    parser.add_argument("areas", nargs="*", choices=[[], *every], metavar="AREA")
    parser.add_argument("--rounds", type=int, default=3, help="runs per contestant")
    parser.add_argument("--quick", action="store_true", help="small sizes, not kept")
    parser.add_argument("--large", action="store_true", help="and the large areas")
    parser.add_argument(
        "--cases", nargs="+", default=(), help="of the area store: see store_models.py"
    )
    parser.add_argument("--in", dest="place", metavar="DIR", help="a real disk, 30 GB")
    parser.add_argument(
        "--table", type=Path, metavar="FILE", help="print a kept result"
    )
    parser.add_argument("--docs", action="store_true", help="write the docs' tables")
    return parser.parse_args()


def _measure(given: argparse.Namespace) -> dict[str, object]:
    """Area by area; each is kept as soon as it is done."""
    problems = list(peers.install())
    versions, missing = peers.present()
    areas = given.areas or [*AREAS, *(LARGE if given.large else ())]
    with tempfile.TemporaryDirectory(prefix="lineage-bench-", dir=given.place) as top:
        bench = Bench(
            Path(top),
            given.rounds,
            QUICK if given.quick else Sizes(),
            versions,
            cases=given.cases,
        )
        about = results.about(machine(bench.folder, versions), missing)
        path = Path(top, "quick.json") if given.quick else results.place(about)
        print(f"{about['machine']}.", *problems, sep="\n")
        for area in areas:
            here = replace(bench, folder=bench.fresh(area), tables=[])
            took = _seconds({**AREAS, **LARGE}[area], here)
            told = {"rounds": given.rounds, "quick": given.quick, "seconds": took}
            results.keep(path, about, area, here.tables, **told)
        if not given.quick:
            plot.main()
        return results.load(path)


def _seconds(measure: Callable[[Bench], None], bench: Bench) -> float:
    """Measure one area; what breaks is told, and costs no other area its figures."""
    begun = time.perf_counter()
    try:
        measure(bench)
    except (Exception, SystemExit):  # noqa: BLE001
        traceback.print_exc()
    return round(time.perf_counter() - begun, 1)


if __name__ == "__main__":
    main()

"""Side by side with dvc and plain tools: what `make bench` runs.

    python tests/bench/run.py [AREA…] [--rounds N] [--in DIR]

Prints tables; docs/benchmarks.md explains them and holds one run's. Nothing here
passes or fails: a slow machine is not a wrong program.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench import commit_bytes, runner_cost, small_files, startup, transfer
from tests.bench.measure import Bench, machine

AREAS = {
    "commit_bytes": commit_bytes.measure,
    "small_files": small_files.measure,
    "startup": startup.measure,
    "runner_cost": runner_cost.measure,
    "transfer": transfer.measure,
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure lineage beside its peers.")
    parser.add_argument("areas", nargs="*", choices=[[], *AREAS], metavar="AREA")
    parser.add_argument("--rounds", type=int, default=7, help="runs per contestant")
    parser.add_argument("--in", dest="place", metavar="DIR", help="a real disk, 30 GB")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lineage-bench-", dir=given.place) as top:
        folder = Path(top)
        print(f"{machine(folder)}. Median of {given.rounds}, taking turns.")
        for area in given.areas or AREAS:
            AREAS[area](Bench(folder, given.rounds))


if __name__ == "__main__":
    main()

"""How many of the answers that each generation's model wrote pass its checks.py.

    .venv/bin/python tests/bench/right_answers.py REGISTRY LOOP

Intervals are 95 %, by the normal approximation over prompts: several answers to one
prompt are no independent ones (Cochran 1977, Sampling Techniques, section 9.3).
"""

from __future__ import annotations

import json
import math
import statistics
import sys
import tempfile
from collections import defaultdict
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lineage
from lineage.loop.running import journal
from lineage.loop.steps.users import run_source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lineage import Registry


def answers(registry: Registry, dataset: str) -> Iterator[dict[str, Any]]:
    """The records of a dataset."""
    with tempfile.TemporaryDirectory() as folder:
        registry.get(dataset, Path(folder, "files"))
        for file in sorted(Path(folder).rglob("*.jsonl")):
            yield from map(json.loads, file.read_bytes().splitlines())


def passes(check: Callable[[dict[str, Any]], object], record: dict[str, Any]) -> bool:
    """Whether a record passes, as the gate check_record sees it."""
    try:
        return check(record) is not False
    except AssertionError:
        return False


def main(root: str, loop: str) -> None:
    """Print a line for each model that wrote something."""
    with closing(lineage.open(root)) as registry:
        checks = registry.root / "checks.py"
        check = run_source(checks.read_bytes(), checks, "checks").check_record
        generations = journal.read(registry, loop).generations
        print(f"{'who wrote':<14}{'right':>7}{'of':>8}   share   95 % interval")
        for number, id_ in enumerate(generations[1:]):
            by_prompt = defaultdict(list)
            for record in answers(registry, journal.parts(registry, id_).generated):
                name = record.get("prompt_id", record["id"])
                by_prompt[name].append(passes(check, record))
            shares = [statistics.fmean(found) for found in by_prompt.values()]
            mean = statistics.fmean(shares)
            error = 1.96 * statistics.stdev(shares) / math.sqrt(len(shares))
            right = sum(map(sum, by_prompt.values()))
            count = sum(map(len, by_prompt.values()))
            print(
                f"generation {number:<3}{right:>7,}{count:>8,}{mean:>8.1%}"
                f"   {mean - error:.1%} to {mean + error:.1%}"
            )


if __name__ == "__main__":
    main(*sys.argv[1:])

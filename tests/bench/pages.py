"""What pages cost: server time and size, in a registry that there is.

    .venv/bin/python -m tests.bench.pages REGISTRY [REV...]

Each page is made once and then again some times; the table has the first time, the
median and the least of the others, the processor time of the quickest, and the size.
"""

from __future__ import annotations

import sys
import time
from functools import partial
from statistics import median
from typing import TYPE_CHECKING

import lineage
from lineage.server.pages import branch, commit, events, home, names, search
from lineage.server.pages.site import Site

if TYPE_CHECKING:
    from collections.abc import Callable

    from lineage.registry import Registry

_TIMES = 7


def pages(
    registry: Registry, revisions: list[str]
) -> dict[str, Callable[[], str | tuple[str, int]]]:
    """Give the pages to make, by name."""
    site, everything = Site("bench"), dict.fromkeys(events.FILTERS, "")
    some = next(iter(registry.events_log.names("heads")))
    ids = {revision: registry.resolve(revision) for revision in revisions or [some]}
    return {
        "overview": lambda: home.page(site, registry),
        "commits": lambda: search.page(site, registry, "", "", ""),
        "models": lambda: search.page(site, registry, "", "model", ""),
        "names": lambda: names.page(site, registry, "", ""),
        "events": lambda: events.page(site, registry, everything, "", 0),
        f"branch {some}": lambda: branch.page(site, registry, some, ""),
        **{
            f"commit {revision[:20]}": partial(commit.page, site, registry, id_)
            for revision, id_ in ids.items()
        },
    }


def main(root: str, *revisions: str) -> None:
    """Print the table."""
    with lineage.open(root) as registry:
        print(f"{len(registry.ids):,} commits")
        head = ("page", "first", "median", "least", "cpu", "kB")
        print("{:28}{:>9}{:>9}{:>9}{:>9}{:>9}".format(*head))
        for name, make in pages(registry, [*revisions]).items():
            walls, cpus = [], []
            for _ in range(_TIMES):
                wall, cpu = time.perf_counter(), time.process_time()
                made = make()
                walls.append(1000 * (time.perf_counter() - wall))
                cpus.append(1000 * (time.process_time() - cpu))
            size = len((made if isinstance(made, str) else made[0]).encode()) / 1000
            first, *rest = walls
            times = (first, median(rest), min(rest), min(cpus[1:]), size)
            print(f"{name:28}" + "".join(f"{value:9.1f}" for value in times))


if __name__ == "__main__":
    main(*sys.argv[1:])

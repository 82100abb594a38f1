"""What a registry behind a server costs its readers, beside the one in its folder.

Run it as ``python tests/bench/client.py REGISTRY``: it serves a copy's history on
loopback, connects for the first time (the whole history, verified), connects again,
and asks a few questions here and there.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lineage
from tests.server.conftest import serving

if TYPE_CHECKING:
    from collections.abc import Callable

TRIES = 5


def timed(work: Callable[[], Any], tries: int = 1) -> float:
    """Seconds of the quickest of a few tries."""
    taken = []
    for _ in range(tries):
        begun = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begun)
    return min(taken)


def main(root: Path) -> None:
    """Print the table."""
    with serving(root) as url, tempfile.TemporaryDirectory() as cache:

        def connect() -> None:
            lineage.connect(url, cache=Path(cache)).close()

        with lineage.open(root) as here:
            print(f"{sum(1 for _ in here.events())} events, {len(here.ids)} commits")
            print(f"connect, the first time  {timed(connect):8.2f} s")
            size = sum(p.stat().st_size for p in Path(cache).rglob("*") if p.is_file())
            print(f"the mirror on disk       {size / 1e6:8.1f} MB")
            print(f"connect again            {timed(connect, TRIES):8.3f} s")
            with lineage.connect(url, cache=Path(cache)) as there:
                compare(here, there)


def compare(here: Any, there: Any) -> None:
    """One line for each question: at home, and through the server."""
    newest = here.resolve(next(iter(here.branches())))
    questions: dict[str, Callable[[Any], Any]] = {
        "resolve": lambda r: r.resolve(newest),
        "log, 100 commits": lambda r: [e for e, _ in zip(r.log(newest), range(100))],  # noqa: B905
        "trace": lambda r: r.trace(newest),
    }
    for name, ask in questions.items():

        def anew(ask: Callable[[Any], Any] = ask) -> None:
            there._fresh_until = 0.0
            ask(there)

        home = timed(lambda ask=ask: ask(here), TRIES)  # type: ignore[misc]
        print(f"{name:24} {home:8.4f} s at home, {timed(anew, TRIES):8.4f} s served")


if __name__ == "__main__":
    os.environ["GIT_ALLOW_PROTOCOL"] = "file:http"
    main(Path(sys.argv[1]))

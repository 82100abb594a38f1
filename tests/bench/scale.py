"""Large registries: what stays at start-up cost, what grows, beside git and dvc.

Run it alone: it makes its own registries, of 100 commits and of each size given.

    python tests/bench/scale.py [SIZE…] [--rounds N] [--in DIR] [--dvc EXPERIMENTS]
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import lineage
from lineage.bulk import import_commits
from lineage.indexing import rebuild_index
from lineage.search import Filters, search
from lineage.store.ids import Ids
from lineage.walks import ancestors, descendants, merge_base
from tests.bench.graphs import graph
from tests.bench.measure import DVC, LINEAGE, PYTHON, environment, machine, seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lineage.registry import Registry

SMALL = 100
_STREAM = (
    "import lineage; from lineage.history import walk\n"
    "with lineage.open('.') as r:\n"
    "    for entry in walk(r, r.branches().values()): pass\n"
    "status = open('/proc/self/status').read()\n"
    "print(status.split('VmHWM:')[1].split()[0])\n"
)


@dataclass
class Row:
    """One line of the table: a goal is text, `met` is None where there is none."""

    what: str
    measured: str
    goal: str = ""
    met: bool | None = None

    def print(self) -> None:
        verdict = {None: "", True: "met", False: "missed"}[self.met]
        print(
            f"| {self.what} | {self.measured} | {self.goal} | {verdict} |", flush=True
        )


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure large registries.")
    parser.add_argument("sizes", nargs="*", type=int, default=[10_000, 100_000])
    parser.add_argument("--rounds", type=int, default=7, help="runs per command")
    parser.add_argument("--in", dest="place", metavar="DIR", help="a real disk")
    parser.add_argument("--dvc", type=int, default=100, help="experiments for dvc")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lineage-scale-", dir=given.place) as top:
        folder = Path(top)
        print(f"{machine(folder)}. Medians of {given.rounds}, taking turns.")
        small = _made(folder / "small", SMALL)[0]
        for size in given.sizes:
            print(f"\n{size:,} commits\n\n| | measured | goal | |\n|---|---:|---:|---|")
            _measure(folder / str(size), small.root, size, given.rounds)
        if given.dvc:
            print(f"\n{given.dvc:,} experiments in dvc\n\n| | measured |\n|---|---:|")
            _dvc(folder / "dvc", given.dvc)


def _measure(folder: Path, small: Path, size: int, rounds: int) -> None:
    registry, took, cpu = _made(folder, size)
    rate = f"{size / took:,.0f} /s ({size / cpu:,.0f} per s of CPU)"
    Row("bulk import", rate, "≥ 2,000 /s", size / took >= 2000).print()
    with closing(registry):
        began, before = time.perf_counter(), _cpu()
        rebuild_index(registry)
        took, cpu = time.perf_counter() - began, _cpu() - before
        rate = f"{size / took:,.0f} /s ({size / cpu:,.0f} per s of CPU)"
        Row("index rebuild", rate, "≥ 5,000 /s", size / took >= 5000).print()
        _inside(registry, rounds)
        _commands(registry, small, rounds)
        _beside_git(registry, rounds)
    Row("peak memory, every commit streamed", f"{_peak(folder):,.0f} MB").print()


def _made(folder: Path, size: int) -> tuple[Registry, float, float]:
    """A registry of so many commits; seconds of wall and CPU that it took."""
    registry = lineage.init(folder)
    began, before = time.perf_counter(), _cpu()
    for _ in import_commits(registry, graph(size)):
        pass
    took, cpu = time.perf_counter() - began, _cpu() - before
    registry.set_head("loop/l0")
    return registry, took, cpu


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (0, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


def _inside(registry: Registry, rounds: int) -> None:
    """Questions to the open registry."""
    tips = sorted(
        registry.branches().values(), key=lambda i: registry.ids.get(i).number
    )
    new, other = tips[-1], tips[-2]
    near = registry.resolve(f"{new}~3")
    first_ones = sorted(registry.ids, key=lambda record: record.number)[:100]
    oldest, young = first_ones[0].id, first_ones[-1].id
    prefixes = [id_[:8] for id_ in tips]
    fast = "≤ 20 ms", 0.02
    slow = "≤ 1 s", 1.0
    questions: list[tuple[str, Callable[[], Any], tuple[str, float]]] = [
        ("merge_base, near", lambda: merge_base(registry, new, near), fast),
        ("ancestors, near", lambda: ancestors(registry, [young]), fast),
        ("descendants, near", lambda: descendants(registry, [near]), fast),
        ("merge_base, far", lambda: merge_base(registry, new, other, None), slow),
        ("ancestors, far", lambda: ancestors(registry, [new]), slow),
        ("descendants, far", lambda: descendants(registry, [oldest]), slow),
    ]
    for what, ask, (goal, limit) in questions:
        first, middle = _timed(ask, rounds)
        measured = f"{seconds(middle)} (first {seconds(first)})"
        Row(what, measured, goal, first <= limit).print()
    first, middle = _timed(lambda: [registry.ids.find(p) for p in prefixes], rounds)
    each = middle / len(prefixes)
    Row("prefix lookup", f"{each * 1e3:.2f} ms", "≤ 5 ms", each <= 0.005).print()
    fresh = Ids(registry.git, registry.events_log, registry.home)
    first, _ = _timed(lambda: fresh.find(prefixes[0]), 1)
    Row("prefix lookup, opened anew", f"{first * 1e3:.1f} ms").print()
    filters = Filters(metrics=("loss < 4.001",))
    first, middle = _timed(lambda: search(registry, filters, limit=20), rounds)
    Row("the index asked for a metric", seconds(middle)).print()


def _timed(ask: Callable[[], Any], rounds: int) -> tuple[float, float]:
    """Seconds of the first time, and the median of all."""
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        ask()
        taken.append(time.perf_counter() - began)
    return taken[0], statistics.median(taken)


def _commands(registry: Registry, small: Path, rounds: int) -> None:
    """Commands here and in the small registry, taking turns."""
    tip = registry.branches()["loop/l0"]
    with lineage.open(small) as other:
        low = other.branches()["loop/l0"]
    cases: dict[str, tuple[Sequence[str], Sequence[str]]] = {
        "`log -n 20`": (["log", "-n", "20"], ["log", "-n", "20"]),
        "`show` of a branch": (["show", "loop/l1"], ["show", "loop/l1"]),
        "`show` of a prefix": (["show", tip[:10]], ["show", low[:10]]),
        "`show REV~5`": (["show", "loop/l0~5"], ["show", "loop/l0~5"]),
    }
    for what, (here, there) in cases.items():
        pairs = [
            (_run([LINEAGE, *here], registry.root), _run([LINEAGE, *there], small))
            for _ in range(rounds)
        ]
        ratio = statistics.median(a / b for a, b in pairs)
        big, little = (statistics.median(column) for column in zip(*pairs, strict=True))
        measured = f"{seconds(big)}, {seconds(little)} at {SMALL}: {ratio:.2f} x"
        Row(what, measured, "≤ 1.3 x", ratio <= 1.3).print()


def _beside_git(registry: Registry, rounds: int) -> None:
    """The same graph as git has it, with and without its commit graph."""
    heads = list(registry.events_log.names("heads").values())
    log = ["git", "log", "-n", "20", "--oneline", *heads[-1:]]
    base = ["git", "merge-base", "--all", *heads[-2:]]
    git: list[tuple[str, list[str]]] = [
        ("git log -n 20", log),
        ("git merge-base", base),
    ]
    for name, command in git:
        taken = [_run(command, registry.root) for _ in range(rounds)]
        Row(f"`{name}`", seconds(statistics.median(taken))).print()
    graph_of = ["git", "commit-graph", "write", "--reachable"]
    subprocess.run(graph_of, cwd=registry.root, check=True, capture_output=True)
    for name, command in git:
        taken = [_run(command, registry.root) for _ in range(rounds)]
        what = f"`{name}`, with its commit graph"
        Row(what, seconds(statistics.median(taken))).print()


def _run(command: Sequence[str], folder: Path) -> float:
    began = time.perf_counter()
    subprocess.run(
        command, cwd=folder, env=environment(), capture_output=True, check=True
    )
    return time.perf_counter() - began


def _peak(folder: Path) -> float:
    """The most memory of a process that reads every commit, in MB."""
    command = [PYTHON, "-c", _STREAM]
    done = subprocess.run(
        command, cwd=folder, env=environment(), capture_output=True, check=True
    )
    return int(done.stdout) / 1e3


def _dvc(folder: Path, count: int) -> None:
    """As many commits of a metric and a parameter, as dvc keeps them."""
    with closing(lineage.init(folder)):
        pass
    _sh(folder, "git config user.name a && git config user.email a@b")
    (folder / "dvc.yaml").write_text("metrics: [m.json]\nparams: [p.yaml]\n")
    for number in range(count):
        (folder / "m.json").write_text(f'{{"loss": {number}}}')
        (folder / "p.yaml").write_text(f"step: {number}\n")
        _sh(folder, f"git add . && git commit -qm {number}")
    for words in (["exp", "show", "-n", str(count)], ["metrics", "show", "-a"]):
        taken = _run([DVC, *words], folder)
        print(f"| `dvc {' '.join(words)}` | {seconds(taken)} |", flush=True)


def _sh(folder: Path, script: str) -> None:
    subprocess.run(script, shell=True, cwd=folder, check=True, env=environment())  # noqa: S602


if __name__ == "__main__":
    main()

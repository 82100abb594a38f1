"""`lineage serve` beside `mlflow server`: requests a second, and how long they take.

    python tests/bench/server.py [--commits N] [--seconds S] [--rounds N] [--in DIR]
        [--registry DIR] [--mlflow FILE]

Both hold N things on this machine: lineage so many commits, MLflow so many versions
of models in SQLite. `wrk` (Debian has it) asks both over loopback, taking turns, each
time for another of 5,000 things drawn by chance; both run two worker processes. Nobody
has looked at a thing before the first round, which is thrown away.
"""

from __future__ import annotations

import argparse
import random
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, urlencode

sys.path.insert(0, str(Path(__file__).parents[2]))

from lineage.indexing import rebuild_index
from tests.bench.measure import BIN, LINEAGE, Sheet, environment, machine
from tests.bench.peers import installed
from tests.bench.scale import _made as registry_of
from tests.bench.tables import markdown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.bench.measure import Bench

WORKERS = 2
ASKED = 5_000  # things, drawn by chance
FEW = 100  # of them, which are asked for again and again
VERSIONS = 50  # of one model of MLflow's
BESIDE = {
    "lineage: a commit": "mlflow: get-model-version",
    "lineage: one of 100 commits": "mlflow: one of 100 versions",
    "lineage: log of a branch, 20": "mlflow: search of a model's versions, 20",
}
_LUA = """\
local paths = {}
function init(args)
  for line in io.lines(args[1]) do paths[#paths + 1] = line end
  math.randomseed(tonumber(args[2]) or 7)
end
function request()
  return wrk.format("GET", paths[math.random(#paths)])
end
function done(summary, latency, requests)
  local bad = summary.errors.status + summary.errors.timeout + summary.errors.read
  io.write(string.format("RESULT %d %d %d %d %d\\n", summary.requests,
    summary.duration, latency:percentile(50), latency:percentile(99), bad))
end
"""


class Answer(NamedTuple):
    """What wrk says: requests a second, milliseconds, answers that were errors."""

    rate: float
    p50: float
    p99: float
    bad: int


@dataclass(frozen=True)
class Question:
    """A kind of request, and the paths that ask it of a server."""

    what: str
    server: str
    paths: Sequence[str]


def measure(bench: Bench) -> None:
    """As an area of `make bench`: smaller, and of the answers alone."""
    if not (installed("wrk") and installed("mlflow")):
        print("\nThe server is not measured: it takes wrk (apt) and mlflow (pip).")
        return
    size = bench.sizes.served
    root = _registry(bench.fresh() / "registry", size)
    database = _mlflow(bench.fresh() / "mlflow.db", size)
    asking = Asking(
        bench.folder, seconds=4, rounds=min(bench.rounds, 3), connections=16
    )
    bench.show(_raced(root, database, size, asking))


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the server.")
    parser.add_argument("--commits", type=int, default=100_000)
    parser.add_argument("--seconds", type=int, default=10, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--in", dest="place", metavar="DIR", help="a real disk")
    parser.add_argument("--registry", type=Path, help="one that was made before")
    parser.add_argument("--mlflow", type=Path, help="its database, made before")
    given = parser.parse_args()
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is missing: apt-get install wrk")
    with tempfile.TemporaryDirectory(prefix="lineage-server-", dir=given.place) as top:
        folder = Path(top)
        print(f"{machine(folder)}.")
        root = given.registry or _registry(folder / "registry", given.commits)
        database = given.mlflow or _mlflow(folder / "mlflow.db", given.commits)
        asking = Asking(folder, given.seconds, given.rounds, given.connections)
        print(markdown(_raced(root, database, given.commits, asking)))


@dataclass(frozen=True)
class Asking:
    """How long, how often, how many at once, and a folder for what that needs."""

    folder: Path
    seconds: int
    rounds: int
    connections: int


def _raced(root: Path, database: Path, size: int, asking: Asking) -> Sheet:
    """Both servers, taking turns, question by question; the first round is nobody's."""
    first: dict[str, float] = {}
    with (
        _lineage(root, asking.folder, first) as ours,
        _server(database, asking.folder, first) as theirs,
    ):
        urls = {"lineage": ours, "mlflow": theirs}
        rows = [*_of_lineage(root), *_of_mlflow(size)]
        found: dict[str, list[Answer]] = {row.what: [] for row in rows}
        for turn in range(asking.rounds + 1):
            for row in rows:
                answer = _wrk(urls[row.server], row, asking, quick=not turn)
                found[row.what] += [answer] if turn else []
    cells = [(row.what, *_figures(found[row.what])) for row in rows]
    starts = ", ".join(f"{name} {took:.2f} s" for name, took in first.items())
    many = f"{asking.connections} connections, {asking.seconds} s of wrk each"
    title = f"A server of {size:,} commits beside one of {size:,} versions"
    head = ("", "requests/s", "from, to", "p50", "p99", "errors")
    told = f"{many}, {WORKERS} workers. First answers after {starts}."
    return Sheet(title, head, cells, _ratios(found), [told])


def _figures(answers: Sequence[Answer]) -> Iterator[str]:
    rates = [one.rate for one in answers]
    yield f"{statistics.median(rates):,.0f}"
    yield f"{min(rates):,.0f}, {max(rates):,.0f}"
    yield f"{statistics.median(one.p50 for one in answers):.1f} ms"
    yield f"{statistics.median(one.p99 for one in answers):.1f} ms"
    yield str(sum(one.bad for one in answers))


def _ratios(found: dict[str, list[Answer]]) -> dict[str, tuple[float, float]]:
    """How long an answer takes beside theirs: a fifth is the goal."""
    ratios = {}
    for ours, theirs in BESIDE.items():
        pairs = zip(found[theirs], found[ours], strict=True)
        ratios[f"{ours} : {theirs}"] = (
            statistics.median(b.rate / a.rate for b, a in pairs),
            0.2,
        )
    return ratios


def _wrk(url: str, row: Question, asking: Asking, *, quick: bool) -> Answer:
    """Ask for some seconds; one thread, so that the servers have the processors."""
    script, paths = asking.folder / "ask.lua", asking.folder / "paths"
    seconds = max(2, asking.seconds // 3) if quick else asking.seconds
    script.write_text(_LUA)
    paths.write_text("".join(f"{path}\n" for path in row.paths))
    words = [
        "wrk",
        "-t1",
        f"-c{asking.connections}",
        f"-d{seconds}s",
        "--timeout",
        "30s",
    ]
    done = subprocess.run(
        [*words, "-s", str(script), url, "--", str(paths)],
        check=True,
        capture_output=True,
        text=True,
    )
    result = re.search(r"RESULT (\d+) (\d+) (\d+) (\d+) (\d+)", done.stdout)
    assert result, done.stdout
    count, micros, p50, p99, bad = map(int, result.groups())
    return Answer(count / micros * 1e6, p50 / 1e3, p99 / 1e3, bad)


def _registry(root: Path, size: int) -> Path:
    registry = registry_of(root, size)[0]
    rebuild_index(registry)
    registry.close()
    return root


def _of_lineage(root: Path) -> Iterator[Question]:
    import lineage

    with lineage.open(root) as registry:
        ids = sorted(record.id for record in registry.ids)
        branches = sorted(registry.branches())
        young = [r.id for r in sorted(registry.ids, key=lambda r: r.number)[:2000]]
    chance = random.Random(7)  # noqa: S311 - the same ones each time
    drawn = chance.sample(ids, min(ASKED, len(ids)))
    api = "/api/v1/commits"
    commits = [f"{api}/{id_}" for id_ in drawn]
    yield Question("lineage: a commit", "lineage", commits)
    yield Question("lineage: one of 100 commits", "lineage", commits[:FEW])
    logs = [f"{api}?{urlencode({'revset': b, 'limit': 20})}" for b in branches]
    yield Question("lineage: log of a branch, 20", "lineage", logs)
    names = [f"{api}/{quote(branch)}" for branch in branches]
    yield Question("lineage: a branch's tip by its name", "lineage", names)
    traces = [f"{api}/{id_}/trace" for id_ in chance.sample(young, len(young) // 2)]
    yield Question("lineage: trace, of an early commit", "lineage", traces)


def _of_mlflow(size: int) -> Iterator[Question]:
    chance = random.Random(7)  # noqa: S311 - the same ones each time
    api = "/api/2.0/mlflow"
    models = max(1, size // VERSIONS)
    drawn = [
        {"name": f"m{chance.randrange(models)}", "version": chance.randint(1, VERSIONS)}
        for _ in range(ASKED)
    ]
    versions = [f"{api}/model-versions/get?{urlencode(one)}" for one in drawn]
    yield Question("mlflow: get-model-version", "mlflow", versions)
    yield Question("mlflow: one of 100 versions", "mlflow", versions[:FEW])
    searches = [
        f"{api}/model-versions/search?"
        + urlencode({"filter": f"name='{one['name']}'", "max_results": 20})
        for one in drawn
    ]
    yield Question("mlflow: search of a model's versions, 20", "mlflow", searches)


def _mlflow(database: Path, size: int) -> Path:
    """A database of MLflow's own making, filled with rows as it would write them."""
    from mlflow.store.model_registry import sqlalchemy_store
    from sqlalchemy import MetaData, insert, select

    untyped: Any = sqlalchemy_store
    store = untyped.SqlAlchemyStore(f"sqlite:///{database}")
    store.create_registered_model("m0")
    store.create_model_version("m0", "file:///models/m0", None)
    tables = MetaData()
    tables.reflect(store.engine)
    every = [f"m{number}" for number in range(max(1, size // VERSIONS))]
    models = [{"name": name} for name in every[1:]]
    versions = [
        {"name": name, "version": number}
        for name in every
        for number in range(1, VERSIONS + 1)
        if (name, number) != ("m0", 1)
    ]
    with store.engine.begin() as base:
        for name, rows in (("registered_models", models), ("model_versions", versions)):
            first = base.execute(select(tables.tables[name])).mappings().one()
            base.execute(
                insert(tables.tables[name]), [{**first, **row} for row in rows]
            )
    store.engine.dispose()
    return database


@contextmanager
def _lineage(root: Path, folder: Path, first: dict[str, float]) -> Iterator[str]:
    port = _port()
    words = [LINEAGE, "-C", str(root), "serve", f"--port={port}"]
    words += [f"--workers={WORKERS}"]
    yield from _running(words, port, folder, "/api/v1/health", first)


@contextmanager
def _server(database: Path, folder: Path, first: dict[str, float]) -> Iterator[str]:
    port = _port()
    words = [
        str(BIN / "mlflow"),
        "server",
        f"--backend-store-uri=sqlite:///{database.absolute()}",
    ]
    more = [f"--port={port}", f"--workers={WORKERS}"]
    yield from _running([*words, *more], port, folder, "/health", first)


def _running(
    words: Sequence[str], port: int, folder: Path, health: str, first: dict[str, float]
) -> Iterator[str]:
    """The server's address; `first` hears after how many seconds it answered."""
    url, name = f"http://127.0.0.1:{port}", Path(words[0]).name
    log = (folder / f"{name}.log").open("w")
    began = time.perf_counter()
    with subprocess.Popen(
        words, cwd=folder, env=environment(), stdout=log, stderr=log
    ) as server:
        try:
            _wait(url + health, server)
            first[name] = time.perf_counter() - began
            yield url
        finally:
            server.terminate()


def _wait(url: str, server: subprocess.Popen[bytes]) -> None:
    while server.poll() is None:
        with suppress(OSError), urllib.request.urlopen(url, timeout=5):  # noqa: S310
            return
        time.sleep(0.02)
    raise SystemExit(f"{server.args!r} ended")


def _port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


if __name__ == "__main__":
    main()

"""Many writers of one registry over HTTP, while its workers are killed.

    python tests/bench/writers.py --writers 200 --seconds 60 --workers 2 --kill 5

Every writer sends a file and commits it to a branch of its own, and every tenth time to
a branch that all of them move. A request has a name and is sent again until it is
answered. At the end the log is read: what was answered is there, and there once.
"""

from __future__ import annotations

import argparse
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx  # noqa: TID253 - only who measures imports this

import lineage
from lineage.verify import verify

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lineage.registry import Registry

API = "/api/v1"
PATIENCE = 60.0  # seconds for which a request is sent again


@dataclass
class Tally:
    """What the writers were told; times in seconds, by what was asked for."""

    answered: dict[str, str] = field(default_factory=dict)  # event ids by request
    asked: list[str] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    conflicts: int = 0
    again: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    killed: int = 0
    read: int = 0


@contextmanager
def serve(root: Path, workers: int) -> Iterator[tuple[str, int]]:
    """Serve a registry from processes of their own; the URL and the first one's pid."""
    command = [sys.executable, "-m", "lineage", "-C", str(root), "serve"]
    command += ["--port", "0", "--workers", str(workers)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        url = process.stdout.readline().strip()
        until(lambda: _is_up(url))
        yield url, process.pid
    finally:
        process.terminate()
        process.wait(30)
        process.stdout.close()


def until(true: Any, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def _is_up(url: str) -> bool:
    with suppress(httpx.HTTPError):
        return httpx.get(f"{url}{API}/health").status_code == 200
    return False


def workers_of(pid: int) -> list[int]:
    """The processes that answer: all that `pid` started, but multiprocessing's own."""
    lists = Path(f"/proc/{pid}/task").glob("*/children")
    children = [int(one) for path in lists for one in path.read_text().split()]
    told = {one: Path(f"/proc/{one}/cmdline") for one in children}
    return [one for one, path in told.items() if b"spawn_main" in path.read_bytes()]


def write(url: str, number: int, end: Any, tally: Tally, lock: threading.Lock) -> None:
    """One writer: file and commit, again and again, until `end` says so."""
    with httpx.Client(base_url=url, timeout=PATIENCE) as client:
        while not end():
            name = f"{number}-{os.urandom(6).hex()}"
            with lock:
                tally.asked.append(name)
            began = time.monotonic()
            answer = commit(client, number, name, tally)
            with lock:
                if answer is None:
                    tally.conflicts += 1
                elif answer.status_code in (200, 201):
                    tally.answered[name] = answer.json()["event"]
                    tally.times.append(time.monotonic() - began)
                else:
                    tally.refused[answer.text] += 1


def commit(
    client: httpx.Client, number: int, name: str, tally: Tally
) -> httpx.Response | None:
    """Send one file and its commit; None where somebody else was quicker."""
    data = name.encode() * 20
    address = sha256(data).hexdigest()
    again(tally, lambda: client.put(f"{API}/files/{address}", content=data))
    shared = int(name[-2:], 16) % 10 == 0
    new: dict[str, Any] = {
        "kind": "dataset",
        "name": "shared" if shared else f"of-{number}",
        "payload": {"files": [{"path": "data.txt", "sha256": address}], "type": "file"},
        "message": name,
    }
    named = {"Idempotency-Key": name}
    if shared:
        place = f"{API}/refs/heads/dataset/shared"
        now = again(tally, lambda: client.get(place))
        new["expected"] = now.json().get("id")
    answer = again(
        tally, lambda: client.post(f"{API}/commits", json=new, headers=named)
    )
    late = answer.status_code == 409 and "current" in answer.json()
    return None if late else answer


def read(url: str, end: Any, tally: Tally, lock: threading.Lock) -> None:
    """One reader: a question to the index, again and again, until `end` says so."""
    place, asked = f"{API}/commits", {"all": "true", "message": "-", "limit": "3"}
    with httpx.Client(base_url=url, timeout=PATIENCE) as client:
        while not end():
            answer = again(tally, lambda: client.get(place, params=asked))
            with lock:
                if answer.status_code == 200:
                    tally.read += 1
                else:
                    tally.refused[answer.text] += 1


def again(tally: Tally, ask: Any) -> httpx.Response:
    """Ask until there is an answer that is one."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            answer: httpx.Response = ask()
        except httpx.TransportError:
            if time.monotonic() > end:
                raise
        else:
            busy = answer.status_code in (429, 503) or "being answered" in answer.text
            if not busy or time.monotonic() > end:
                return answer
        tally.again += 1
        time.sleep(0.05)


def run(
    root: Path,
    *,
    writers: int,
    seconds: float,
    workers: int,
    kill: float,
    readers: int = 0,
) -> Tally:
    """Let writers write for a while; kill a worker every `kill` seconds."""
    tally, lock = Tally(), threading.Lock()
    with serve(root, workers) as (url, pid):
        stop = time.monotonic() + seconds

        def end() -> bool:
            return time.monotonic() > stop

        threads = [
            threading.Thread(target=write, args=(url, n, end, tally, lock))
            for n in range(writers)
        ]
        for _ in range(readers):
            threads += [threading.Thread(target=read, args=(url, end, tally, lock))]
        for thread in threads:
            thread.start()
        last = time.monotonic()
        while any(thread.is_alive() for thread in threads):
            if kill and time.monotonic() - last > kill and not end():
                for one in workers_of(pid)[:1]:
                    os.kill(one, signal.SIGKILL)
                    tally.killed += 1
                last = time.monotonic()
            time.sleep(0.02)
    return tally


def judged(registry: Registry, tally: Tally) -> tuple[int, int]:
    """How many answers are not in the log, and how many requests are there twice."""
    here = Counter(
        str(logged.event.data["request"])
        for logged in registry.events_log.iterate()
        if "request" in logged.event.data
    )
    ids = {logged.event.id for logged in registry.events_log.iterate()}
    lost = sum(event not in ids for event in tally.answered.values())
    return lost, sum(count - 1 for count in here.values())


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--writers", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--kill", type=float, default=0, metavar="SECONDS")
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "registry")
        lineage.init(root).close()
        tally = run(
            root,
            writers=told.writers,
            seconds=told.seconds,
            workers=told.workers,
            kill=told.kill,
        )
        with closing(lineage.open(root)) as registry:
            lost, doubled = judged(registry, tally)
            problems = verify(registry).problems
            events = sum(1 for _ in registry.events_log.iterate())
    times = sorted(tally.times) or [0.0]
    rows = {
        "writers, workers": f"{told.writers}, {told.workers}",
        "commits answered": str(len(tally.answered)),
        "commits per second": f"{len(tally.answered) / told.seconds:.1f}",
        "file and commit, p50": f"{statistics.median(times):.2f} s",
        "file and commit, p99": f"{times[int(len(times) * 0.99)]:.2f} s",
        "told that somebody was quicker": str(tally.conflicts),
        "asked again": str(tally.again),
        "workers killed": str(tally.killed),
        "refused otherwise": str(sum(tally.refused.values())),
        "events in the log": str(events),
        "lost": str(lost),
        "doubled": str(doubled),
        "problems that verify finds": str(len(problems)),
    }
    for name, value in rows.items():
        print(f"{name:32} {value}")
    for text, count in tally.refused.most_common(3):
        print(count, text)


if __name__ == "__main__":
    main()

"""Sending and fetching payloads, beside `dvc push` and `dvc fetch` of the same ones."""

from __future__ import annotations

import os
import random
import subprocess
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import lineage
from lineage.keeping import refresh_keep
from tests.bench.measure import BIN, DVC, PYTHON, Contestant, Goal, environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.bench.measure import Bench

COUNT, SMALL, LARGE = 300, 100_000, 100_000_000  # files, and bytes of each
PORT = 19_571
KEY, SECRET = "bench-access-key", "bench-secret-key"
MOVE = """
import sys, lineage
from lineage import transfer
with lineage.open(".") as registry:
    ids = [record.id for record in registry.ids]
    getattr(transfer, sys.argv[1])(registry, None, ids)
"""


def measure(bench: Bench) -> None:
    buckets = bench.fresh("remotes")
    for number in range(2 * bench.rounds):  # rclone sees those that it starts with
        (buckets / f"b{number:03}").mkdir()
    root = _registry(bench, buckets.parent)
    _race(bench, root, "a folder", lambda: f"url = {bench.fresh('remote')}")
    with _rclone(buckets):
        _race(bench, root, "rclone's S3 server", lambda: _bucket(buckets))


def _race(bench: Bench, root: Path, title: str, place: Callable[[], str]) -> None:
    """Push to a fresh remote each time, fetch from a full one into an empty cache."""

    def fresh_remote() -> Path:
        _configure(root, place())
        return root

    def empty_cache() -> Path:
        cache = root / ".dvc" / "cache"
        cache.rename(bench.fresh("away") / "cache")
        return root

    def list_again() -> Path:
        empty_cache()
        with lineage.open(root) as registry:
            refresh_keep(registry)
        return root

    ours, theirs = [PYTHON, "-c", MOVE], [DVC, "-q"]
    contestants = [
        Contestant("lineage, push", [*ours, "push_payloads"], fresh_remote),
        Contestant("dvc push -A", [*theirs, "push", "-A"], fresh_remote),
        Contestant("lineage, fetch", [*ours, "fetch_payloads"], empty_cache),
        Contestant("dvc fetch -A", [*theirs, "fetch", "-A"], list_again),
    ]
    files = f"{COUNT} files of 100 kB and one of 100 MB"
    goals = [
        Goal("lineage, push", "dvc push -A", 1),
        Goal("lineage, fetch", "dvc fetch -A", 1),
    ]
    title = f"Payloads to and from {title}: {files}"
    bench.show(bench.race(title, contestants, goals))


def _registry(bench: Bench, folder: Path) -> Path:
    root, data = bench.registry(), bench.fresh("data")
    chance = random.Random(7)  # noqa: S311
    for number in range(COUNT):
        (data / f"{number:03}").write_bytes(chance.randbytes(SMALL))
    large = folder / "large"
    large.write_bytes(chance.randbytes(LARGE))
    with lineage.open(root) as registry:
        registry.commit("dataset", "small", data)
        registry.commit("model", "large", large)
    return root


def _configure(root: Path, settings: str) -> None:
    text = f"[core]\n    remote = r\n['remote \"r\"']\n    {settings}\n"
    (root / ".dvc" / "config").write_text(text, encoding="utf-8")
    with lineage.open(root) as registry:
        refresh_keep(registry)


def _bucket(buckets: Path) -> str:
    """A bucket that nobody has used yet."""
    unused = (path for path in sorted(buckets.iterdir()) if not any(path.iterdir()))
    name = next(unused).name
    return "\n    ".join(
        (
            f"url = s3://{name}",
            f"endpointurl = http://127.0.0.1:{PORT}",
            f"access_key_id = {KEY}",
            f"secret_access_key = {SECRET}",
            "region = us-east-1",
            f"configpath = {_without_checksums(buckets)}",
        )
    )


def _without_checksums(buckets: Path) -> Path:
    """DVC needs it to fetch more than 50 MiB from rclone; we do not."""
    path = buckets.parent / "aws-config"
    path.write_text(
        "[default]\nresponse_checksum_validation = when_required\n", encoding="utf-8"
    )
    return path


@contextmanager
def _rclone(buckets: Path) -> Iterator[None]:
    command: list[str | Path] = [BIN / "rclone", "serve", "s3"]
    command += ["--addr", f"127.0.0.1:{PORT}", "--auth-key", f"{KEY},{SECRET}"]
    command += ["--config", os.devnull, buckets]
    with subprocess.Popen(
        command, env=environment(), stderr=subprocess.DEVNULL
    ) as server:
        time.sleep(2)
        try:
            yield
        finally:
            server.terminate()

"""kill -9 while packs are written, published and rewritten: no file is ever missing.

As in tests/test_crash.py, a forked child kills itself at one of its calls that reach
the disk. CRASH_ROUNDS=20 makes a long run.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lineage.store.packed.packs import Packs
from lineage.store.packed.reading_back import read_back
from lineage.store.packed.rewriting import rewrite
from lineage.store.workspace import sweep, workspace
from tests.store.packed.making import chain, contents, md5, published
from tests.test_crash import ROUNDS, Killer, Worker, instants

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[3]
FILES = chain(4, count=2048)
KEPT = {md5(data) for data in FILES[::2]}


# the child's side: `python -m tests.store.packed.test_kills`


def pack(top: Path) -> None:
    """Pack the loose files and release them, as `lineage pack` does."""
    packs = Packs(top, "r")
    if not all(packs.has(md5(data)) for data in FILES):
        with workspace(top / "lineage" / "tmp", "the cache") as work:
            published(packs, work, FILES)
    for data in FILES:
        (top / "loose" / md5(data)).unlink(missing_ok=True)
    sweep(top / "lineage" / "tmp")


def let_go(top: Path) -> None:
    """Let go of every other file, as gc does."""
    with workspace(top / "lineage" / "tmp", "the cache") as work:
        rewrite(Packs(top, "r"), KEPT, work, top / "trash")


def serve(work: Callable[[Path], None]) -> None:
    """Do `work` once per line of stdin, killed at an instant, each in a fork."""
    for line in sys.stdin:
        instant, root, _ = json.loads(line)
        reader, writer = os.pipe()
        if os.fork() == 0:
            killer = Killer(instant)
            threading.setprofile(killer)
            sys.setprofile(killer)
            work(Path(root))
            sys.setprofile(None)
            os.write(writer, json.dumps([killer.calls]).encode())
            os._exit(0)
        os.close(writer)
        os.wait()
        print(os.read(reader, 1000).decode() or "null", flush=True)  # noqa: T201
        os.close(reader)


# the test's side


class Packer(Worker):
    """A process that packs, and dies, for us."""

    def __init__(self, work: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, work],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT,
        )  # fmt: skip


def prepared(top: Path, work: str) -> Path:
    """Give a cache with the files loose, or packed."""
    (top / "loose").mkdir(parents=True)
    for data in FILES:
        (top / "loose" / md5(data)).write_bytes(data)
    if work == "let_go":
        pack(top)
    return top


def check(top: Path, wanted: list[bytes]) -> None:
    """See that all wanted files can be had, and that packs are what they are called."""
    packs = Packs(top, "r")
    loose = {path.name for path in (top / "loose").iterdir()}
    packed = [data for data in wanted if md5(data) not in loose]
    assert contents(packs, packed) == packed
    for path in packs.folder.glob("*.pack"):
        assert hashlib.sha256(path.read_bytes()).hexdigest() == path.stem
        read_back(path, packs)


@pytest.mark.parametrize(("work", "count"), [("pack", 7), ("let_go", 7)])
def test_a_kill_loses_no_file(work: str, count: int, tmp_path: Path) -> None:
    """After each kill all is loose or packed; done again, it ends as without one."""
    wanted = FILES if work == "pack" else FILES[::2]
    with closing(Packer(work)) as worker:
        top = prepared(tmp_path / "whole", work)
        whole = worker(0, top, top)
        assert whole is not None
        ending = sorted((top / "lineage" / "packs" / "r").iterdir())
        names = [path.name for path in ending]
        chosen = set(instants(whole[0], count * ROUNDS))
        died = 0
        for instant in chosen:
            top = prepared(tmp_path / f"{instant}", work)
            died += worker(instant, top, top) is None
            check(top, wanted)
            assert worker(0, top, top) is not None
            check(top, wanted)
            packs = top / "lineage" / "packs" / "r"
            assert sorted(path.name for path in packs.iterdir()) == names, instant
            assert list((top / "lineage" / "tmp").iterdir()) == [], instant
    assert died > len(chosen) / 2


if __name__ == "__main__":
    importlib.import_module("lineage.store.packed.codec")
    serve({"pack": pack, "let_go": let_go}[sys.argv[1]])

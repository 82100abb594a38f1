"""Our loose-object writer beside `git fast-import`: time, and leftovers of kill -9.

Both write the same commit and event, durably, and move the same refs; each way gets
its own repository, and they take turns. Numbers are in docs/adr/0003-storage.md.

    python tests/bench/git_writers.py [COMMITS] [KILLS]
"""

from __future__ import annotations

import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from lineage.store.git import GitRepository
from lineage.store.git_objects import GitObject, TreeEntry, tree

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DURABLE = ("-c", "core.fsync=committed,loose-object", "-c", "core.fsyncMethod=batch")
AUTHOR = "lineage <lineage@localhost> 0 +0000"
EVENTS, HEAD = "refs/lineage/events", "refs/lineage/heads/model%2Fm"
FILES = ("lineage.json", "files.jsonl", "metrics.json", "params.yaml", "model.dvc")


def contents(number: int) -> dict[str, bytes]:
    """Give the files of one commit, half a kilobyte each."""
    return {name: (f"{name} {number} " * 24).encode() for name in FILES}


class Loose:
    """What the store does: objects by ourselves, refs by one `git update-ref`."""

    def __init__(self, root: Path) -> None:
        self.git = GitRepository.discover(root)
        self.tip = ""

    def write(self, number: int) -> None:
        files = [GitObject("blob", data) for data in contents(number).values()]
        entries = zip(FILES, files, strict=True)
        top = tree({name: TreeEntry("100644", blob.oid) for name, blob in entries})
        commit = _commit(top, "")
        event = GitObject("blob", f"event {number}".encode())
        head = tree({"model%2Fm": TreeEntry("160000", commit.oid)})
        view = tree({"heads": TreeEntry("40000", head.oid)})
        around = tree(
            {
                "event.json": TreeEntry("100644", event.oid),
                "view": TreeEntry("40000", view.oid),
            }
        )
        logged = _commit(around, self.tip)
        self.git.write([*files, top, commit, event, head, view, around, logged])
        with (self.git.common / "lock").open("w") as lock:
            mirrors = {HEAD: (None, commit.oid)}
            moved = {EVENTS: (self.tip, logged.oid)}
            self.git.update_refs(mirrors, moved, lock=lock.fileno())
        self.tip = logged.oid


def _commit(top: GitObject, parent: str) -> GitObject:
    parents = f"parent {parent}\n" if parent else ""
    head = f"tree {top.oid}\n{parents}author {AUTHOR}\ncommitter {AUTHOR}\n\n"
    return GitObject("commit", f"{head}message\n".encode())


class FastImport:
    """The same objects by `git fast-import`, loose or as a pack, and the same refs.

    fast-import moves refs in an order of its own and against no expected value, so
    it gets refs of its own, and `git update-ref` follows.
    """

    def __init__(self, root: Path, *, packs: bool) -> None:
        self.git = GitRepository.discover(root)
        self.marks = root / "marks"
        self.limit = f"fastimport.unpackLimit={1 if packs else 100}"
        self.tip = ""

    def write(self, number: int) -> None:
        command = ["git", *DURABLE, "-c", self.limit, "fast-import", "--quiet"]
        command += ["--date-format=raw", f"--export-marks={self.marks}", "--force"]
        stream = b"".join(self._stream(number))
        subprocess.run(command, cwd=self.git.root, input=stream, check=True)
        lines = self.marks.read_text(encoding="utf-8").splitlines()
        oids = dict(line.split() for line in lines)
        with (self.git.common / "lock").open("w") as lock:
            mirrors = {HEAD: (None, oids[":1"])}
            moved = {EVENTS: (self.tip, oids[":2"])}
            self.git.update_refs(mirrors, moved, lock=lock.fileno())
        self.tip = oids[":2"]

    def _stream(self, number: int) -> Iterator[bytes]:
        committer = f"committer {AUTHOR}\ndata 8\nmessage\n".encode()
        yield b"commit refs/import/commit\nmark :1\n" + committer + b"deleteall\n"
        for name, data in contents(number).items():
            yield f"M 100644 inline {name}\n".encode() + _data(data)
        yield b"commit refs/import/event\nmark :2\n" + committer
        yield f"from {self.tip}\n".encode() if self.tip else b""
        yield b"M 100644 inline event.json\n" + _data(f"event {number}".encode())
        yield b"M 160000 :1 view/heads/model%2Fm\n"


def _data(data: bytes) -> bytes:
    return f"data {len(data)}\n".encode() + data + b"\n"


WAYS: dict[str, Callable[[Path], Loose | FastImport]] = {
    "own loose writer": Loose,
    "fast-import": lambda root: FastImport(root, packs=False),
    "fast-import, packs": lambda root: FastImport(root, packs=True),
}


def measure(commits: int, folder: Path) -> None:
    """Print the median time of a commit each way, and what lies there at the end."""
    writers = {way: make(_repository(folder / way)) for way, make in WAYS.items()}
    times: dict[str, list[float]] = {way: [] for way in WAYS}
    for number in range(commits):
        for way, writer in writers.items():
            start = time.perf_counter()
            writer.write(number)
            times[way].append(time.perf_counter() - start)
    base = statistics.median(times["own loose writer"])
    for way, taken in times.items():
        median = statistics.median(taken)
        packs = len(list((folder / way).glob(".git/objects/pack/*.pack")))
        loose = len(list((folder / way).glob(".git/objects/??/*")))
        print(
            f"{way:20} {median * 1e3:6.1f} ms {median / base:5.2f} x"
            f"  {packs:4} packs {loose:6} loose objects"
        )


def _repository(root: Path) -> Path:
    subprocess.run(["git", "init", "--quiet", str(root)], check=True)
    return root


def kill(kills: int, folder: Path) -> None:
    """Print what kill -9 leaves each way, and what is left after a tidying.

    The store tidies before it writes again; after fast-import `git prune` has to.
    """
    for way in WAYS:
        left: list[str] = []
        for number in range(kills):
            root = _repository(folder / f"{way} {number}")
            _killed(way, root, 0.15 + 0.5 * number / kills)
            left += _leftovers(root)
            GitRepository.discover(root).sweep()
            if way != "own loose writer":
                subprocess.run(["git", "prune", "--expire=now"], cwd=root, check=True)
            left += [f"{name} for good" for name in _leftovers(root)]
        kinds = sorted(set(left))
        listed = ", ".join(f"{left.count(kind)} {kind}" for kind in kinds) or "nothing"
        print(f"{way:20} {kills} kills leave {listed}")


def _killed(way: str, root: Path, after: float) -> None:
    """Let a process of its own write until it is killed, with all its children."""
    child = subprocess.Popen(
        [sys.executable, __file__, "--write", way, str(root)], start_new_session=True
    )
    time.sleep(after)
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _leftovers(root: Path) -> list[str]:
    """Kinds of files that no finished write leaves."""
    paths = [p for p in (root / ".git").rglob("*") if p.is_file()]
    temporary = [p.name for p in paths if p.name.startswith("tmp_")]
    kept = [p.suffix for p in paths if p.suffix in {".lock", ".keep"}]
    return [name.rpartition("_")[0] for name in temporary] + kept


def main() -> None:
    if sys.argv[1:2] == ["--write"]:
        writer = WAYS[sys.argv[2]](Path(sys.argv[3]))
        for number in range(10_000):
            writer.write(number)
        return
    commits, kills = (*map(int, sys.argv[1:]), *(200, 40)[len(sys.argv) - 1 :])
    with tempfile.TemporaryDirectory() as folder:
        measure(commits, Path(folder))
        kill(kills, Path(folder))


if __name__ == "__main__":
    main()

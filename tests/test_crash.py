"""kill -9 at many instants: what was acknowledged is there, the rest left no trace.

A child counts the calls of its work that reach the disk and kills itself at one of
them, so that every kill can be repeated. CRASH_ROUNDS=40 makes a long run.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from contextlib import closing, suppress
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import lineage
from lineage.errors import StoreError
from lineage.names_ops import delete_branch, delete_tag, set_branch, set_tag

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from lineage.registry import Registry

    Sound = Callable[[Registry], None]

ROUNDS = int(os.environ.get("CRASH_ROUNDS", "1"))
REACH_THE_DISK = frozenset(
    {"open", "write", "readinto", "close", "truncate", "fsync", "flock", "chmod"}
    | {"link", "rename", "replace", "unlink", "rmdir", "mkdir", "execute", "commit"}
    | {"executemany", "fork_exec", "waitpid", "flush"}
)


# the child's side: `python test_crash.py`


class Killer:
    """A profile function that kills this process at its nth call to the disk."""

    def __init__(self, instant: int) -> None:
        self.calls = 0
        self._instant = instant

    def strike(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def __call__(self, frame: FrameType, event: str, arg: Any) -> None:
        if not event.startswith("c_") or arg.__name__ not in REACH_THE_DISK:
            return
        importing = frame.f_code.co_filename.startswith("<frozen importlib")
        if not importing and not isinstance(arg.__self__, str | BytesIO):
            self.calls += 1
            if self.calls == self._instant:
                self.strike()


class Interrupter(Killer):
    """The same for Ctrl-C."""

    def strike(self) -> None:
        raise KeyboardInterrupt


def small(root: Path, path: Path) -> str:
    with closing(lineage.open(root)) as registry:
        return registry.commit("dataset", "small", path, message=path.name).id


def folder(root: Path, path: Path) -> str:
    with closing(lineage.open(root)) as registry:
        return registry.commit("model", "folder", path, params={"x": path.name}).id


def names(root: Path, path: Path) -> str:
    """Everything that moves and deletes refs."""
    with closing(lineage.open(root)) as registry:
        part = f"runs/loop/{path.name}"
        made = registry.commit("config", "c", params={"x": path.name}, ref=part)
        set_branch(registry, f"b{path.name}", made.id)
        set_tag(registry, f"t{path.name}", made.id)
        delete_tag(registry, f"t{path.name}")
        delete_branch(registry, f"b{path.name}")
        registry.drop_runs(f"loop/{path.name}")
        return made.id


def first(root: Path, path: Path) -> str:
    """The first commit of a registry made by the same process."""
    lineage.init(root).close()
    return small(root, path)


def serve(work: Callable[[Path, Path], str]) -> None:
    """Do `work` once per line of stdin (instant, root, path), each in a fork."""
    importlib.import_module("git")  # once, not in every fork
    for line in sys.stdin:
        instant, root, path = json.loads(line)
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            killer = Killer(instant)
            sys.setprofile(killer)
            id_ = work(Path(root), Path(path))
            sys.setprofile(None)
            os.write(writer, json.dumps([id_, killer.calls]).encode())
            os._exit(0)
        os.close(writer)
        os.waitpid(pid, 0)
        print(os.read(reader, 1000).decode() or "null", flush=True)  # noqa: T201
        os.close(reader)


# the test's side


class Worker:
    """A process that works, and dies, for us."""

    def __init__(self, work: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", __file__, work],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def __call__(self, instant: int, root: Path, path: Path) -> list[Any] | None:
        """Work, killed at `instant` (0: never): [id, calls], None when it died."""
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps([instant, str(root), str(path)]) + "\n")
        process.stdin.flush()
        answer: list[Any] | None = json.loads(process.stdout.readline())
        return answer

    def close(self) -> None:
        self._process.communicate()


def instants(calls: int, count: int) -> Iterator[int]:
    """`count` instants, evenly spread over `calls` with some chance."""
    chance = random.Random(calls)  # noqa: S311
    return (1 + int((i + chance.random()) * calls / count) for i in range(count))


def source(folder: Path, name: str, work: str) -> Path:
    """Give a file or folder that nobody committed before."""
    path = folder / name
    if work != "folder":
        path.write_text(name, encoding="utf-8")
        return path
    (path / "empty").mkdir(parents=True)
    for i in range(10):
        (path / f"{i}.txt").write_text(f"{name} {i}", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("work", "count"), [("small", 30), ("folder", 20), ("names", 20)]
)
def test_a_killed_writer_leaves_nothing_behind(
    work: str, count: int, repo: Registry, tmp_path: Path, sound: Sound
) -> None:
    """After each kill the next writer's work is whole and every leftover is gone."""
    with closing(Worker(work)) as worker:
        whole = worker(0, repo.root, source(tmp_path, "0", work))
        assert whole is not None
        acknowledged = [whole[0]]
        for i, instant in enumerate(instants(whole[1], count * ROUNDS), 1):
            died = worker(instant, repo.root, source(tmp_path, f"{i}", work))
            lived = worker(0, repo.root, source(tmp_path, f"{i}+", work))
            assert lived is not None
            acknowledged += [lived[0], *(died or [])[:1]]
            assert list(repo.git.common.rglob("tmp_obj_*")) == [], instant
            assert list(repo.git.common.glob("refs/**/*.lock")) == [], instant
            assert list(repo.home.glob(".*")) == [], instant
    assert len(set(acknowledged)) == len(acknowledged) > count * ROUNDS
    assert set(acknowledged) <= {record.id for record in repo.ids}
    sound(repo)


def test_a_killed_commit_of_a_large_file_leaves_no_copy(
    repo: Registry, tmp_path: Path, sound: Sound
) -> None:
    """Half-written copies of 60 MB go with the next commit."""
    with closing(Worker("small")) as worker:
        big = tmp_path / "big"
        big.write_bytes(os.urandom(60_000_000))
        whole = worker(0, repo.root, big)
        assert whole is not None
        for instant in instants(whole[1], 4 * ROUNDS):
            with big.open("r+b") as file:
                file.write(os.urandom(8))
            worker(instant, repo.root, big)
            repo.commit("config", "next", params={"x": instant})
            worker(0, repo.root, source(tmp_path, "tiny", "small"))
            assert list(repo.payloads.cache.glob("lineage/tmp/*")) == []
    sound(repo)


def test_a_killed_first_commit_can_be_done_again(tmp_path: Path, sound: Sound) -> None:
    """Killed anywhere in `init` or the commit after it, doing it again works."""
    with closing(Worker("first")) as worker:
        path = source(tmp_path, "path", "small")
        whole = worker(0, tmp_path / "whole", path)
        assert whole is not None
        for instant in instants(whole[1], 10 * ROUNDS):
            root = tmp_path / "repo"
            worker(instant, root, path)
            done = worker(0, root, path)
            if done is None:  # a `git init` that outlived its parent was still at it
                time.sleep(0.5)
                done = worker(0, root, path)
            assert done is not None
            with closing(lineage.open(root)) as registry:
                assert list(registry.branches().values()) == [whole[0]]
                sound(registry)
            shutil.rmtree(root)


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # of an interrupted Popen()
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_an_interrupted_registry_can_be_used_on(
    repo: Registry, tmp_path: Path, sound: Sound
) -> None:
    """After Ctrl-C anywhere in a commit the same object works, as in a notebook."""

    def interrupted(instant: int) -> int:
        (tmp_path / "f").write_text(f"{instant}", encoding="utf-8")
        profile = Interrupter(instant)
        sys.setprofile(profile)
        try:
            with suppress(KeyboardInterrupt):
                repo.commit("dataset", "small", tmp_path / "f")
        finally:
            sys.setprofile(None)
        return profile.calls

    interrupted(0)
    for instant in instants(interrupted(-1), 20 * ROUNDS):
        interrupted(instant)
        (tmp_path / "f").write_text(f"{instant}+", encoding="utf-8")
        made = repo.commit("dataset", "small", tmp_path / "f")
        assert repo.resolve("HEAD") == made.id == repo.load(made.id).id
    gc.collect()
    sound(repo)


SHIM = """\
#!/bin/sh
case " $* " in
*" update-ref "*)
    exec 3<&0
    {git} "$@" <&3 & child=$!
    sleep {delay}
    kill -9 $child 2>/dev/null
    wait $child ;;
*)  exec {git} "$@" ;;
esac
"""


def test_a_killed_git_leaves_the_old_or_the_new(
    repo: Registry, tmp_path: Path, sound: Sound, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When git dies while it moves refs, the move is whole or not there at all."""
    shim = tmp_path / "bin" / "git"
    shim.parent.mkdir()
    shim.touch(mode=0o755)
    head = repo.commit("config", "head", params={"x": 1}).id
    failures = 0
    for i in range(6 * ROUNDS):
        set_branch(repo, "doomed", head)
        subprocess.run(["git", "pack-refs", "--all"], cwd=repo.root, check=True)
        delay = f"{i % 12 / 4_000:.4f}"
        shim.write_text(SHIM.format(git=shutil.which("git"), delay=delay))
        path = source(tmp_path, f"{i}", "small")
        deeds = (
            lambda path=path: repo.commit("dataset", "small", path).id,
            lambda: delete_branch(repo, "doomed"),
        )
        with monkeypatch.context() as patch:
            patch.setenv("PATH", str(shim.parent), prepend=os.pathsep)
            done = [attempt(deed) for deed in deeds]
        failures += done.count(None)
        assert repo.commit("dataset", "small", path).id == (
            done[0] or repo.resolve("HEAD")
        )
        if "doomed" in repo.branches():
            delete_branch(repo, "doomed")
        assert list(repo.git.common.glob("refs/**/*.lock")) == []
    assert failures > 0
    assert len(repo.ids) == 6 * ROUNDS + 1
    sound(repo)


def attempt(deed: Callable[[], str]) -> str | None:
    try:
        return deed()
    except StoreError as error:
        assert "git update-ref failed" in str(error)  # noqa: PT017
        return None


SLOW = """\
#!/bin/sh
case " $* " in
*" update-ref "*) touch '{sign}'; sleep 0.5; exec {git} "$@" >/dev/null ;;
*) exec {git} "$@" ;;
esac
"""


def test_a_git_that_outlives_its_writer_is_waited_for(
    repo: Registry, tmp_path: Path, sound: Sound, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lock is held by what still writes, so the next writer comes after it."""
    shim, sign = tmp_path / "bin" / "git", tmp_path / "sign"
    shim.parent.mkdir()
    shim.touch(mode=0o755)
    shim.write_text(SLOW.format(git=shutil.which("git"), sign=sign), encoding="utf-8")
    work = "import lineage; lineage.open().commit('config', 'c', params={'x': 1})"
    with monkeypatch.context() as patch:
        patch.setenv("PATH", str(shim.parent), prepend=os.pathsep)
        writer = subprocess.Popen([sys.executable, "-P", "-c", work])
    while not sign.exists():
        time.sleep(0.01)
    time.sleep(0.2)  # until git has been told what to do
    writer.kill()
    writer.wait()
    made = repo.commit("config", "c", params={"x": 2})

    [before] = repo.load(made.id).ids("revises")
    assert repo.load(before).params == {"x": 1}
    assert repo.git.ref("refs/lineage/heads/config%2Fc") == made.git
    sound(repo)


if __name__ == "__main__":
    works = {"small": small, "folder": folder, "names": names, "first": first}
    serve(works[sys.argv[1]])

"""kill -9 anywhere in any command that writes: it happened whole, or not at all.

Each case is a command line on a prepared folder of registries and remotes. A process
counts the calls of its work that reach the disk and kills itself at one of them: with
the git that it started, or alone so that git outlives it. What was recorded before is
there, the same command again ends where it would have ended without the kill, and the
next writer leaves nothing behind. CRASH_ROUNDS=50 makes a long run.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import json
import os
import random
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import lineage
from lineage.store import names
from tests.test_crash import ROUNDS, Killer, instants

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from lineage.registry import Registry

    Sound = Callable[..., None]

PR_SET_CHILD_SUBREAPER = 36
HEAVY = (
    "git",
    "dvc.config",
    "dvc.fs",
    "sqlmodel",
    "alembic",
    "lineage.cli.main",
    "lineage.store.packed.codec",
)


# the child's side: `python -m tests.test_kills`


class GroupKiller(Killer):
    """Kills this process `delay` seconds after an instant, `alone` or with its git."""

    def __init__(self, instant: int, delay: float, *, alone: bool) -> None:
        super().__init__(instant)
        self.forks: list[int] = []
        self._delay = delay
        self._alone = alone

    def strike(self) -> None:
        time.sleep(self._delay)
        for pid in () if self._alone else started_here():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        os.kill(os.getpid(), signal.SIGKILL)

    def __call__(self, frame: FrameType, event: str, arg: Any) -> None:
        super().__call__(frame, event, arg)
        if event == "c_return" and arg.__name__ == "fork_exec":
            self.forks.append(self.calls)


def started_here() -> list[int]:
    """The processes of our group, but for what stands for a server elsewhere."""
    found: dict[int, tuple[int, bool]] = {}
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (path / "stat").read_text().rpartition(")")[2].split()
            serving = b"receive-pack\0" in (path / "cmdline").read_bytes()
            if int(words[2]) == os.getpgid(0):
                found[int(path.name)] = int(words[1]), serving
    return [pid for pid in found if pid != os.getpid() and not serves(pid, found)]


def serves(pid: int, found: dict[int, tuple[int, bool]]) -> bool:
    """Whether a process, or one that it comes from, is the server's."""
    parent, serving = found.get(pid, (0, False))
    return serving or (pid in found and serves(parent, found))


def serve() -> None:
    """Run one command line per line of stdin, each in a fork that leads a group."""
    if sys.platform == "linux":  # whom a killed child leaves behind is ours to wait for
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    for name in HEAVY:
        importlib.import_module(name)
    for line in sys.stdin:
        job = json.loads(line)
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.setpgid(0, 0)
            work(job, writer)
        os.close(writer)
        wait_for(pid, group=not job["alone"])
        print(os.read(reader, 10_000).decode() or "null", flush=True)  # noqa: T201
        os.close(reader)


def wait_for(pid: int, *, group: bool) -> None:
    """Wait until a process has ended, or every process of its group."""
    if not group:
        os.waitpid(pid, 0)
        return
    with suppress(ChildProcessError):
        while True:
            os.waitpid(-pid, 0)


def work(job: dict[str, Any], writer: int) -> None:
    """Be the command line, until the instant comes."""
    from lineage.cli.main import main

    os.chdir(job["where"])
    said = os.open(job["said"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(said, 1)
    os.dup2(said, 2)
    sys.argv = ["lineage", *job["words"]]
    killer = GroupKiller(job["instant"], job["delay"], alone=job["alone"])
    threading.setprofile(killer)
    sys.setprofile(killer)
    code = 0
    try:
        main()
    except SystemExit as stop:
        code = int(stop.code or 0)
    finally:
        sys.setprofile(None)
        sys.stdout.flush()
        sys.stderr.flush()
        os.write(writer, json.dumps([code, killer.calls, killer.forks]).encode())
        os._exit(0)


# the test's side


@dataclass(frozen=True)
class Case:
    """A command line, what comes before it, and its exit code when done again."""

    command: str
    before: tuple[str, ...] = ()
    again: int = 0
    steps: bool = False  # a kill may leave it half done, to be done by the next run
    where: str = "repo"
    rest: tuple[str, str] | None = None  # what goes on where `again` is refused, there

    def __str__(self) -> str:
        return "; ".join([*self.before, f"{self.command} in {self.where}"])


APART = ("branch --delete second",)
SHARED = (
    "commit dataset text --name text",
    "branch --force second first",
    "tag v2 second",
)
PACK = "pack dataset/text"
PACKED = tuple(f"-C ../repo {does}" for does in (SHARED[0], PACK, "push --packed"))
KEY = ("key generate Ada --no-passphrase",)
LARGE = ("commit dataset large --name large", "config pack.size 1")  # two packs
RUNNER = "key generate runner --role runner --no-passphrase"

CASES = [
    Case("init new", where="."),
    Case("commit dataset text --name text"),
    Case("commit dataset folder --name folder --origin human"),
    Case("commit model folder --name ref --reference"),
    Case("commit generation --name loop --includes first --includes second"),
    Case("commit dataset other --name text --branch first"),
    Case("import hf folder --name hub --kind dataset"),
    Case("attest first --metric accuracy=0.81,0.83"),
    Case("attest first --release production"),
    Case("taint first --reason 'it is wrong'"),
    Case(
        "blame dataset/folder 1 --prove p.json",
        ("commit dataset folder --name folder",),
    ),
    Case("branch new first", again=2),
    Case("branch --force second first"),
    Case("branch --delete second", again=5),
    Case("branch --rename second third", again=5),
    Case("branch --protect second"),
    Case("branch --unprotect second", ("branch --protect second",), again=5),
    Case("tag v2 second"),
    Case("tag --delete v1", again=5),
    Case("undo", APART, again=-1),
    Case("redo", (*APART, "undo"), again=5),
    Case("gc --grace 0d", APART, steps=True),
    Case("gc --grace 0d --empty-trash", APART, steps=True),
    Case("gc --restore", (*APART, "gc --grace 0d"), steps=True),
    Case("erase second --yes --reason wish --authority Ada", steps=True),
    Case("erase second --yes --reason x --authority y --remote store", steps=True),
    Case("pack all()", LARGE, steps=True),
    Case("unpack --all", (*LARGE, "pack all()"), steps=True),
    Case("unpack second", (*LARGE, "pack all()"), steps=True),
    Case("verify --repair", steps=True),
    Case("config gc.grace 14d"),
    Case("config --unset gc.trash", ("config gc.trash 3d",), again=5),
    Case("index rebuild"),
    Case("remote add backup ../hub.git --dvc-remote store", again=2, steps=True),
    Case("remote remove origin", again=5, steps=True),
    Case("push", SHARED, steps=True),
    Case("push --packed", (*SHARED, PACK), steps=True),
    Case("fetch", where="other", steps=True),
    Case("pull", SHARED, where="other", steps=True),
    Case("pull", where="other", steps=True),
    Case("pull", PACKED, where="other", steps=True),
    Case("push", ("pull",), where="other", steps=True),
    Case("clone hub.git new", where=".", again=2, steps=True, rest=("pull", "new")),
    Case(KEY[0], again=2, steps=True),
    Case("key revoke runner --reason lost", (*KEY, RUNNER), again=5),
    Case("token create"),
    Case("commit dataset text --name text", KEY),
]
FIRST = (
    "commit dataset one --name first --branch first",
    "commit dataset two --name second --branch second",
    "tag v1 first",
    "remote add origin ../hub.git --dvc-remote store",
    "push",
)
DVC = """\
[core]
    remote = store
['remote "store"']
    url = ../../store
"""


class Arena:
    """The folders of a case, and a process that works, and dies, in them."""

    def __init__(self, folder: Path) -> None:
        self.place = folder / "place"
        self._kept = folder / "kept"
        self._changed = folder / "changed"
        self._ready = self._kept
        self._said = folder / "said"
        here = os.fspath(Path(__file__).parents[1])
        config = self.place / "config"
        shutil.copytree(os.environ["XDG_CONFIG_HOME"], config)
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "tests.test_kills"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "PYTHONPATH": here, "XDG_CONFIG_HOME": str(config)},
        )  # fmt: skip
        self._make()

    def close(self) -> None:
        self._process.communicate()

    def _make(self) -> None:
        (self.place / "repo" / "folder").mkdir(parents=True)
        for i in range(3):
            path = self.place / "repo" / "folder" / f"{i}.txt"
            path.write_text(f"{i}\n", encoding="utf-8")
        for name in ("one", "two", "text", "other"):
            path = self.place / "repo" / name
            path.write_text(f"{name}\n" * 100, encoding="utf-8")
        lines = "".join(f"{i} of many lines\n" for i in range(5000))
        (self.place / "repo" / "large").write_text(lines, encoding="utf-8")
        hub = ["git", "init", "--quiet", "--bare", str(self.place / "hub.git")]
        subprocess.run(hub, check=True)
        self.must("init")
        (self.place / "repo" / ".dvc" / "config").write_text(DVC, encoding="utf-8")
        for command in FIRST:
            self.must(command)
        self.must("clone hub.git other", ".")
        self.must("commit config --name other --param x=1", "other")
        self.must("tag theirs", "other")
        self.must("commit config --name more --param x=1")
        self.must("push")
        _copy(self.place, self._kept)

    def prepare(self, case: Case) -> None:
        """Make what `case` starts from."""
        _copy(self._kept, self.place)
        self._ready = self._kept
        if not case.before:
            return
        for command in case.before:
            self.must(command, "repo" if case.before is SHARED else case.where)
        if case.before is SHARED and case.where == "other":
            self.must("push")
        self._ready = self._changed
        _copy(self.place, self._ready)

    def reset(self) -> None:
        _copy(self._ready, self.place)

    def must(self, command: str, where: str = "repo") -> tuple[int, list[int]]:
        """Run a command that works; its calls, and those that started a process."""
        done = self(command, where)
        assert done is not None
        assert done[0] == 0, f"{command}: {self.said()}"
        return done[1:]

    def said(self) -> str:
        return self._said.read_text(encoding="utf-8")

    def __call__(
        self,
        command: str,
        where: str = "repo",
        instant: int = 0,
        delay: float = 0.0,
        *,
        alone: bool = False,
    ) -> tuple[int, int, list[int]] | None:
        """Run a command, killed at `instant`: (code, calls), None when it died."""
        job: dict[str, Any] = {
            "words": shlex.split(command),
            "where": str(self.place / where),
        }
        job |= {"instant": instant, "delay": delay, "alone": alone}
        assert self._process.stdin
        assert self._process.stdout
        line = json.dumps({**job, "said": str(self._said)})
        self._process.stdin.write(f"{line}\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        return answer and tuple(answer)

    def registries(self) -> dict[str, Path]:
        """Every registry here, by the name of its folder."""
        with contextlib.chdir(self.place):
            found = sorted(self.place.glob("*/.git/refs/lineage/events"))
        return {path.parents[3].name: path.parents[3] for path in found}

    def state(self) -> dict[str, dict[str, Any]]:
        return {name: state(root) for name, root in self.registries().items()}

    def hub(self) -> dict[str, Any]:
        """What lies at the remotes, and that git finds it whole."""
        hub = self.place / "hub.git"
        _git(hub, "fsck", "--strict", "--connectivity-only")
        listed = _git(hub, "for-each-ref", "--format=%(refname) %(objectname)")
        events = _git(hub, "rev-list", names.EVENTS).split()
        refs = set(listed.splitlines()) - {f"{names.EVENTS} {events[0]}"}
        stored = (path for path in (self.place / "store").rglob("*") if path.is_file())
        return {"refs": refs, "events": set(events), "stored": set(stored)}


def _copy(source: Path, target: Path) -> None:
    """Copy a tree with the hard links in it."""
    shutil.rmtree(target, ignore_errors=True)
    subprocess.run(["cp", "-a", source, target], check=True)


def _git(where: Path, *words: str) -> str:
    """What git says."""
    done = subprocess.run(
        ["git", *words], cwd=where, capture_output=True, text=True, check=True
    )
    return done.stdout


def state(root: Path) -> dict[str, Any]:
    """What a registry knows, without when."""
    with closing(lineage.open(root)) as registry:
        spaces = ("heads", "tags", "runs", "spent", "protected")
        known = {record.id for record in registry.ids}
        listed = registry.events_log.iterate(oldest_first=True)
        return {
            "names": {space: registry.names(space) for space in spaces},
            "commits": known,
            "bytes": {id_: _here(registry, id_) for id_ in known},
            "log": [(e.type, e.subject, e.refs) for _, e in listed],
            "settings": registry.settings.all,
        }


def _here(registry: Registry, id_: str) -> bool:
    oids = [entry.md5 for entry in registry.files(id_) if not entry.is_directory]
    has = registry.payloads
    return all(has.is_pinned(oid) or has.is_packed(oid) for oid in oids)


@pytest.fixture(scope="module")
def arena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Arena]:
    """Give the folders, and a process to kill, to all cases."""
    with closing(Arena(tmp_path_factory.mktemp("arena"))) as arena:
        yield arena


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_killed_command_happened_or_did_not(
    case: Case, arena: Arena, sound: Sound, capsys: pytest.CaptureFixture[str]
) -> None:
    """After each kill all is as before or as after, and doing it again ends as well."""
    arena.prepare(case)
    before, hub = arena.state(), arena.hub()
    calls, forks = arena.must(case.command, case.where)
    after = arena.state()
    kills = 0
    for instant, delay, alone in moments(calls, forks):
        arena.reset()
        died = arena(case.command, case.where, instant, delay, alone=alone)
        kills += died is None
        try:
            assert arena.hub()["events"] >= hub["events"]
            erased = "--remote store" in case.command
            assert erased or arena.hub()["stored"] >= hub["stored"]
            judge(arena, case, before, after, alone=alone)
            for name, root in arena.registries().items():
                with closing(lineage.open(root)) as registry:
                    sound(registry, lacking=name != "repo")
        except BaseException as error:
            error.add_note(f"{case}: {instant=} of {calls}, {alone=} {delay=}")
            raise
    if ROUNDS > 1:
        with capsys.disabled():
            print(f"\n{case}: {kills} kills")  # noqa: T201


def moments(calls: int, forks: list[int]) -> Iterator[tuple[int, float, bool]]:
    """When to die: evenly spread over all calls, and while git runs."""
    for number, instant in enumerate(instants(calls, ROUNDS), calls):
        chance = random.Random(instant)  # noqa: S311
        if number % 2 and forks:
            yield chance.choice(forks), chance.uniform(0, 0.02), chance.random() < 0.2
        else:
            yield instant, 0.0, chance.random() < 0.3


def judge(arena: Arena, case: Case, before: Any, after: Any, *, alone: bool) -> None:
    """Hold what a kill left, and what doing it again makes of it, to the rule."""
    left = {} if alone else arena.state()
    if not alone and not case.steps:
        assert left in (before, after)
    if case.again < 0 and (alone or left == after):
        return  # what it would do again is another thing
    done = arena(case.command, case.where)
    assert done is not None
    fine = (0,) if not alone and left == before else (0, case.again)
    assert done[0] in fine, arena.said()
    if done[0] and case.rest:
        arena.must(*case.rest)
    for root in arena.registries().values():
        arena.must("commit config --name next --param x=1", str(root))
    ended = arena.state()
    assert set(ended) == set(after)
    for name, now in ended.items():
        now["names"]["heads"].pop("config/next", None)
        assert now["names"] == after[name]["names"]
        assert now["settings"] == after[name]["settings"]
        assert now["commits"] > after[name]["commits"]
        gone = {i for i, here in after[name]["bytes"].items() if not here}
        assert {i for i, here in now["bytes"].items() if not here} == gone
        assert set(now["log"]) > set(after[name]["log"])
        if not alone:
            known = before.get(name, {"log": []})["log"]
            assert left.get(name, {"log": known})["log"][: len(known)] == known


if __name__ == "__main__":
    serve()

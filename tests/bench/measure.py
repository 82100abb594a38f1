"""Measuring commands side by side: taking turns, medians with spread, ratios.

A contestant is a command line. All take turns, once per round, so that a busy
minute hits everybody. Wall and CPU time are the whole process tree's, peak memory that
of its largest process, from wait4(2) (see meter.py).
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.bench import peers
from tests.bench.peers import BIN, environment
from tests.bench.tables import Goal, Run, Sheet, Table, markdown, seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["BIN", "Goal", "Run", "Sheet", "Table", "environment", "seconds"]

LINEAGE, DVC, PYTHON = str(BIN / "lineage"), str(BIN / "dvc"), sys.executable
HERE = Path(__file__).parent
METER = str(HERE / "meter.py")
PATIENCE = 60  # seconds; who has taken longer does not run again
SYNCS = ("fsync", "fdatasync", "syncfs", "sync", "sync_file_range")


@dataclass(frozen=True, slots=True)
class Contestant:
    """A command by name; `prepare` gives the folder to run it in, untimed.

    It runs in rounds in which the contestant that it `follows` ran.
    """

    name: str
    command: Sequence[str]
    prepare: Callable[[], Path]
    follows: str = ""

    def run(self) -> Run:
        folder = self.prepare()
        with tempfile.NamedTemporaryFile("r", dir=folder.parent) as told:
            os.sync()  # what others left to write is nobody's to pay
            subprocess.run(
                [PYTHON, "-I", "-S", METER, told.name, *self.command],
                cwd=folder,
                env=environment(),
                stdout=subprocess.DEVNULL,
                check=True,
            )
            wall, cpu, memory, status = told.read().split()
        if int(status):
            raise SystemExit(f"{self.name} failed: {self.command}")
        return Run(float(wall), float(cpu), int(memory))

    def said(self) -> str:
        """The command as one types it."""
        words = [
            word.removeprefix(f"{BIN}/").removeprefix(f"{HERE}/")
            for word in self.command
        ]
        return words[-1] if words[:2] == ["sh", "-ec"] else shlex.join(words)


def shell(
    name: str, script: str, prepare: Callable[[], Path], follows: str = ""
) -> Contestant:
    """A line of shell."""
    return Contestant(name, ["sh", "-ec", script], prepare, follows)


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured: what is said on paper, or what ends in a few minutes."""

    big: int = 1_000_000_000  # bytes of the large file
    files: int = 10_000  # small ones
    commits: int = 300  # of the history that is read
    served: int = 10_000  # commits behind the server
    larger: int = 10_000_000_000  # with --large
    many: int = 200_000


QUICK = Sizes(50_000_000, 500, 50, 1_000, 200_000_000, 2_000)


@dataclass(frozen=True, slots=True)
class Bench:
    """Where to measure, how many rounds, how much, beside whom."""

    folder: Path
    rounds: int
    sizes: Sizes = field(default_factory=Sizes)
    versions: Mapping[str, str] = field(default_factory=dict)
    tables: list[Table | Sheet] = field(default_factory=list)
    cases: Sequence[str] = ()  # those of the area store that are wanted; () for all

    def fresh(self, name: str = "") -> Path:
        """A new empty folder that stays until the end.

        On ext4 a file is made several times slower for minutes after thousands
        were deleted nearby, so no contestant may tidy up before the next.
        """
        return Path(tempfile.mkdtemp(prefix=name, dir=self.folder))

    def registry(self) -> Path:
        """A fresh registry."""
        return self.repository(peers.OURS)

    def repository(self, peer: peers.Peer) -> Path:
        """A fresh repository of a tool's."""
        folder = self.fresh(peer.name.split()[-1])
        do(folder, peer.make)
        return folder

    def here(self) -> list[peers.Peer]:
        """The peers that are installed."""
        return [peer for peer in peers.PEERS if peer.name in self.versions]

    def race(
        self,
        title: str,
        contestants: Sequence[Contestant],
        goals: Sequence[Goal] = (),
        *,
        rounds: int = 0,
    ) -> Table:
        """Run all contestants `rounds` times, in turn and always in this order.

        Who has lost patience sits the later rounds out. Goals of peers that did not
        run are left out.
        """
        runs: dict[str, list[Run]] = {each.name: [] for each in contestants}
        for turn in range(rounds or self.rounds):
            for each in contestants:
                leader = runs.get(each.follows)
                slow = sum(run.wall for run in runs[each.name]) > PATIENCE
                if not slow and (leader is None or len(leader) > turn):
                    runs[each.name].append(each.run())
        commands = {each.name: each.said() for each in contestants}
        asked = [goal for goal in goals if goal.peer in runs and goal.ours in runs]
        return Table(title, runs, commands, asked)

    def show(self, table: Table | Sheet) -> None:
        """Print a table and keep it for the results."""
        print(f"\n{markdown(table)}", end="", flush=True)
        self.tables.append(table)


def do(folder: Path, script: str) -> None:
    """Run a line of shell that is not measured."""
    subprocess.run(
        ["sh", "-ec", script],
        cwd=folder,
        env=environment(),
        check=True,
        stdout=subprocess.DEVNULL,
    )


def syncs(contestant: Contestant) -> str:
    """What a contestant asks of the disk, counted by strace."""
    if not shutil.which("strace"):
        return f"{contestant.name}: no strace here to count syncs"
    folder = contestant.prepare()
    with tempfile.NamedTemporaryFile("r", dir=folder.parent) as log:
        traced = ",".join((*SYNCS, "execve", "fadvise64"))
        watch = ["strace", "-f", "-qq", "-e", f"trace={traced}", "-o", log.name]
        subprocess.run(
            [*watch, *contestant.command],
            cwd=folder,
            env=environment(),
            stdout=subprocess.DEVNULL,
            check=True,
        )
        lines = [line.partition(" ")[2].strip() for line in log if " = 0" in line]
    found = Counter(line.partition("(")[0] for line in lines)
    listed = ", ".join(f"{found[name]} {name}" for name in SYNCS if found[name])
    return f"Syncs of {contestant.name}: {listed or 'none'}."


def machine(folder: Path, versions: Mapping[str, str] | None = None) -> str:
    """The machine and the versions that the tables hold for."""
    cpu = _first("/proc/cpuinfo", "model name")
    memory = int(_first("/proc/meminfo", "MemTotal").split()[0]) / 1e6
    kind = _said("stat", "-f", "-c", "%T", str(folder))
    tools = {
        "Linux": os.uname().release,
        "Python": sys.version.split()[0],
        "lineage": _said(LINEAGE, "--version").split()[-1],
        "git": _said("git", "--version").split()[-1],
        **(versions or {"dvc": _said(DVC, "--version")}),
    }
    listed = ", ".join(f"{name} {version}" for name, version in tools.items())
    openssl = " ".join(_said("openssl", "version").split()[:2])
    return (
        f"{cpu}, {os.cpu_count()} cores, {memory:.0f} GB, {kind}; {listed}, {openssl}"
    )


def _first(path: str, key: str) -> str:
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == key:
            return value.strip()
    return "unknown"


def _said(*command: str) -> str:
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, env=environment()
    )
    return done.stdout.strip()

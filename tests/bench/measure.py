"""Measuring commands side by side: taking turns, medians with spread, ratios.

A contestant is a command line. All take turns, once per round, so that a busy
minute hits everybody. Wall time, CPU time and peak memory are the whole process
tree's, from wait4(2).
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

BIN = Path(sys.executable).parent
LINEAGE, DVC, PYTHON = str(BIN / "lineage"), str(BIN / "dvc"), sys.executable
SYNCS = ("fsync", "fdatasync", "syncfs", "sync", "sync_file_range")


def environment() -> dict[str, str]:
    """The caller's, with compiled bytecode and without DVC's telemetry process."""
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, "DVC_NO_ANALYTICS": "1", "PYTHONWARNINGS": "ignore"}


@dataclass(frozen=True, slots=True)
class Run:
    """One run: wall and CPU seconds, peak memory of its largest process in bytes."""

    wall: float
    cpu: float
    memory: int


@dataclass(frozen=True, slots=True)
class Contestant:
    """A command by name; `prepare` gives the folder to run it in, untimed."""

    name: str
    command: Sequence[str]
    prepare: Callable[[], Path]

    def run(self) -> Run:
        folder = self.prepare()
        os.sync()  # what others left to write is nobody's to pay
        begun = time.perf_counter()
        with subprocess.Popen(
            self.command, cwd=folder, env=environment(), stdout=subprocess.DEVNULL
        ) as child:
            _, status, usage = os.wait4(child.pid, 0)
            child.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - begun
        if child.returncode:
            raise SystemExit(f"{self.name} failed: {self.command}")
        cpu = usage.ru_utime + usage.ru_stime
        return Run(wall, cpu, usage.ru_maxrss * 1024)


@dataclass(frozen=True, slots=True)
class Bench:
    """Where to measure, and how many rounds."""

    folder: Path
    rounds: int

    def fresh(self, name: str = "") -> Path:
        """A new empty folder that stays until the end.

        On ext4 a file is made several times slower for minutes after thousands
        were deleted nearby, so no contestant may tidy up before the next.
        """
        return Path(tempfile.mkdtemp(prefix=name, dir=self.folder))

    def registry(self) -> Path:
        """A fresh registry."""
        folder = self.fresh("registry")
        _do(folder, LINEAGE, "-q", "init")
        return folder

    def dvc(self) -> Path:
        """A fresh git and DVC repository."""
        folder = self.fresh("dvc")
        _do(folder, "git", "init", "-q")
        _do(folder, DVC, "init", "-q")
        return folder

    def race(
        self, contestants: Sequence[Contestant], *, rounds: int = 0
    ) -> dict[str, list[Run]]:
        """Run all contestants `rounds` times, in turn and always in this order."""
        runs: dict[str, list[Run]] = {each.name: [] for each in contestants}
        for _ in range(rounds or self.rounds):
            for each in contestants:
                runs[each.name].append(each.run())
        return runs


def _do(folder: Path, *command: str) -> None:
    subprocess.run(command, cwd=folder, env=environment(), check=True)


@dataclass(frozen=True, slots=True)
class Goal:
    """`ours` takes at most `ratio` of the wall (or CPU) time of `peer`."""

    ours: str
    peer: str
    ratio: float
    of: str = "wall"


@dataclass
class Table:
    """Runs by contestant, printed with spread, ratios and goals."""

    title: str
    runs: Mapping[str, list[Run]]
    goals: Sequence[Goal] = ()
    notes: list[str] = field(default_factory=list)

    def print(self) -> None:
        print(f"\n### {self.title}\n")
        print("| | wall, median | from, to | CPU, median |")
        print("|---|---:|---:|---:|")
        for name, runs in self.runs.items():
            walls = [run.wall for run in runs]
            cpu = statistics.median(run.cpu for run in runs)
            spread = f"{seconds(min(walls))}, {seconds(max(walls))}"
            middle = seconds(statistics.median(walls))
            print(f"| {name} | {middle} | {spread} | {seconds(cpu)} |")
        if self.goals:
            print("\n| ratio | wall | CPU | goal | |")
            print("|---|---:|---:|---|---|")
        for goal in self.goals:
            wall, cpu = self.ratios(goal.ours, goal.peer)
            verdict = (
                "met"
                if (wall if goal.of == "wall" else cpu) <= goal.ratio
                else "missed"
            )
            names = f"{goal.ours} : {goal.peer}"
            print(
                f"| {names} | {wall:.2f} | {cpu:.2f} "
                f"| {goal.of} ≤ {goal.ratio} | {verdict} |"
            )
        for note in self.notes:
            print(f"\n{note}")
        sys.stdout.flush()

    def ratios(self, ours: str, peer: str) -> tuple[float, float]:
        """Of wall and of CPU time: medians over the rounds, in which both ran."""
        pairs = list(zip(self.runs[ours], self.runs[peer], strict=True))
        wall = statistics.median(a.wall / b.wall for a, b in pairs)
        return wall, statistics.median(a.cpu / b.cpu for a, b in pairs)

    def memory(self, name: str) -> float:
        """The most memory that a process of `name` took, in MB.

        It reads no less than the measuring process's own, about 25 MB.
        """
        return max(run.memory for run in self.runs[name]) / 1e6


def seconds(value: float) -> str:
    return f"{value:.2f} s" if value >= 1 else f"{value * 1e3:.0f} ms"


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


def machine(folder: Path) -> str:
    """The machine and the versions that the tables hold for."""
    cpu = _first("/proc/cpuinfo", "model name")
    memory = int(_first("/proc/meminfo", "MemTotal").split()[0]) / 1e6
    kind = _said("stat", "-f", "-c", "%T", str(folder))
    tools = {
        "Linux": os.uname().release,
        "Python": sys.version.split()[0],
        "git": _said("git", "--version").split()[-1],
        "dvc": _said(DVC, "--version"),
        "lineage": _said(LINEAGE, "--version").split()[-1],
    }
    versions = ", ".join(f"{name} {version}" for name, version in tools.items())
    openssl = " ".join(_said("openssl", "version").split()[:2])
    return (
        f"{cpu}, {os.cpu_count()} cores, {memory:.0f} GB, {kind}; {versions}, {openssl}"
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

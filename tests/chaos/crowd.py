"""Processes that are started, counted and killed, and a disk that is filled."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from tests.chaos.journal import Done

if TYPE_CHECKING:
    from random import Random

    from tests.chaos.journal import Journal

SMALL = 768 << 20  # bytes of the disk that is filled
PATIENCE = 300  # seconds after which a command hangs


@dataclass
class Running:
    """A process that leads a group of its own, and what was done to it."""

    process: subprocess.Popen[str]
    what: str
    harm: set[str] = field(default_factory=set)


class Crowd:
    """All processes of a run."""

    def __init__(self, journal: Journal, env: dict[str, str]) -> None:
        self.journal, self.env = journal, env
        self.full = False
        self._running: dict[int, Running] = {}
        self._lock = threading.Lock()

    def start(self, command: list[str], cwd: Path, what: str) -> Running:
        """Start a process at the head of a group of its own."""
        pipe = subprocess.PIPE
        process = subprocess.Popen(
            command, cwd=cwd, env=self.env, text=True, stdin=subprocess.DEVNULL,
            stdout=pipe, stderr=pipe, start_new_session=True,
        )  # fmt: skip
        running = Running(process, what, {"full"} if self.full else set())
        with self._lock:
            self._running[process.pid] = running
        return running

    def run(
        self, actor: str, place: str, words: list[str], command: list[str], cwd: Path
    ) -> Done:
        """Run a command to its end, whoever brings it about."""
        began = time.monotonic()
        running = self.start(command, cwd, words[0])
        out, err = self._end_of(running, words)
        with self._lock:
            del self._running[running.process.pid]
        code = running.process.returncode
        order = ("killed", "hurt", "full", "")
        harm = next(one for one in order if not one or one in running.harm)
        seconds = round(time.monotonic() - began, 2)
        return self.journal.add(
            Done(actor, place, tuple(words), code, out, err, harm, seconds)
        )

    def forget(self, running: Running) -> None:
        """Count a server no more that is stopped on purpose."""
        with self._lock:
            self._running.pop(running.process.pid, None)

    def kill(self, rng: Random) -> None:
        """Kill one process of somebody, or all of the group."""
        with self._lock:
            if not self._running:
                return
            pid = rng.choice(sorted(self._running))
            running = self._running[pid]
            group = rng.random() < 0.6
            victim = pid if group else rng.choice(in_group(pid) or [pid])
            with suppress(ProcessLookupError, PermissionError):
                (os.killpg if group else os.kill)(victim, signal.SIGKILL)
                running.harm.add("killed" if group or victim == pid else "hurt")
                whom = "a whole group" if group else "one process"
                self.journal.note(f"kill -9 of {whom}", what=running.what)

    def fill(self, disk: Path, rest: int, most: int = SMALL) -> Path:
        """Fill a disk up to `rest` bytes, with `most`; the file that does it."""
        with self._lock:
            self.full = True
            for running in self._running.values():
                running.harm.add("full")
        path = disk / "filler"
        with path.open("wb", buffering=0) as file, suppress(OSError):
            _fill(file.fileno(), most)
        os.truncate(path, max(0, path.stat().st_size - rest))
        self.journal.note("disk full", rest=rest)
        return path

    def empty(self, filler: Path) -> None:
        """Make room again."""
        filler.unlink()
        self.full = False

    def _end_of(self, running: Running, words: list[str]) -> tuple[str, str]:
        try:
            return running.process.communicate(timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.journal.find(f"{' '.join(words)} hangs")
            os.killpg(running.process.pid, signal.SIGKILL)
            return running.process.communicate()


def _fill(descriptor: int, most: int) -> None:
    size = min(1 << 20, most)
    while size and most > 0:
        try:
            most -= os.write(descriptor, bytes(size))
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            size //= 16


def in_group(group: int) -> list[int]:
    """The processes of a group."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            words = stat.read_text().rpartition(")")[2].split()
            if int(words[2]) == group and words[0] != "Z":
                found.append(int(stat.parent.name))
    return sorted(found)

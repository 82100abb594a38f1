"""Run a command with a folder of its own for all that is temporary.

    python tests/scratch.py [--disk] COMMAND ...

The folder lies in memory where there is room for it, because a commit waits for the
disk twenty times, and with `--disk` where temporary files lie. Nothing is left of it
when the command succeeds; what a failure leaves, the next run removes.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

MEMORY = Path("/dev/shm")  # noqa: S108 - where Linux has a file system in memory
ROOM = 2 << 30  # bytes; a whole run of three workers took 0.5 GB at most (`df`)
PREFIX = "lineage-t-"  # short: sockets lie below it


def room(place: Path) -> int:
    """Bytes that may be written there; no more than there is memory."""
    try:
        disk = os.statvfs(place)
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    known = dict(line.split(":") for line in lines)
    memory = int(known["MemAvailable"].split()[0]) << 10
    return min(memory, disk.f_bavail * disk.f_frsize)


def tidy(place: Path) -> None:
    """Remove what runs have left that are over."""
    for folder in place.glob(f"{PREFIX}*"):
        with suppress(OSError):
            hold(folder)
            shutil.rmtree(folder)


def hold(folder: Path) -> int:
    """Lock it for this process and those that get the descriptor.

    Raises:
        BlockingIOError: a run that is not over holds it.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return descriptor


def inside(folder: Path, command: Sequence[str]) -> int:
    """Run the command; its exit code."""
    env = {**os.environ, "TMPDIR": str(folder)}
    with subprocess.Popen(command, env=env, pass_fds=[hold(folder)]) as process:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the command's own affair
        return process.wait()


def main(*words: str) -> int:
    disk = words[0] == "--disk"
    on_disk = disk or room(MEMORY) < ROOM
    place = Path(tempfile.gettempdir()) if on_disk else MEMORY
    tidy(place)
    folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))
    code = inside(folder, words[1:] if disk else words)
    if code:
        sys.stderr.write(f"what was left is in {folder}\n")
    else:
        shutil.rmtree(folder)
    return code


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

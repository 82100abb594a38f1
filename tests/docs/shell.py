"""One bash for a page: commands one by one, and what each of them prints."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

HOME = "/home/ada"  # what pages say where the run's own folder is
_END = "\x1e"
_PATIENCE = 120.0
_IDENTITY = """\
[user]
    name = Ada Example
    email = ada@example.com
[init]
    defaultBranch = main
"""


class Shell:
    """A bash in a fresh folder; `home` is its HOME."""

    def __init__(self, root: Path, bash: subprocess.Popen[bytes]) -> None:
        self.root = root
        self.home = root / "home"
        self._bash = bash
        self._steps = 0

    def run(self, command: str) -> tuple[list[str], int]:
        """Give the lines that a command prints, on stdout or stderr, and its code.

        Raises:
            TimeoutError: it does not end.
        """
        self._steps += 1
        step = self.root / "steps" / str(self._steps)
        step.write_text(command.replace(HOME, str(self.home)) + "\n", encoding="utf-8")
        assert self._bash.stdin
        line = f". {step} </dev/null; printf '{_END}%s{_END}' $?\n"
        self._bash.stdin.write(line.encode())
        self._bash.stdin.flush()
        text, code, _ = self._read(command).rsplit(_END, 2)
        return self._clean(text), int(code)

    def _read(self, command: str) -> str:
        assert self._bash.stdout
        said, until = b"", time.monotonic() + _PATIENCE
        while said.count(_END.encode()) < 2 or not said.endswith(_END.encode()):
            ready = select.select([self._bash.stdout], [], [], until - time.monotonic())
            more = os.read(self._bash.stdout.fileno(), 65536) if ready[0] else b""
            if not more:
                raise TimeoutError(f"{command!r} does not end: {said.decode()}")
            said += more
        return said.decode()

    def _clean(self, text: str) -> list[str]:
        """Lines as a reader sees them: his own home, no machine's name."""
        for path, shown in (
            (self.root / "config", f"{HOME}/.config"),
            (self.home, HOME),
        ):
            text = text.replace(str(path), shown)
        machine = rf"\b{re.escape(os.uname().nodename)}\b"
        return [line.rstrip() for line in re.sub(machine, "laptop", text).splitlines()]

    def fresh(self) -> None:
        """Go on in an empty folder: what was made is put aside."""
        self.home.rename(self.root / f"before-{self._steps}")
        self.home.mkdir()
        self.run("cd")

    def write(self, name: str, text: str) -> None:
        """Write a file where the shell is."""
        place = Path(self.run("pwd -P")[0][0].replace(HOME, str(self.home))) / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")


@contextmanager
def shell(root: Path) -> Iterator[Shell]:
    """Start a bash in `root`; with it ends all that it has left running."""
    for name in ("home", "steps", "config/git"):
        (root / name).mkdir(parents=True)
    (root / "config" / "git" / "config").write_text(_IDENTITY, encoding="utf-8")
    bash = subprocess.Popen(
        ["bash", "--noprofile", "--norc"],
        cwd=root / "home",
        env=_environment(root),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        yield Shell(root, bash)
    finally:
        os.killpg(bash.pid, signal.SIGKILL)
        bash.communicate()


def _environment(root: Path) -> dict[str, str]:
    """The tests' closed world, a home of its own, and our command first on PATH."""
    return os.environ | {
        "HOME": str(root / "home"),
        "XDG_CONFIG_HOME": str(root / "config"),
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PWD": str(root / "home"),
        "COLUMNS": "100",
        "TZ": "UTC",
        "NO_COLOR": "1",
        "PYTHONUNBUFFERED": "1",
    }

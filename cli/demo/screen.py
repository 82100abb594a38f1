"""Where what a command of the demo says goes: one place, and cut where it is long."""

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

from lineage.cli.terminal import Terminal


class Screen(io.TextIOBase):
    """A stand-in for stdout and stderr that hands lines on to the real stdout.

    With `head` only so many lines are shown, then how many are left out, then the
    last `tail` ones.
    """

    def __init__(self, head: int | None = None, tail: int = 0) -> None:
        self._real = sys.stdout
        self._head, self._tail = head, tail
        self._lines: list[str] = []
        self.last = ""  # what was written last

    def write(self, text: str) -> int:
        self.last = text or self.last
        if self._head is None:
            self._real.write(text)
        else:
            self._lines.append(text)
        return len(text)

    def flush(self) -> None:
        self._real.flush()

    def isatty(self) -> bool:
        return self._real.isatty()

    def fileno(self) -> int:
        return self._real.fileno()

    def end(self, terminal: Terminal) -> None:
        """Write what was held back, but for its middle."""
        if self._head is None:
            return
        lines = "".join(self._lines).splitlines()
        left_out = len(lines) - self._head - self._tail
        if left_out > 1:
            gap = terminal.paint([(f"… {left_out} more lines", "dim")])
            lines[self._head : len(lines) - self._tail] = [gap]
        terminal.write(lines)


@contextmanager
def screened(
    terminal: Terminal, head: int | None = None, tail: int = 0
) -> Iterator[Screen]:
    """Show both streams of what runs meanwhile in the order in which they come."""
    screen = Screen(head, tail)
    with redirect_stdout(screen), redirect_stderr(screen):
        yield screen
    screen.end(terminal)


@contextmanager
def apart(terminal: Terminal, settings: Path) -> Iterator[None]:
    """Run with an environment of our own: whoever watches keeps keys and settings.

    `settings` is the folder that takes the place of ~/.config. Commands are those of
    the Python that runs here, and as wide as the terminal, or what a pipe is cut to.
    """
    kept = dict(os.environ)
    for name in kept:
        if name.startswith(("GIT_", "LINEAGE_", "DVC_GLOBAL_")):
            del os.environ[name]
    found = kept.get("PATH", os.defpath)
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), found])
    os.environ["XDG_CONFIG_HOME"] = str(settings)
    if not terminal.shows:
        os.environ["COLUMNS"] = str(terminal.width)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(kept)

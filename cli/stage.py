"""What `lineage demo` is shown on: titles, explanations, commands and their output."""

import shlex
import sys
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lineage.errors import LineageError

if TYPE_CHECKING:
    from lineage.cli.terminal import Terminal

_WIDEST = 80


class Stage:
    """Shows commands and runs them, in the current folder."""

    def __init__(self, terminal: "Terminal", directory: Path) -> None:
        self.terminal = terminal
        self.directory = directory
        self.stop = 0
        self.blank = True  # whether the line above is empty

    def title(self, text: str) -> None:
        self.stop += 1
        self.space()
        self.write([self.terminal.paint([(f"{self.stop}  {text}", "head")]), ""])

    def say(self, text: str) -> None:
        self.space()
        columns = min(self.terminal.width, _WIDEST)
        self.write([*textwrap.wrap(text, columns, break_on_hyphens=False), ""])

    def paint(self, command: str) -> str:
        return self.terminal.paint([(command, "title")])

    def space(self) -> None:
        if not self.blank:
            self.write([""])

    def write(self, lines: Iterable[str]) -> None:
        lines = list(lines)
        self.terminal.write(lines)
        self.blank = lines[-1:] == [""]

    def type(self, *words: str, expect: int = 0) -> None:
        """Show a command, and run it here.

        Raises:
            LineageError: when it does not exit with the code that is expected.
        """
        self.write([self.paint(f"$ lineage {shlex.join(words)}")])
        self.blank = False
        code = _run_here(words)
        if code == 130:
            raise KeyboardInterrupt
        if code != expect:
            message = f"`lineage {shlex.join(words)}` ended with exit code {code}"
            raise LineageError(message, hint=f"look around in {self.directory}")
        if code:
            self.write([self.terminal.paint([(f"(exit code {code})", "dim")])])

    def loops(self, *patterns: str) -> None:
        """Run the loops of several patterns side by side, those of each in order."""
        from lineage.cli.together import together

        for pattern in patterns:
            line = f"$ lineage loop run {pattern} >/dev/null &"
            self.write([self.paint(line)])
        self.write([self.paint("$ wait")])
        commands = [["loop", "run", *_files(pattern)] for pattern in patterns]
        together(self.terminal, commands)


def _files(pattern: str) -> list[str]:
    """The files of a pattern as a shell gives them."""
    return sorted(str(path) for path in Path().glob(pattern))


def _run_here(words: Sequence[str]) -> int:
    """Call the console script's function, as the script itself does."""
    from lineage.cli.main import main

    kept = sys.argv
    sys.argv = ["lineage", "--no-pager", *words]
    try:
        main()
    except SystemExit as stop:
        return int(stop.code or 0)
    finally:
        sys.argv = kept

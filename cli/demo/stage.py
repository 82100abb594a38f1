"""What `lineage demo` is shown on: titles, explanations, commands and their output."""

import shlex
import subprocess
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from lineage.cli.demo.screen import screened
from lineage.cli.demo.together import together
from lineage.cli.terminal import ReaderGone, Terminal
from lineage.errors import LineageError

_WIDEST = 80
_INTERRUPTED = 130
_READER_GONE = 141


class Stage:
    """Shows commands and runs them, in the current folder."""

    def __init__(self, terminal: Terminal, directory: Path) -> None:
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

    def space(self) -> None:
        if not self.blank:
            self.write([""])

    def write(self, lines: Iterable[str]) -> None:
        lines = list(lines)
        self.terminal.write(lines)
        self.blank = lines[-1:] == [""]

    def prompt(self, command: str) -> None:
        """Show a command as a person types it, over several lines if it is long."""
        lines = list(_folded(command, self.terminal.width - len("$  \\")))
        starts = ["$ ", *["> "] * (len(lines) - 1)]
        ends = [*[" \\"] * (len(lines) - 1), ""]
        shown = map("".join, zip(starts, lines, ends, strict=True))
        self.write(self.terminal.paint([(line, "title")]) for line in shown)

    def type(
        self, command: str, *, expect: int = 0, head: int | None = None, tail: int = 0
    ) -> None:
        """Show a command of ours, and run it here.

        `head` and `tail` are how many lines of it are shown, where it has more.

        Raises:
            LineageError: when it does not exit with the code that is expected.
        """
        self.prompt(f"lineage {command}")
        with screened(self.terminal, head, tail):
            code = _run_here(self.terminal.color, shlex.split(command))
        self._ended(code, expect)

    def shell(self, command: str, *, expect: int = 0, head: int | None = None) -> None:
        """Show any other command, and let the shell run it.

        Raises:
            LineageError: when it does not exit with the code that is expected.
        """
        self.prompt(command)
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        with screened(self.terminal, head) as screen:
            screen.write(done.stdout)
        self._ended(done.returncode, expect)

    def _ended(self, code: int, expect: int) -> None:
        self.blank = False
        if code == _INTERRUPTED:
            raise KeyboardInterrupt
        if code == _READER_GONE:
            raise ReaderGone
        if code != expect:
            hint = f"look around in {self.directory}; --force begins again"
            raise LineageError("the story ends here, with what failed", hint=hint)
        if code:
            self.write([self.terminal.paint([(f"(exit code {code})", "dim")])])

    def loops(self, *patterns: str) -> None:
        """Run the loops of several patterns side by side, those of each in order."""
        for pattern in patterns:
            self.prompt(f"lineage loop run {pattern} >/dev/null &")
        self.prompt("wait")
        commands = [["loop", "run", *_files(pattern)] for pattern in patterns]
        together(self.terminal, commands)
        self.blank = False


def _folded(command: str, columns: int) -> Iterator[str]:
    """A command in lines that are no wider, as far as cuts before options allow it."""
    line, *options = command.split(" --")
    for option in options:
        if len(f"{line} --{option}") > columns:
            yield line
            line = f"--{option}"
        else:
            line += f" --{option}"
    yield line


def _files(patterns: str) -> Iterator[str]:
    """The files of patterns as a shell gives them."""
    for pattern in patterns.split():
        yield from sorted(str(path) for path in Path().glob(pattern))


def _run_here(color: str, words: Sequence[str]) -> int:
    """Call the console script's function, as the script itself does."""
    from lineage.cli.main import main

    kept = sys.argv
    sys.argv = ["lineage", "--no-pager", "--color", color, *words]
    try:
        main()
    except SystemExit as stop:
        return int(stop.code or 0)
    finally:
        sys.argv = kept

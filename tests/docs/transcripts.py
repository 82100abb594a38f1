"""A page of documentation, run as its reader would: `run_page(page, folder)`.

Files that the page shows are written, its ```console blocks go through one bash in
an empty folder, in order, and what they print is compared by shape (`shapes.py`) with
what the page says. Python without a file name is run, and prints the ```text block
below it; YAML has to be YAML. With `update` the output of the run goes into the page.
docs/contributing.md says how to write such a page.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

import yaml

from tests.docs.page import Block, commands, parse
from tests.docs.shapes import ANY, Names, align
from tests.docs.shell import Shell, shell

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.docs.page import Command
    from tests.docs.shapes import Pair

_END = Block(0, "end", "")


def run_page(page: Path, root: Path, *, update: bool = False) -> None:
    """Run a page in the folder `root`, and see that it says what happens.

    Raises:
        AssertionError: with every difference, and where it is.
    """
    text = page.read_text(encoding="utf-8")
    with shell(root) as bash:
        run = _Run(page.name, bash)
        for block, after in pairwise([*parse(text), _END]):
            run.block(block, after)
    if update and run.problems:
        page.write_text(_written(text, run.edits), encoding="utf-8")
    elif run.problems:
        raise AssertionError("\n\n".join(["", *run.problems]))


@dataclass(frozen=True)
class _Edit:
    """Lines of the page, from `first` up to `last`, that should be others."""

    first: int
    last: int
    lines: list[str]


@dataclass
class _Run:
    """One page on its way through the shell."""

    page: str
    shell: Shell
    names: Names = field(default_factory=Names)
    problems: list[str] = field(default_factory=list)
    edits: list[_Edit] = field(default_factory=list)

    def block(self, block: Block, after: Block) -> None:
        if block.skipped:
            return
        if block.kind == "new":
            self.shell.fresh()
        elif block.kind == "setup":
            self._quietly(block.line, block.text)
        elif block.title:
            self.shell.write(block.title, block.text)
        elif block.kind == "console":
            for command in commands(block):
                self._command(command, block.indent)
        elif block.kind == "python":
            self._python(block, after)
        elif block.kind == "yaml":
            yaml.safe_load(block.text)

    def _quietly(self, line: int, command: str) -> None:
        """Do what the page does not show; what fails there fails the page at once."""
        printed, code = self.shell.run(command)
        if code:
            said = "\n".join([command, *printed, f"(exit code {code})"])
            raise AssertionError(f"{self.page}:{line}: {said}")

    def _command(self, command: Command, indent: str) -> None:
        typed = self.names.translate(command.text)
        said = list(command.output)
        lines = self._compared(
            command.line, command.typed, said, *self.shell.run(typed)
        )
        last = command.line + len(command.typed) + len(said)
        self._edit(command.line, last, [*_prompted(typed), *lines], indent)

    def _python(self, block: Block, after: Block) -> None:
        """Run a block without a name; a block of text below it is what it prints."""
        program = self.shell.root / "block.py"
        program.write_text(block.text, encoding="utf-8")
        said = after.text.splitlines() if after.kind == "text" else []
        ran = self.shell.run(f"python - <{program}")
        lines = self._compared(block.line, ["python"], said, *ran)
        if after.kind == "text":
            first = after.line + 1
            self._edit(first, first + len(said), lines, after.indent)

    def _compared(
        self,
        line: int,
        typed: Sequence[str],
        said: list[str],
        printed: list[str],
        code: int,
    ) -> list[str]:
        """Note what differs; give the output as the page should have it."""
        shown, blank = _split_blank(said)
        pairs = align(shown, printed + [f"(exit code {code})"] * bool(code))
        wrong = self._confused(pairs)
        if wrong or not all(pair.same for pair in pairs):
            text = "\n".join([*typed, *map(str, pairs), *wrong])
            self.problems.append(f"{self.page}:{line}: {text}")
        return [line for pair in pairs for line in self._kept(pair)] + blank

    def _confused(self, pairs: list[Pair]) -> list[str]:
        """Learn which ids stand for which; say where one stands for two."""
        wrong = []
        for pair in pairs:
            if pair.said is not None and pair.printed is not None:
                wrong += self.names.learn(pair.said, pair.printed)
        return wrong

    def _kept(self, pair: Pair) -> list[str]:
        """Give a line as it should stand in the page: `…` stays where it was put."""
        if pair.same and ANY in str(pair.said):
            return [self.names.translate(str(pair.said))]
        return [] if pair.printed is None else [pair.printed]

    def _edit(self, first: int, last: int, lines: list[str], indent: str) -> None:
        indented = [f"{indent}{line}".rstrip() for line in lines]
        self.edits.append(_Edit(first - 1, last - 1, indented))


def _prompted(typed: str) -> list[str]:
    first, *more = typed.split("\n")
    return [f"$ {first}", *(f"> {line}" for line in more)]


def _split_blank(lines: list[str]) -> tuple[list[str], list[str]]:
    """Split off the empty lines at the end: they part one command from the next."""
    end = len(lines)
    while end and not lines[end - 1].strip():
        end -= 1
    return lines[:end], lines[end:]


def _written(text: str, edits: list[_Edit]) -> str:
    lines = text.split("\n")
    for edit in reversed(edits):
        lines[edit.first : edit.last] = edit.lines
    return "\n".join(lines)

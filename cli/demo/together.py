"""Loops side by side, each in a process of its own; what they say, as it comes."""

import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from queue import Empty, Queue
from threading import Thread

from lineage.cli.live import Live
from lineage.cli.progress import duration, is_step
from lineage.cli.terminal import Terminal
from lineage.errors import LineageError

_PAUSE = 0.5  # seconds between two looks at the clock


def together(terminal: Terminal, commands: Sequence[Sequence[str]]) -> None:
    """Run `lineage` with each of `commands` at once, and wait for all.

    Raises:
        LineageError: when one of them fails; the others are ended.
    """
    board = _Board(terminal)
    with ExitStack() as stack:
        running = [stack.enter_context(_start(words)) for words in commands]
        listening = [
            Thread(target=_listen, args=(number, process, board.said))
            for number, process in enumerate(running)
        ]
        for thread in listening:
            thread.start()
        stack.callback(_end, running, listening)
        while any(thread.is_alive() for thread in listening):
            board.show()
            if any(process.poll() for process in running):
                break
        else:
            for process in running:
                process.wait()
        failed = [process.returncode for process in running if process.returncode]
    while not board.said.empty():
        board.show()
    board.clear()
    if failed:
        raise LineageError(f"a loop ended with exit code {failed[0]}")


def _start(words: Sequence[str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "lineage", "--verbose", *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
    )


def _listen(
    number: int, process: "subprocess.Popen[str]", said: "Queue[tuple[int, str]]"
) -> None:
    assert process.stderr is not None
    for line in process.stderr:
        said.put((number, line.rstrip("\n")))


def _end(running: Sequence["subprocess.Popen[str]"], listening: list[Thread]) -> None:
    for process in running:
        process.terminate()  # does nothing where it has ended
    for thread in listening:
        thread.join()


class _Board:
    """Finished generations as lines; below them, live, the step that each is at."""

    def __init__(self, terminal: Terminal) -> None:
        self.said: Queue[tuple[int, str]] = Queue()
        self._terminal, self._line = terminal, Live(sys.stdout)
        self._begun = time.monotonic()
        self._steps: dict[int, str] = {}

    def show(self) -> None:
        """Take in the next line, or look at the clock."""
        try:
            number, line = self.said.get(timeout=_PAUSE)
        except Empty:
            line = ""
        else:
            if is_step(line):
                self._steps[number] = " ".join(line.split())
                line = ""
        self._write(line)

    def clear(self) -> None:
        """Take the live line away."""
        self._line.clear()

    def _write(self, line: str) -> None:
        if line:
            self._line.clear()
            self._terminal.write([line])
        else:
            spent = duration(time.monotonic() - self._begun)
            self._line.show(" · ".join([*self._steps.values(), spent]))

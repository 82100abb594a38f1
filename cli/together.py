"""Commands side by side, each in a process of its own; what they say, as it comes."""

import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from queue import Empty, Queue
from threading import Thread

from lineage.cli.progress import duration
from lineage.cli.terminal import Terminal
from lineage.errors import LineageError

_PAUSE = 0.5  # seconds between two looks at the clock


def together(terminal: Terminal, commands: Sequence[Sequence[str]]) -> None:
    """Run `lineage` with each of `commands` at once, and wait for all.

    Raises:
        LineageError: when one of them fails; the others are ended.
    """
    said: Queue[str] = Queue()
    with ExitStack() as stack:
        running = [stack.enter_context(_start(words)) for words in commands]
        listening = [Thread(target=_listen, args=(p, said)) for p in running]
        for thread in listening:
            thread.start()
        stack.callback(_end, running, listening)
        begun = time.monotonic()
        while any(thread.is_alive() for thread in listening):
            _print(terminal, said, begun)
            if any(process.poll() for process in running):
                break
        else:
            for process in running:
                process.wait()
        failed = [process.returncode for process in running if process.returncode]
    while not said.empty():
        _print(terminal, said, begun)
    if failed:
        raise LineageError(f"a loop ended with exit code {failed[0]}")


def _start(words: Sequence[str]) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "lineage", *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
    )


def _listen(process: "subprocess.Popen[str]", said: "Queue[str]") -> None:
    assert process.stderr is not None
    for line in process.stderr:
        said.put(line.rstrip("\n"))


def _end(running: Sequence["subprocess.Popen[str]"], listening: list[Thread]) -> None:
    for process in running:
        process.terminate()  # does nothing where it has ended
    for thread in listening:
        thread.join()


def _print(terminal: Terminal, said: "Queue[str]", begun: float) -> None:
    """Print the next line, or how long it has been, where somebody watches."""
    watched = sys.stdout.isatty()
    try:
        line = said.get(timeout=_PAUSE)
    except Empty:
        if watched:
            sys.stdout.write(f"\r{duration(time.monotonic() - begun)}\x1b[K")
            sys.stdout.flush()
        return
    terminal.write([f"\r\x1b[K{line}" if watched else line])

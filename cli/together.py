"""Commands side by side, each in a process of its own; what they say, as it comes."""

import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
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
    running = [_start(words) for words in commands]
    threads = [Thread(target=_listen, args=(p, said), daemon=True) for p in running]
    for thread in threads:
        thread.start()
    try:
        _follow(terminal, said, threads)
        failed = [process.wait() for process in running if process.wait()]
    finally:
        for process in running:
            with suppress(OSError):
                process.terminate()
            process.wait()
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


def _follow(terminal: Terminal, said: "Queue[str]", threads: list[Thread]) -> None:
    """Print lines until nobody speaks any more; a clock where somebody watches."""
    begun, watched = time.monotonic(), sys.stdout.isatty()
    while any(thread.is_alive() for thread in threads) or not said.empty():
        try:
            line = said.get(timeout=_PAUSE)
        except Empty:
            if watched:
                sys.stdout.write(f"\r{duration(time.monotonic() - begun)}\x1b[K")
                sys.stdout.flush()
            continue
        terminal.write([f"\r\x1b[K{line}" if watched else line])
    if watched:
        sys.stdout.write("\r\x1b[K")

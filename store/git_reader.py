"""The process that a repository is read through: ``git cat-file --batch``.

Threads ask it one at a time, each waiting for all its answers. It belongs to the
process that started it: a fork has its own, or the two would read each other's answers.
"""

import os
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from typing import IO

from lineage.errors import StoreError
from lineage.store.git_objects import GitObject
from lineage.store.threads import Mutex

Found = tuple[str, GitObject]

_KILLED = (-signal.SIGKILL, -signal.SIGTERM)  # by somebody; git dies otherwise
_TRIES = 3


class Reader:
    """Starts git when something is asked, and again when it has died."""

    def __init__(
        self, start: Callable[[], subprocess.Popen[bytes]], mutex: Mutex
    ) -> None:
        self._start = start
        self._mutex = mutex
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = os.getpid()

    def ask(self, batch: list[str]) -> list[Found | None]:
        """The oid and object that each name means, or None."""
        with self._mutex:
            return self._answers(batch)

    def _answers(self, batch: list[str], tries: int = _TRIES) -> list[Found | None]:
        """All answers before any is used: the next question must find none unread.

        Git dies of a damaged object. Then each is asked for alone, and what git dies
        of again counts as missing. Where git was killed it is asked once more.
        """
        reader = self._open()
        assert reader.stdin is not None
        assert reader.stdout is not None
        try:
            reader.stdin.write("".join(f"{name}\n" for name in batch).encode())
            reader.stdin.flush()
            return [_answer(reader.stdout) for _ in batch]
        except (BrokenPipeError, EOFError):
            killed = self._ended(reader) in _KILLED
        except BaseException:
            self.close()
            raise
        if killed and not tries:
            what = "git cat-file was killed again and again"
            raise StoreError(
                what, hint="see who kills it: the system does without memory"
            )
        if killed:
            return self._answers(batch, tries - 1)
        if len(batch) == 1:
            return [None]
        return [found for name in batch for found in self._answers([name])]

    def _ended(self, reader: subprocess.Popen[bytes]) -> int | None:
        """How git ended, which answers no more."""
        with suppress(subprocess.TimeoutExpired):
            reader.wait(5)
        code = reader.returncode
        self.close()
        return code

    def _open(self) -> subprocess.Popen[bytes]:
        self._disown()
        if self._process is not None and self._process.poll() is not None:
            self.close()
        if self._process is None:
            self._process = self._start()
        return self._process

    def _disown(self) -> None:
        """In a fork, leave git to the process that started it."""
        if self._owner == os.getpid():
            return
        self._owner = os.getpid()
        if self._process is not None:
            for pipe in (self._process.stdin, self._process.stdout):
                assert pipe is not None
                pipe.close()
            self._process.returncode = 0  # nobody waits for it here
            self._process = None

    def close(self) -> None:
        """End the process."""
        with self._mutex:
            self._disown()
            if self._process is not None:
                self._process.kill()
                self._process.communicate()
                self._process = None


def _answer(stdout: IO[bytes]) -> Found | None:
    """The next answer; EOFError when there is none."""
    line = stdout.readline().decode()
    words = line.rsplit(" ", 2)
    if len(words) < 3 or not words[2].strip().isdigit():
        if not line:
            raise EOFError
        return None
    data = stdout.read(int(words[2]))
    if not stdout.read(1):
        raise EOFError
    return words[0], GitObject(words[1], data)

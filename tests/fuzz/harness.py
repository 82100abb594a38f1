"""What a reader may do with bytes of strangers, and how one is caught at more.

A reader is a module here: `seeds` are bytes as they should be, `attack` has the code
under test read some others. It may take them, or refuse them with an error of
lineage/errors.py. Another exception, more time or memory than a small file is worth,
a file written elsewhere, a program or a connection that nobody asked for: all these
are `Broken`. So is an `assert` of the module, which says what has to hold of what was
taken.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import tempfile
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, cast

from lineage.errors import LineageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

READERS = (
    "manifest", "event", "file_list", "revset", "loop_yaml", "policy_yaml",
    "user_files", "safetensors", "gguf", "tokenizer", "records", "columns",
    "pack_file", "pack_blocks", "bundle_zip", "bundle_files", "verify_script",
    "signers", "signatures", "timestamps", "served", "webhooks", "git_refs",
    "dvc_files", "openlineage", "cards", "obligations",
)  # fmt: skip
SECONDS = 10  # for one input
MEMORY = 1 << 30  # bytes beyond what there was before

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
_CHANGES = {
    *("os.chmod", "os.chown", "os.link", "os.mkdir", "os.remove", "os.rename"),
    *("os.rmdir", "os.symlink", "os.truncate", "os.utime", "shutil.rmtree"),
}
_TALKS = {"socket.connect", "socket.bind", "socket.getaddrinfo", "os.exec", "os.system"}


class Broken(Exception):
    """A reader did what it may not."""


class _Escaped(BaseException):
    """Raised in the middle of it, and caught by nothing but us."""


class Reader(Protocol):
    """A module of this folder.

    `RUNS` are programs that it may start, `TRIES` how many inputs of one seed the tests
    of every day take, and `KEPT` is what once broke it.
    """

    RUNS: Sequence[str]
    TRIES: int
    KEPT: Sequence[bytes]

    def seeds(self, folder: Path) -> Sequence[bytes]: ...

    def attack(self, data: bytes, folder: Path) -> None: ...


def reader(name: str) -> Reader:
    """The module of a reader."""
    return cast("Reader", import_module(f"tests.fuzz.{name}"))


def attempt(reader: Reader, data: bytes, folder: Path) -> bool:
    """Let a reader meet some bytes; whether it took them.

    Raises:
        Broken: when it did what it may not.
    """
    try:
        with _guarded(reader, folder), _hurried(), _short_of_memory():
            reader.attack(data, folder)
    except LineageError as error:
        if not str(error).strip():
            raise Broken("it was refused without a word") from error
        return False
    except _Escaped as error:
        raise Broken(str(error)) from error
    except Exception as error:
        raise Broken(f"{type(error).__name__}: {error}") from error
    return True


class _Guard:
    """Hears of all that Python does to the world (PEP 578), while it is on."""

    def __init__(self) -> None:
        self.folder = ""
        self.runs: Sequence[str] = ()
        self._is_hooked = False

    def on(self, reader: Reader, folder: Path) -> None:
        if not self._is_hooked:
            sys.addaudithook(self)
            self._is_hooked = True
        self.runs, self.folder = reader.RUNS, str(folder)

    def __call__(self, event: str, words: tuple[Any, ...]) -> None:
        if not self.folder:
            return
        writes = event == "open" and words[2] and words[2] & _WRITES
        if writes or (event in _CHANGES and not _is_inside_a_tree(event, words)):
            self._check(event, words[0])
        elif event in _TALKS:
            self._refuse(event, words)
        elif event == "subprocess.Popen" and Path(words[1][0]).name not in self.runs:
            self._refuse(event, words[1])

    def _check(self, event: str, path: object) -> None:
        if not isinstance(path, str | bytes | os.PathLike):
            return
        place = os.path.abspath(os.fsdecode(path))  # noqa: PTH100 - nothing is looked up
        ours = (self.folder, os.devnull)
        if not place.startswith(ours) and "__pycache__" not in place:
            self._refuse(event, place)

    def _refuse(self, event: str, what: object) -> NoReturn:
        raise _Escaped(f"{event} of {what!r}")


def _is_inside_a_tree(event: str, words: tuple[Any, ...]) -> bool:
    """Whether a name is relative to a folder that `shutil.rmtree` has open."""
    return event in ("os.remove", "os.rmdir") and words[1] != -1


_guard = _Guard()


@contextmanager
def _guarded(reader: Reader, folder: Path) -> Iterator[None]:
    before, tempfile.tempdir = tempfile.tempdir, str(folder)
    _guard.on(reader, folder)
    try:
        yield
    finally:
        _guard.folder = ""
        tempfile.tempdir = before


@contextmanager
def _hurried() -> Iterator[None]:
    """Let it compute for so long, and wait for a little longer."""

    def late(*_: object) -> NoReturn:
        raise _Escaped(f"it took more than {SECONDS} seconds")

    timers = {signal.ITIMER_PROF: signal.SIGPROF, signal.ITIMER_REAL: signal.SIGALRM}
    before = {number: signal.signal(number, late) for number in timers.values()}
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    signal.setitimer(signal.ITIMER_REAL, 12 * SECONDS)
    try:
        yield
    finally:
        for timer, number in timers.items():
            signal.setitimer(timer, 0)
            signal.signal(number, before[number])


@contextmanager
def _short_of_memory() -> Iterator[None]:
    """Let no more memory be had; then there is a MemoryError, which is Broken."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    with suppress(OSError):  # macOS has no /proc
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        now = pages * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (now + MEMORY, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))

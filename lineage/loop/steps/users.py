"""Python code of the user's, run in our process: its prints and moves stay its own."""

from __future__ import annotations

import os
import sys
from contextlib import chdir, contextmanager, redirect_stdout
from pathlib import Path
from types import ModuleType
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_STDOUT, _STDERR = 1, 2
_LONGEST = 500  # characters of a log, as a hint
_LOG_LINES = 5


@contextmanager
def guarded(log: Path | None = None) -> Iterator[None]:
    """Run a user's code with what it prints in `log`, else on stderr.

    stdout is for ids and JSON, which a `print` would break. The working directory
    is ours again afterwards.
    """
    with chdir(Path.cwd()):
        if log is None:
            with _printing_to(sys.stderr, _STDERR):
                yield
        else:
            with log.open("a", buffering=1) as file, _printing_to(file, file.fileno()):
                yield


@contextmanager
def _printing_to(file: IO[str], descriptor: int) -> Iterator[None]:
    """Also what is written past `sys.stdout`, by C code or a command."""
    sys.stdout.flush()
    ours = os.dup(_STDOUT)
    try:
        os.dup2(descriptor, _STDOUT)
        with redirect_stdout(file):
            yield
    finally:
        file.flush()
        os.dup2(ours, _STDOUT)
        os.close(ours)


def tail(log: Path) -> str:
    """The last lines of a log, as a hint; where there are none, its place."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    shown = " | ".join(line.strip() for line in lines[-_LOG_LINES:] if line.strip())
    if len(shown) > _LONGEST:
        shown = f"…{shown[-_LONGEST:]}"
    return f"it said: {shown}" if shown else f"it printed nothing ({log})"


def raised(error: BaseException) -> str:
    """An exception as one line: `KeyError: 'x'`."""
    line = next(iter(str(error).strip().splitlines()), "")
    return f"{type(error).__name__}: {line}".rstrip(": ")


def run_source(source: bytes, file: Path, name: str) -> ModuleType:
    """Run a module from its source, so that its hash is of what ran.

    It is among `sys.modules` from the start, as dataclasses look themselves up there.
    """
    module = ModuleType(name)
    module.__file__ = str(file)
    sys.modules[name] = module
    exec(compile(source, str(file), "exec"), module.__dict__)  # noqa: S102
    return module

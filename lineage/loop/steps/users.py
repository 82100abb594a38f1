"""Python code of the user's, run in our process: its prints and moves stay its own."""

from __future__ import annotations

import os
import sys
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_STDOUT, _STDERR = 1, 2
_LONGEST = 500  # characters of a log, as a hint
_LOG_LINES = 5


@dataclass(frozen=True, slots=True)
class Ours:
    """Where our own output goes while a user's code runs."""

    streams: tuple[Any, Any]
    descriptors: tuple[int, int]


@contextmanager
def guarded(log: Path | None = None) -> Iterator[Ours | None]:
    """Run a user's code with all that it prints in `log`, else on stderr.

    stdout is for ids and JSON, which a `print` would break. The working directory
    is ours again afterwards. Yields where our own output goes, if anywhere else.
    """
    with chdir(Path.cwd()):
        if log is None:
            with _printing_to((sys.stderr, sys.stderr), (_STDERR, _STDERR)):
                yield None
        else:
            with log.open("a", buffering=1) as file:
                end = file.fileno()
                with _printing_to((file, file), (end, end)) as ours:
                    yield ours


@contextmanager
def _printing_to(
    streams: tuple[Any, Any], descriptors: tuple[int, int]
) -> Iterator[Ours]:
    """Also what is written past `sys.stdout`, by C code or a command."""
    sys.stdout.flush()
    sys.stderr.flush()
    before = sys.stdout, sys.stderr
    ours = os.dup(_STDOUT), os.dup(_STDERR)
    try:
        _point(streams, descriptors)
        yield Ours(before, ours)
    finally:
        for stream in streams:
            stream.flush()
        _point(before, ours)
        for descriptor in ours:
            os.close(descriptor)


def _point(streams: tuple[Any, Any], descriptors: tuple[int, int]) -> None:
    sys.stdout, sys.stderr = streams
    os.dup2(descriptors[0], _STDOUT)
    os.dup2(descriptors[1], _STDERR)


def apart(
    ours: Ours | None, function: Callable[[float], None]
) -> Callable[[float], None]:
    """`function`, that may show something, called from within `guarded`."""
    if ours is None:
        return function

    def outside(value: float) -> None:
        theirs = (sys.stdout, sys.stderr), (os.dup(_STDOUT), os.dup(_STDERR))
        try:
            _point(ours.streams, ours.descriptors)
            function(value)
        finally:
            _point(*theirs)
            for descriptor in theirs[1]:
                os.close(descriptor)

    return outside


def tail(log: Path) -> str:
    """The last lines of a log, as a hint; where there are none, its place."""
    lines = log.read_text(errors="replace").splitlines() if log.exists() else []
    shown = " | ".join(line.strip() for line in lines[-_LOG_LINES:] if line.strip())
    if len(shown) > _LONGEST:
        shown = f"…{shown[-_LONGEST:]}"
    return f"it said: {shown}" if shown else f"it printed nothing ({log})"


def run_source(source: bytes, file: Path, name: str) -> ModuleType:
    """Run a module from its source, so that its hash is of what ran.

    It is among `sys.modules` from the start, as dataclasses look themselves up there.
    """
    module = ModuleType(name)
    module.__file__ = str(file)
    sys.modules[name] = module
    exec(compile(source, str(file), "exec"), module.__dict__)  # noqa: S102
    return module

"""Functions of the user's on records: `checks.py:verify_record`.

The file is read once and run from its source, whose SHA-256 is recorded; what it
imports must be installed, so that the hash covers it.
"""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from lineage.errors import UsageError
from lineage.loop.spec.files import parted
from lineage.loop.steps.users import run_source

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from lineage.loop.records.shards import Record
    from lineage.loop.spec import LoopSpec

_LONGEST = 200
_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{6,}\b")  # of an object in memory


@dataclass(frozen=True, slots=True)
class RecordFunction:
    """A user's function on records; `code` says which file by name and SHA-256."""

    path: Path
    function: Callable[[Record], Any]
    code: Mapping[str, str]

    def __call__(self, record: Record) -> Any:
        """What it says of a copy of a record."""
        return self.function(dict(record))

    def raised(self, error: BaseException) -> str:
        """`checks.py, line 7 raised KeyError: 'x'`: where the user's code broke."""
        return raised(self.path, error)


def load_function(spec: LoopSpec, place: str, name: str) -> RecordFunction:
    """The function `name` of a file, or the one that `file.py:other` names.

    Raises:
        StoreError: the file cannot be read.
        UsageError: it cannot be run, or has no such function.
    """
    file, other = parted(place)
    path, source = spec.path(file), spec.content(file)
    return _load(source, path, other or name)


def load_object(source: bytes, path: Path, name: str) -> Any:
    """What a file calls `name`, or None.

    Raises:
        UsageError: it cannot be run.
    """
    module_name = f"lineage_checks_{sha256(str(path).encode()).hexdigest()[:16]}"
    try:
        module = run_source(source, path, module_name)
    except SyntaxError as error:
        raise UsageError(f"{path}: line {error.lineno}: {error.msg}") from None
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001  (a user's code)
        raise UsageError(raised(path, error)) from None
    return getattr(module, name, None)


def identity(source: bytes, path: Path) -> dict[str, str]:
    """Which code it is, as configs and verdicts have it."""
    return {"file": path.name, "sha256": sha256(source).hexdigest()}


def one_line(text: str) -> str:
    """The first line of a message, as text that JSON has; the same in every run."""
    line = _ADDRESS.sub("0x…", next(iter(text.splitlines()), ""))
    short = line if len(line) <= _LONGEST else line[:_LONGEST] + "…"
    return short.encode(errors="backslashreplace").decode()


def _load(source: bytes, path: Path, name: str) -> RecordFunction:
    function = load_object(source, path, name)
    later = inspect.iscoroutinefunction(function)
    if not callable(function) or later or inspect.isgeneratorfunction(function):
        kind = " that answers at once" if callable(function) else ""
        message = f"{path} has no function {name}(record){kind}"
        raise UsageError(message, hint=f"define: def {name}(record): …")
    return RecordFunction(path, function, identity(source, path))


def raised(path: Path, error: BaseException) -> str:
    """`checks.py, line 7 raised KeyError: 'x'`: where a file of the user's broke."""
    line, trace = 0, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = trace.tb_lineno
        trace = trace.tb_next
    what = f"{type(error).__name__}: {one_line(str(error))}".rstrip(": ")
    where = f"{path.name}, line {line}" if line else path.name
    return f"{where} raised {what}"

"""Everything that lineage raises on purpose.

Each error says what is wrong in one sentence, ``details`` to what (files, objects),
where it is many things; ``hint`` says what to do next.
The command line prints all and exits with the class's ``exit_code``::

    LineageError             1   something failed
    ├── StoreError           1   a file, a disk, a git or DVC repository, a remote
    │   ├── Conflict         1   somebody else moved the ref first
    │   │   ├── Moved        1   and this is where it is now
    │   │   └── Busy         1   somebody is at the same thing already
    │   └── Lacking          1   a server has not got the files of a commit
    ├── UsageError           2   a bad option, name, number or spec
    ├── VerificationError    3   bytes are not what their address says
    ├── GateFailed           3   a generation did not pass a gate
    ├── NotAllowed           4   policy forbids it
    │   └── Unauthenticated  4   a server does not know who asks
    ├── NotFound             5   no such revision, branch, tag or registry
    │   └── Ambiguous        5   a name or prefix that means several commits
    └── WaitingForReview    10   a loop paused until a person decides
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple


def first_line(error: BaseException) -> str:
    """What somebody else's exception says, in one line; its type where it is silent."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__


def raised(error: BaseException) -> str:
    """An exception as one line: `KeyError: 'x'`."""
    line = next(iter(str(error).strip().splitlines()), "")
    return f"{type(error).__name__}: {line}".rstrip(": ")


class Place(NamedTuple):
    """The part of a text, from `start` up to `end`, that an error speaks of."""

    text: str
    start: int
    end: int


class LineageError(Exception):
    """Base of every error that lineage raises on purpose.

    `place` points at what is wrong in a text that somebody wrote, where that helps.
    """

    exit_code = 1
    place: Place | None = None

    def __init__(
        self, message: str, *, hint: str = "", details: Sequence[str] = ()
    ) -> None:
        super().__init__(message)
        self.hint = hint
        self.details = tuple(details)
        for note in (*self.details, *([f"hint: {hint}"] if hint else [])):
            self.add_note(note)  # a traceback shows it


class StoreError(LineageError):
    """A file, a disk, a git or DVC repository, or a remote failed."""


class Conflict(StoreError):
    """A ref moved between our read and our write; nothing was changed."""


class Moved(Conflict):
    """A name, or the log, is not where somebody thought; `current` says where."""

    def __init__(self, message: str, current: str | None, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.current = current


class Busy(Conflict):
    """Somebody is at it: the same request is being answered, the same files packed."""


class Lacking(StoreError):
    """A server has not got files of a commit; `files` are paths by SHA-256."""

    def __init__(self, message: str, files: Mapping[str, str], *, hint: str) -> None:
        super().__init__(message, hint=hint)
        self.files = dict(files)


class UsageError(LineageError):
    """A bad option, name, number or spec."""

    exit_code = 2


class VerificationError(LineageError):
    """Bytes are not what their address says."""

    exit_code = 3


class GateFailed(LineageError):
    """A generation did not pass a gate."""

    exit_code = 3


class NotAllowed(LineageError):
    """Policy forbids it."""

    exit_code = 4


class Unauthenticated(NotAllowed):
    """A server does not know who asks: no token, or none that counts."""


class NotFound(LineageError):
    """No such revision, branch, tag or registry."""

    exit_code = 5


class Ambiguous(NotFound):
    """A name or prefix that means several commits; ``candidates`` lists them."""

    def __init__(self, message: str, candidates: Sequence[str]) -> None:
        super().__init__(message, hint="candidates: " + ", ".join(candidates))
        self.candidates = tuple(candidates)


class WaitingForReview(LineageError):
    """A loop paused until a person approves or rejects."""

    exit_code = 10

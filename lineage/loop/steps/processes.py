"""Commands that a step runs: waited for, limited in time, and ended with all theirs.

A process can leave its group and its parent, but it keeps the environment that it
was started with. So each command gets a mark there, and where there is a ``/proc``
whoever has it is found. What has cleared its environment is not.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from lineage.errors import LineageError
from lineage.loop.steps.users import tail

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from lineage.loop.steps.protocol import Job

_MARK = "LINEAGE_STEP"
_OFTEN = 0.2  # seconds between two looks at how far it is
_ROUNDS = 20  # looks for processes that were just being started


def run(
    job: Job,
    words: Sequence[str],
    *,
    name: str,
    folder: Path,
    log: Path,
    lock: int,
    timeout: float | None,
    look: Callable[[], None] | None = None,
) -> None:
    """Run a command to its end; the loop's lock is held for as long as it lives.

    `name` is what errors call it; with a `timeout`, `look` is called now and then.

    Raises:
        LineageError: it cannot be started, ran too long, or failed; whatever it has
            started by then has been ended.
    """
    mark = secrets.token_hex(16)
    try:
        with (
            log.open("wb") as out,
            subprocess.Popen(
                words,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                pass_fds=(lock,) if lock else (),
                start_new_session=True,
                env={**os.environ, _MARK: mark},
            ) as process,
        ):
            code = _wait(job, process, timeout, mark, look)
    except OSError as error:
        message = f"the {job.step} step cannot run {words[0]!r}: {error.strerror}"
        raise LineageError(message) from None
    if code:
        how = f"was ended by signal {-code}" if code < 0 else f"exited with {code}"
        message = f"the {job.step} step failed: `{name}` {how}"
        raise LineageError(message, hint=tail(log))


def _wait(
    job: Job,
    process: subprocess.Popen[bytes],
    timeout: float | None,
    mark: str,
    look: Callable[[], None] | None,
) -> int:
    code = None
    try:
        if timeout is None:
            code = process.wait()
            return code
        end = time.monotonic() + timeout
        while code is None:
            with suppress(subprocess.TimeoutExpired):
                code = process.wait(max(min(_OFTEN, end - time.monotonic()), 0))
            if look:
                look()
            if code is None and time.monotonic() >= end:
                message = f"the {job.step} step ran longer than {timeout:g} seconds"
                hint = "raise its timeout in loop.yaml"
                raise LineageError(message, hint=hint)
        return code
    finally:
        if code != 0:
            _end(process.pid, mark)


def _end(leader: int, mark: str) -> None:
    """End a command and all that it has started, wherever that went."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)
    for _ in range(_ROUNDS):
        found = list(_marked(mark))
        for pid in found:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        if not found:
            return


def _marked(mark: str) -> Iterator[int]:
    """The processes that live and have the mark in their environment."""
    wanted = f"{_MARK}={mark}".encode()
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, IndexError):
            state = (place / "stat").read_text().rpartition(")")[2].split()[0]
            if state != "Z" and wanted in (place / "environ").read_bytes().split(b"\0"):
                yield int(place.name)

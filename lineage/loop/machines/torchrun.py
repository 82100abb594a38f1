"""Training one model in several processes of one machine, with torchrun.

Each process runs the same step; transformers' Trainer finds the others by the
environment that torchrun gives them all, and averages their gradients. How many
there are is part of the config (`num_processes`), as another number rounds
differently. When the loop is killed they end with it.
"""

from __future__ import annotations

import ctypes
import os
import pickle
import signal
import subprocess
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from lineage.errors import LineageError
from lineage.loop.steps.protocol import Here
from lineage.loop.steps.users import tail

if TYPE_CHECKING:
    from collections.abc import Callable

    from lineage.loop.steps.protocol import Job, Result

_OFTEN = 0.2  # seconds between two looks at how far it is
_DEATH_SIGNAL = 1  # prctl's PR_SET_PDEATHSIG
_JOB, _SAID, _PROGRESS, _LOG = "job.pickle", "said.pickle", "progress", "torchrun.log"


class Machine(Here):
    """This machine: a whole step in as many processes as the spec has."""

    def whole(self, job: Job, function: Callable[[Job], Result]) -> Result:
        return torchrun(job, function) if job.spec.num_processes > 1 else function(job)


def torchrun(job: Job, function: Callable[[Job], Result]) -> Result:
    """Do a step in `num_processes` processes; what the first one says counts.

    `function` is one that a module has under its name.

    Raises:
        LineageError: as the step raises it, or because a process ended early.
    """
    folder, log = job.scratch, job.scratch / _LOG
    (folder / _SAID).unlink(missing_ok=True)
    name = f"{function.__module__}:{function.__qualname__}"
    sent = replace(job, launcher=Here(), advance=_unseen)
    (folder / _JOB).write_bytes(pickle.dumps((sent, name)))
    command = [sys.executable, "-m", __name__, "agent", str(os.getpid()), str(folder)]
    with (
        log.open("wb") as out,
        subprocess.Popen(
            [*command, str(job.spec.num_processes)],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process,
    ):
        code = _wait(job, process)
    return _said(folder, code)


def _wait(job: Job, process: subprocess.Popen[bytes]) -> int:
    progress = job.scratch / _PROGRESS
    try:
        while True:
            try:
                return process.wait(_OFTEN)
            except subprocess.TimeoutExpired:
                if progress.exists() and (seen := progress.read_text()):
                    job.advance(float(seen))
    finally:
        if process.poll() is None:
            process.kill()  # those that it has started end with it


def _said(folder: Path, code: int) -> Result:
    result = failure = None
    if (folder / _SAID).exists():
        result, failure = pickle.loads((folder / _SAID).read_bytes())  # noqa: S301 - ours
    if failure:
        raise LineageError(failure[0], hint=failure[1])
    if code or result is None:
        how = f"was ended by signal {-code}" if code < 0 else f"exited with {code}"
        message = f"training in several processes failed: torchrun {how}"
        raise LineageError(message, hint=tail(folder / _LOG))
    return result  # type: ignore[no-any-return]


def _unseen(_: float) -> None:
    """How far a process is that nobody asks."""


# What runs in the processes.


def _agent(folder: str, processes: str) -> None:
    """Be torchrun."""
    from torch.distributed.run import main

    process = ["-m", __spec__.name, "process", str(os.getpid()), folder]
    # Without a folder for logs torchrun makes one in $TMPDIR, and leaves it.
    logs = f"--log-dir={folder}/logs"
    main(["--standalone", "--nproc-per-node", processes, logs, *process])


def _process(folder: Path, *, first: bool) -> int:
    """Be one of them; the exit code."""
    job, name = pickle.loads((folder / _JOB).read_bytes())  # noqa: S301 - ours
    module, _, attribute = name.partition(":")
    if first:
        place = folder / _PROGRESS
        job = replace(job, advance=lambda part: place.write_text(str(part)))
    result, failure = None, None
    try:
        result = getattr(import_module(module), attribute)(job)
    except LineageError as error:
        failure = str(error), error.hint
    if first or failure:
        unfinished = folder / f"{_SAID}.{os.getpid()}"
        unfinished.write_bytes(pickle.dumps((result, failure)))
        unfinished.replace(folder / _SAID)
    return 1 if failure else 0


def _end_with(parent: int) -> None:
    """End when the parent does, or at once where it has ended already."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("the loop has ended")


if __name__ == "__main__":
    _, role, parent, *words = sys.argv
    _end_with(int(parent))
    if role == "agent":
        _agent(*words)
    else:
        sys.exit(_process(Path(words[0]), first=os.environ["RANK"] == "0"))

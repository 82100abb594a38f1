"""A Python step in a process of its own, so that what it does to it stays there.

A `timeout` asks for this: a function cannot be ended, a process can. It also keeps
the loop alive when a step calls `os._exit`, crashes, or takes all memory. Back come
what a step may say, in JSON, and its errors as sentences; nothing else does.
"""

from __future__ import annotations

import json
import pickle
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lineage.errors import LineageError
from lineage.loop.steps import processes
from lineage.loop.steps.contract import check_output, result, said_of, untouched
from lineage.loop.steps.protocol import Here

if TYPE_CHECKING:
    from collections.abc import Callable

    from lineage.loop.steps.protocol import Job, Result, Step

_JOB, _SAID, _PROGRESS, _LOG = "job.pickle", "said.json", "progress", "log.txt"


@dataclass(frozen=True, slots=True)
class ChildStep:
    """A step that runs for `timeout` seconds at most, in a process of its own.

    `made` is how the process makes the step once more: a class and its arguments.
    """

    step: Step
    name: str
    made: tuple[Callable[..., Step], tuple[Any, ...]]
    base: Path
    timeout: float
    lock: int

    @property
    def code(self) -> dict[str, Any]:
        """That of the step."""
        return self.step.code

    @property
    def reads(self) -> Any:
        """What the step reads."""
        return self.step.reads

    @property
    def evidence(self) -> str:
        """How its edges are known."""
        return self.step.evidence

    def __call__(self, job: Job) -> Result:
        folder = job.scratch
        for name in (_SAID, _PROGRESS):
            (folder / name).unlink(missing_ok=True)
        sent = replace(job, launcher=Here(), advance=_unseen)
        (folder / _JOB).write_bytes(pickle.dumps((sent, self.made)))
        with untouched(job):
            processes.run(
                job,
                [sys.executable, "-m", __name__, str(folder)],
                name=self.name,
                folder=self.base,
                log=folder / "process.txt",
                lock=self.lock,
                timeout=self.timeout,
                look=lambda: _look(job),
            )
        return _said(job, self.name)


def _look(job: Job) -> None:
    place = job.scratch / _PROGRESS
    if place.exists() and (seen := place.read_text()):
        job.advance(float(seen))


def _said(job: Job, name: str) -> Result:
    try:
        said = json.loads((job.scratch / _SAID).read_bytes())
    except (FileNotFoundError, ValueError):
        message = f"the {job.step} step failed: {name} ended its process"
        raise LineageError(message, hint="a step returns, it does not exit") from None
    if "error" in said:
        raise LineageError(said["error"], hint=said["hint"])
    outcome = result(job.step, said["result"])
    check_output(job, outcome)
    return outcome


def _unseen(_: float) -> None:
    """How far a process is that nobody asks."""


def _main(folder: Path) -> None:
    """Be that process."""
    job, (make, arguments) = pickle.loads((folder / _JOB).read_bytes())  # noqa: S301 - ours
    place = folder / _PROGRESS
    job = replace(job, advance=lambda part: place.write_text(str(part)))
    said: dict[str, Any]
    try:
        said = {"result": said_of(make(*arguments)(job))}
    except LineageError as error:
        said = {"error": str(error), "hint": error.hint}
    unfinished = folder / f"{_SAID}.part"
    unfinished.write_text(json.dumps(said))
    unfinished.replace(folder / _SAID)


if __name__ == "__main__":
    _main(Path(sys.argv[1]))

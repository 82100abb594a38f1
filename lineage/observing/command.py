"""A command in a run: inputs before and after, what it left, how it ended."""

from __future__ import annotations

import shlex
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from lineage.errors import LineageError, UsageError
from lineage.observing.inputs import check_role
from lineage.observing.run import Run
from lineage.observing.script import redacted
from lineage.store import names
from lineage.store.fields import choice

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lineage.registry import Registry

_KINDS = ("config", "dataset", "model")
_NOT_FOUND, _NOT_RUNNABLE, _SIGNALLED = 127, 126, 128  # as shells have it


class Used(NamedTuple):
    """A commit whose files the command finds at a path; None: it is only named."""

    revision: str
    path: Path | None
    role: str | None = None


class Output(NamedTuple):
    """What the command is to leave: a file or folder that becomes a commit."""

    kind: str
    name: str
    path: Path


@dataclass(frozen=True, slots=True)
class Plan:
    """A command, and what it reads and leaves by its user's word."""

    words: Sequence[str]
    uses: Sequence[Used] = ()
    reads: Sequence[Path] = ()
    outputs: Sequence[Output] = ()


class CommandFailed(LineageError):
    """The command did not end well; the exit code is its own."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message, hint="nothing of what it wrote was recorded")
        self.exit_code = code


def run_command(
    registry: Registry,
    name: str,
    plan: Plan,
    *,
    metrics: Callable[[], Mapping[str, Any]] = dict,
    stdout: int | None = None,
    **facts: Any,
) -> list[str]:
    """Run a command and record its outputs; returns their ids.

    Args:
        registry: where it is recorded.
        name: what the run is called; "" for what its script is.
        plan: the command with its inputs and outputs.
        metrics: asked once it has ended; they are those of the last output.
        stdout: a descriptor that takes what the command prints, else ours.
        facts: `params` and `seed` of the run.

    Raises:
        CommandFailed: it ended with another exit code than 0.
        LineageError: an input changed, or it wrote nothing where an output is due.
    """
    for used in plan.uses:
        registry.resolve(used.revision)
        check_role(used.role)
    script = _script(plan.words)
    name = name or (script.name if script else plan.words[0])
    with Run(registry, name, script=script, **facts) as run:
        for used in plan.uses:
            if used.path is None:
                run.cite(used.revision, role=used.role)
            else:
                run.use(used.revision, used.path, role=used.role)
        for path in plan.reads:
            run.reads(path)
        before = {output.path: _stamps(output.path) for output in plan.outputs}
        run.note({"command": redacted(shlex.join(plan.words))})
        _execute(plan.words, stdout)
        for output in plan.outputs:
            if _stamps(output.path) == before[output.path]:
                message = f"the command wrote nothing to {output.path}"
                hint = "give the file or folder that it writes"
                raise LineageError(message, hint=hint)
        return [_record(run, plan, output, metrics) for output in plan.outputs]


def _record(
    run: Run, plan: Plan, output: Output, metrics: Callable[[], Mapping[str, Any]]
) -> str:
    if output == plan.outputs[-1]:
        run.log_metrics(metrics())
    return run.commit(output.kind, output.name, output.path)


def _script(words: Sequence[str]) -> Path | None:
    """The first word that is a file here: `python train.py` runs train.py."""
    files = (Path(word).absolute() for word in words)
    return next(
        (file for file in files if file.is_file() and not _is_program(file)), None
    )


def _is_program(file: Path) -> bool:
    """Whether a file is no source: it is not UTF-8 text."""
    try:
        file.read_bytes()[:4096].decode()
    except (OSError, UnicodeDecodeError):
        return True
    return False


def _execute(words: Sequence[str], stdout: int | None) -> None:
    """Run it to the end; an interrupt is the command's to answer first."""
    try:
        process = subprocess.Popen(words, stdout=stdout)
    except OSError as error:
        code = _NOT_FOUND if isinstance(error, FileNotFoundError) else _NOT_RUNNABLE
        message = f"cannot run {words[0]!r}: {error.strerror}"
        raise CommandFailed(message, code) from None
    with process:
        try:
            code = process.wait()
        except BaseException:
            process.send_signal(signal.SIGTERM)
            process.wait()
            raise
    if code:
        how = f"was ended by signal {-code}" if code < 0 else f"exited with {code}"
        message = f"`{redacted(shlex.join(words))}` {how}"
        raise CommandFailed(message, code if code > 0 else _SIGNALLED - code)


def _stamps(top: Path) -> dict[str, tuple[int, ...]]:
    """Of every file at a path what a write changes."""
    files = [top, *top.rglob("*")] if top.is_dir() else [top]
    return {
        str(file): (stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)
        for file in files
        if file.is_file() and (stat := file.stat())
    }


def parse_use(text: str) -> Used:
    """`REV=PATH[,role=ROLE]`, or `REV` for one that is only named.

    Raises:
        UsageError: there is no revision.
    """
    whole, _, role = text.partition(",role=")
    revision, equals, path = whole.rpartition("=")
    if not whole or (equals and not (revision and path)):
        message = f"{text!r} does not name a revision and a path"
        raise UsageError(message, hint="write it as --use dataset/seed=data/")
    return Used(revision or whole, Path(path) if equals else None, role or None)


def parse_output(text: str) -> Output:
    """`KIND/NAME=PATH`.

    Raises:
        UsageError: it is something else.
    """
    place, _, path = text.partition("=")
    kind, _, name = place.partition("/")
    if not (kind and name and path):
        hint = "write it as --output model/tutor=out/"
        raise UsageError(f"the output {text!r} is not KIND/NAME=PATH", hint=hint)
    choice(kind, _KINDS, "a kind of output")
    names.check(name)
    return Output(kind, name, Path(path))

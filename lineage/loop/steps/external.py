"""Steps of the user's own: a Python callable ``pkg.mod:func``, or a command.

Both get a job and leave files in its output folder, as `docs/steps.md` describes
with an example of each. Nothing that they do wrong gets past here without a
sentence that names the step: an exception, an exit code, a time that ran out, an
empty output, a metric that is no number.
"""

from __future__ import annotations

import importlib
import json
import shlex
import sys
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lineage.errors import LineageError, UsageError, raised
from lineage.loop.spec.steps import STEP_PLUGINS
from lineage.loop.steps import processes
from lineage.loop.steps.contract import (
    check_output,
    describe,
    read_result,
    result,
    untouched,
)
from lineage.loop.steps.users import apart, guarded, run_source, tail

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from types import ModuleType

    from lineage.loop.steps.protocol import Job, Result


class PythonStep:
    """A function that takes the `Job` and returns nothing, a `Result` or a mapping.

    The folder of `loop.yaml` comes first when modules are looked for, while it
    is imported and while it runs.
    """

    evidence, reads = "declared", None

    def __init__(self, name: str, base: Path) -> None:
        self.name, self.base = name, base
        with _importable(base), guarded():
            module, source = _load(name.partition(":")[0], base)
            self._function = _attribute(module, name)
        self.code = {"callable": name}
        if source is not None:
            self.code["sha256"] = sha256(source).hexdigest()

    def __call__(self, job: Job) -> Result:
        log = job.scratch / "log.txt"
        log.unlink(missing_ok=True)
        try:
            with _importable(self.base), untouched(job), guarded(log) as ours:
                told = replace(job, advance=apart(ours, job.advance))
                said = self._function(told)
        except (LineageError, KeyboardInterrupt):
            raise
        except BaseException as error:
            what = f"{self.name} raised {raised(error)}"
            message = f"the {job.step} step failed: {what}"
            hint = tail(log) if log.exists() and log.stat().st_size else ""
            raise LineageError(message, hint=hint) from error
        outcome = result(job.step, said)
        check_output(job, outcome)
        return outcome


class InstalledStep(PythonStep):
    """A step that an installed package adds, with its options.

    One with a `Section` is made of the checked options once per run; a function
    gets them as keywords.
    """

    def __init__(self, name: str, options: Mapping[str, Any], base: Path) -> None:
        found, origin = STEP_PLUGINS[name], STEP_PLUGINS.identity(name) or {}
        self.name, self.base = f"{name} of {origin['distribution']}", base
        self.code = {"use": name, **origin}
        if section := getattr(found, "Section", None):
            with guarded():
                self._function = found(section.model_validate(options))
        else:
            self._function = partial(found, **options)


class CommandStep:
    """A command, run in the folder of `loop.yaml` without a shell.

    ``{job}`` in it stands for the path of `job.json`; without it the path is the
    last argument. What it prints goes to a log whose end is quoted if it fails.
    """

    evidence, reads = "declared", None

    def __init__(
        self, command: str, base: Path, timeout: float | None, lock: int
    ) -> None:
        self.command, self.base, self.timeout = command, base, timeout
        self._lock = lock
        try:
            words = shlex.split(command)
        except ValueError as error:
            message = f"the command {command!r} cannot be read: {error}"
            raise UsageError(message) from None
        placed = any("{job}" in word for word in words)
        self._words = words if placed else [*words, "{job}"]

    @property
    def code(self) -> dict[str, Any]:
        """What runs: the command, and the hash of every file here that it names."""
        named = {Path(word) for word in self._words if not Path(word).is_absolute()}
        here = sorted(word for word in named if (self.base / word).is_file())
        files = {str(word): _digest(self.base / word) for word in here}
        return {"command": self.command} | ({"files": files} if files else {})

    def __call__(self, job: Job) -> Result:
        job_file, said = job.scratch / "job.json", job.scratch / "result.json"
        said.unlink(missing_ok=True)
        job_file.write_text(json.dumps(describe(job, said), indent=2) + "\n")
        words = [word.replace("{job}", str(job_file)) for word in self._words]
        with untouched(job):
            processes.run(
                job,
                words,
                name=self.command,
                folder=self.base,
                log=job.scratch / "log.txt",
                lock=self._lock,
                timeout=self.timeout,
            )
        outcome = result(job.step, read_result(job.step, said))
        check_output(job, outcome)
        return outcome


@contextmanager
def _importable(base: Path) -> Iterator[None]:
    sys.path.insert(0, str(base))
    try:
        yield
    finally:
        with suppress(ValueError):
            sys.path.remove(str(base))


def _load(name: str, base: Path) -> tuple[ModuleType, bytes | None]:
    """Import a module, with its source where it has some.

    One beside `loop.yaml` is read anew, whatever has its name.
    """
    file = base.joinpath(*name.split(".")).with_suffix(".py")
    try:
        if file.is_file():
            source = file.read_bytes()
            place = sha256(str(file).encode()).hexdigest()
            return run_source(source, file, f"lineage_step_{place[:16]}"), source
        module = importlib.import_module(name)
        return module, Path(module.__file__).read_bytes() if module.__file__ else None
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        what = f"the step {name} cannot be imported: {raised(error)}"
        raise LineageError(what) from error


def _attribute(module: ModuleType, name: str) -> Callable[[Job], object]:
    path, _, attributes = name.partition(":")
    found: Any = module
    for attribute in attributes.split("."):
        found = getattr(found, attribute, None)
    if not callable(found):
        hint = f"define it in {module.__file__}"
        raise LineageError(f"{path} has no function {attributes}", hint=hint)
    return found  # type: ignore[no-any-return]


def _digest(file: str | Path) -> str:
    return sha256(Path(file).read_bytes()).hexdigest()

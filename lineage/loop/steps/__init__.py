"""The steps of a loop: `generate → check → mix → train → evaluate`.

Read `protocol` first (what a step is), then the five in the order in which they
run. `external` lets a Python callable or a command stand in for any of them, with
`contract`, `users`, `child` and `processes`. All models go through `session`, `model`,
`adapter`, `tokenizer` and `chat`. Under `generate` lie `prompts`, `instructing`,
`sampling` and `endings`, under `train` lie `rows`, `training` and `losses`; `scoring`,
`likelihood` and `answers` ask a model something. `rehearsal` tries all of it on little.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lineage.loop.spec import LoopSpec
    from lineage.loop.spec.steps import StepSpec
    from lineage.loop.steps.protocol import Job, Result, Step

STEPS = ("generate", "check", "mix", "train", "evaluate")
JUDGE = "judge"  # the gates on models; nothing can stand in for it


def find_steps(spec: LoopSpec, lock: int) -> dict[str, Step]:
    """The steps that the spec names, and the built-in ones where it names none.

    Args:
        spec: its `steps` section says what replaces a built-in step.
        lock: a descriptor that a command holds for as long as it lives.

    Raises:
        LineageError: when a callable cannot be imported.
    """
    found = {name: _find(name, spec, lock) for name in STEPS}
    return found | {JUDGE: _built_in(JUDGE)}


def _find(name: str, spec: LoopSpec, lock: int) -> Step:
    from lineage.loop.steps.child import ChildStep
    from lineage.loop.steps.external import CommandStep, InstalledStep, PythonStep

    section, base = getattr(spec.steps, name), spec.path("")
    if section is None:
        return _built_in(name)
    if section.command is not None:
        return CommandStep(section.command, base, section.timeout, lock)
    make: Any = PythonStep
    arguments: tuple[Any, ...] = (section.callable, base)
    if section.use is not None:
        make, arguments = InstalledStep, (section.use, section.options, base)
    step: Step = make(*arguments)
    if section.timeout is None:
        return step
    return ChildStep(
        step, _name(section), (make, arguments), base, section.timeout, lock
    )


def _name(section: StepSpec) -> str:
    return str(section.callable or section.use)


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """A step of ours; its code is the hash of its own module.

    The module's `READS` names the sections of `loop.yaml` that it reads.
    """

    function: Callable[[Job], Result]
    code: dict[str, Any]
    reads: Sequence[str]
    evidence: str = "observed"

    def __call__(self, job: Job) -> Result:
        if job.step == "train":  # the one that is not made of pieces
            return job.launcher.whole(job, self.function)
        return self.function(job)


def _built_in(name: str) -> BuiltIn:
    module = import_module(f"lineage.loop.steps.{name}")
    source = sha256(Path(str(module.__file__)).read_bytes()).hexdigest()
    code = {"step": module.__name__, "sha256": source}
    return BuiltIn(getattr(module, name), code, module.READS)

"""The steps of a loop: `generate → check → mix → train → evaluate`.

Read `protocol` first (what a step is), then the five in the order in which they
run. `external` lets a Python callable or a command stand in for any of them.
"""

from __future__ import annotations

from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lineage.loop.spec import LoopSpec
    from lineage.loop.steps.protocol import Step


def find_step(name: str, spec: LoopSpec, lock: int) -> tuple[Step, dict[str, Any]]:
    """The step that the spec names, or the built-in one; and what its source is.

    Args:
        name: generate, check, mix, train or evaluate.
        spec: its `steps` section says what replaces a built-in step.
        lock: a descriptor that a command holds for as long as it lives.

    Raises:
        LineageError: when a callable cannot be imported.
    """
    from lineage.loop.steps.external import CommandStep, PythonStep

    section, base = getattr(spec.steps, name), spec.path(".").absolute()
    if section is None:
        module = import_module(f"lineage.loop.steps.{name}")
        source = Path(str(module.__file__)).read_bytes()
        code = {"step": module.__name__, "sha256": sha256(source).hexdigest()}
        return getattr(module, name), code
    if section.callable is not None:
        python = PythonStep(section.callable, base)
        return python, python.code
    timeout = getattr(section, "timeout", None)
    command = CommandStep(section.command, base, timeout, lock)
    return command, command.code

"""The key of a step: a hash of all that its result depends on, but the machine.

Two steps with one key give the same files and the same result, in whatever loop
they stand. So a key is made of content: what the step reads of `loop.yaml`, the
files of its inputs by SHA-256, its seed and its code. Ids of commits are not in it,
since those also say who else the files came from.
"""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lineage.store.canonical import Json, canonical, digest
from lineage.store.digests import sha256_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lineage.loop.steps.protocol import Step
    from lineage.registry import Registry


def step_key(
    registry: Registry,
    step: Step,
    *,
    name: str,
    config: Mapping[str, Any],
    generation: int,
    seed: int,
    inputs: Mapping[str, str],
    folders: Mapping[str, Path],
    facts: Mapping[str, Any],
) -> str:
    """The key of `step`, called `name`.

    `config` is the resolved spec, `inputs` are commits and `folders` what else it
    reads, by role.
    """
    read = {role: _files(registry, id_) for role, id_ in inputs.items()}
    more = {role: _digests(folder) for role, folder in folders.items()}
    depends: Json = {
        "step": name,
        "code": step.code,
        "ours": _ours(),
        "config": _slice(config, step.reads),
        "generation": generation,
        "seed": seed,
        "inputs": read | more,
        "facts": dict(facts),
    }
    return digest(canonical(depends))


def _slice(config: Mapping[str, Any], reads: Any) -> dict[str, Any]:
    """The part of a config that `reads` names: ``model``, ``dataset.block_size``."""
    if reads is None:
        return dict(config)
    found = {}
    for path in reads:
        value: Any = config
        for part in path.split("."):
            value = value[part]
        found[path] = value
    return found


def _files(registry: Registry, id_: str) -> Json:
    """What a commit's files are, their names among it; its id where it has none."""
    payload = registry.load(id_).payload
    return id_ if payload is None else payload.files


def _digests(folder: Path) -> Json:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): sha256_at(path) for path in files}


@cache
def _ours() -> str:
    """The source of this package: the built-in steps and all that they call."""
    whole = sha256()
    for path in sorted(Path(__file__).parents[1].rglob("*.py")):
        whole.update(path.read_bytes())
    return whole.hexdigest()

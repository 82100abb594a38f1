"""What is sent to a node: a job, with its inputs by their digests.

The files themselves are fetched from the DVC remote, or found where an earlier task
left them. Only what is in no commit travels with the task: the config and tokenizer
of a model that is to be trained from scratch, and the files that `loop.yaml` names.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from lineage.loop.running.environment import environment
from lineage.loop.steps.protocol import Here

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from lineage.loop.steps.protocol import Job
    from lineage.registry import Registry
    from lineage.store.dvc import RemoteSettings
    from lineage.store.files import FileEntry

# What must be the same on every node, or a shard could come out differently.
_SAME = ("python", "machine", "packages")


@dataclass(frozen=True, slots=True)
class Task:
    """A job without its folders, and what a node makes them of.

    `inputs` are the files of each commit that it reads, by role; `folders` the bytes
    of folders that are in no commit, by role and path. `key` is the same for all
    tasks of one job. `make` names a maker as `module:name`, `within` is where on
    the nodes files are kept ("" for a folder of the user's among temporary ones).
    """

    key: str
    job: Job
    inputs: Mapping[str, tuple[FileEntry, ...]]
    folders: Mapping[str, Mapping[str, bytes]]
    make: str
    remote: RemoteSettings
    expected: Mapping[str, Any]


def task_of(
    registry: Registry, job: Job, make: Callable[..., Any], remote: RemoteSettings
) -> Task:
    """Describe a job for other machines."""
    committed = {r: tuple(registry.files(id_)) for r, id_ in job.ids.items()}
    others = {r: _bytes(job.inputs[r]) for r in job.inputs if r not in committed}
    return Task(
        key=f"{job.step}-{job.output.parent.name}-{job.generation}-{job.attempt}",
        job=replace(job, inputs={}, launcher=Here(), advance=_alone),
        inputs=committed,
        folders=others,
        make=f"{make.__module__}:{make.__qualname__}",
        remote=remote,
        expected=comparable(job.spec.num_threads),
    )


def comparable(num_threads: int) -> dict[str, Any]:
    """What of this machine must be the same on all that work on one loop."""
    here = environment(num_threads)
    return {name: here[name] for name in _SAME}


def difference(expected: Mapping[str, Any], num_threads: int) -> str:
    """What is not here as the machine that sent a task has it; "" for nothing."""
    here, there = (_flat(each) for each in (comparable(num_threads), expected))
    for name in sorted(here.keys() | there.keys()):
        if here.get(name) != there.get(name):
            return f"{name} {here.get(name, 'missing')} instead of {there.get(name)}"
    return ""


def _flat(facts: Mapping[str, Any]) -> dict[str, str]:
    packages: Mapping[str, str] = facts["packages"]
    return {k: str(v) for k, v in facts.items() if k != "packages"} | dict(packages)


def _bytes(folder: Path) -> dict[str, bytes]:
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def _alone(_: float) -> None:
    """How far a node is nobody sees; what is finished counts."""

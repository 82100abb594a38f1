"""Registries that share a bare repository."""

from __future__ import annotations

import subprocess
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

import lineage
from lineage.sharing import remotes
from lineage.sharing.clone import clone
from lineage.sharing.pull import Pulled, pull
from lineage.sharing.push import Pushed, push
from lineage.store.views import Target

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lineage.registry import Registry


class Hub:
    """A bare repository, and the registries that share it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.path = folder / "hub.git"
        self.stack = ExitStack()
        self.git("init", "--quiet", "--bare", str(self.path), where=folder)

    def git(self, *words: str, where: Path | None = None) -> str:
        command = ["git", "-C", str(where or self.path), *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def refs(self, where: Path | None = None) -> dict[str, str]:
        said = self.git(
            "for-each-ref", "--format=%(refname) %(objectname)", where=where
        )
        return {r: oid for r, _, oid in (x.partition(" ") for x in said.splitlines())}

    def first(self, name: str = "ours") -> Registry:
        """Make a registry with one commit on main that is pushed."""
        registry = self.stack.enter_context(lineage.init(self.folder / name))
        self.commit(registry, 0)
        remotes.add(registry, "origin", str(self.path))
        self.push(registry)
        return registry

    def clone(self, name: str = "theirs") -> Registry:
        return self.stack.enter_context(clone(str(self.path), self.folder / name))

    def commit(self, registry: Registry, number: int, branch: str = "main") -> Target:
        made = registry.commit("config", "c", params={"x": number}, branch=branch)
        return Target(made.id, made.git)

    def push(self, registry: Registry) -> Pushed:
        return push(registry, remotes.find(registry))

    def pull(self, registry: Registry) -> Pulled:
        return pull(registry, remotes.find(registry))

    def exchange(self, theirs: Registry, ours: Registry) -> Pulled:
        """Let one side publish, and the other pull."""
        self.push(theirs)
        return self.pull(ours)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    hub = Hub(tmp_path)
    with hub.stack:
        yield hub

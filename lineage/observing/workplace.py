"""The folder of a run: inputs that it was handed, and what it has in the making.

The run holds a lock for as long as it lives. Whoever begins a run later finds the
folders of those that were killed, says in the log that they ended, and removes them.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING, Any

from lineage.errors import LineageError
from lineage.store.disk import disk_errors, locked, write_atomically

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lineage.registry import Registry

FAILED = "failed run"


class Workplace:
    """A run's own folder; make it with `begin`, and `end` it."""

    def __init__(self, registry: Registry, facts: Mapping[str, Any]) -> None:
        self.id = secrets.token_hex(8)
        self._held = ExitStack()
        runs = registry.home / "runs"
        self.folder = runs / self.id
        with disk_errors("making the run's folder"):
            runs.mkdir(parents=True, exist_ok=True)
            with locked(runs / "lock"):
                _sweep(registry, runs)
                self.folder.mkdir()
                self._held.enter_context(locked(self.folder / "lock"))
            data = json.dumps({"run": self.id, **facts}).encode()
            write_atomically(self.folder / "run.json", data)

    def input(self, id_: str) -> Path:
        """Where the files of a commit are put."""
        (self.folder / "inputs").mkdir(exist_ok=True)
        return self.folder / "inputs" / id_[:16]

    def end(self) -> None:
        """Remove the folder and let go of it."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self._held.close()

    def leave(self) -> None:
        """Let go of it in a forked process: the folder is the parent's."""
        self._held.pop_all()


def _sweep(registry: Registry, runs: Path) -> None:
    """Record and remove what killed runs left; call it under the lock."""
    for folder in sorted(p for p in runs.iterdir() if p.is_dir()):
        try:
            with locked(folder / "lock", wait=False):
                _bury(registry, folder)
        except (BlockingIOError, FileNotFoundError):
            continue


def _bury(registry: Registry, folder: Path) -> None:
    with suppress(OSError, ValueError):
        facts = json.loads((folder / "run.json").read_bytes())
        error = "it ended without a word: killed, or the machine went down"
        with suppress(LineageError), registry.signer.machine("a run"):
            message = f"{facts['name']}: {error}"
            registry.attest(FAILED, message=message, data={**facts, "error": error})
    shutil.rmtree(folder, ignore_errors=True)
    with suppress(OSError):
        os.rmdir(folder)  # noqa: PTH106

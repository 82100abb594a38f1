"""Where a loop works: one folder under the registry's home, held by one runner.

::

    <registry.home>/loops/<loop>/
      lock                       held while a runner, or a command of it, lives
      inputs/<id>/               files of commits that steps read
      <generation>-<attempt>/    gone when the generation is committed
        <step>-<key>/out/        what the step writes; emptied before it starts
        <step>-<key>/scratch/    its checkpoints and shards; survives a kill
"""

from __future__ import annotations

import shutil
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING
from urllib.parse import quote

from lineage.checkout import get
from lineage.errors import LineageError
from lineage.loop.branches import branch_of
from lineage.store.disk import disk_errors, locked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from lineage.registry import Registry


class Workshop:
    """The work folder of one loop; make it with `opened`."""

    def __init__(self, registry: Registry, root: Path, lock: int) -> None:
        self._registry, self._root, self.lock = registry, root, lock
        self._inputs = root / "inputs"

    def input(self, id_: str) -> Path:
        """The files of a commit, to read and not to change."""
        folder = self._inputs / id_
        if not folder.exists():
            self._inputs.mkdir(exist_ok=True)
            get(self._registry, id_, folder)
        return folder

    def keep(self, id_: str, folder: Path) -> None:
        """Take a step's output, now commit `id_`, as an input of later steps."""
        self._inputs.mkdir(exist_ok=True)
        if not (self._inputs / id_).exists():
            folder.rename(self._inputs / id_)

    def step(self, generation: int, attempt: int, name: str) -> tuple[Path, Path]:
        """An empty output folder for a step, and its scratch folder as it was left."""
        folder = self._root / f"{generation}-{attempt}" / name
        output, scratch = folder / "out", folder / "scratch"
        with disk_errors("making the work folder"):
            _remove(output)
            output.mkdir(parents=True)
            scratch.mkdir(exist_ok=True)
        return output, scratch

    def clear(self, *, keep: Iterable[str] = ()) -> None:
        """Remove all work, and the inputs but those of the commits to `keep`."""
        kept = set(keep)
        for folder in self._root.iterdir():
            if folder.is_dir() and folder != self._inputs:
                _remove(folder)
        for folder in self._inputs.glob("*"):
            if folder.name not in kept:
                _remove(folder)

    def forget(self, generation: int) -> None:
        """Remove the work at one generation."""
        for folder in self._root.glob(f"{generation}-*"):
            _remove(folder)

    def forget_inputs(self) -> None:
        """Remove inputs that a killed run left: they may not be whole."""
        _remove(self._inputs)


def _remove(folder: Path) -> None:
    """Remove a folder, also while `gc` takes erased bytes out of it."""
    while folder.exists():
        with suppress(FileNotFoundError):
            shutil.rmtree(folder)


@contextmanager
def opened(registry: Registry, loop: str) -> Iterator[Workshop]:
    """Hold a loop's work folder.

    Raises:
        LineageError: when another runner holds it.
    """
    root = _folder(registry, loop)
    with disk_errors("making the work folder"):
        root.mkdir(parents=True, exist_ok=True)
    try:
        with locked(root / "lock", wait=False) as lock:
            workshop = Workshop(registry, root, lock)
            workshop.forget_inputs()
            yield workshop
    except BlockingIOError:
        message = f"{branch_of(loop)} is being run already"
        hint = "wait for that run, or end it and the commands that it started"
        raise LineageError(message, hint=hint) from None


def is_held(registry: Registry, loop: str) -> bool:
    """Whether a runner has the loop's work folder now."""
    lock = _folder(registry, loop) / "lock"
    if registry.events_log.at or not lock.exists():  # nobody knows who ran then
        return False
    try:
        with locked(lock, wait=False):
            return False
    except BlockingIOError:
        return True


def _folder(registry: Registry, loop: str) -> Path:
    return registry.home / "loops" / quote(loop, safe="")

"""What a node does: fetch a task's inputs, make a piece of it, or do the whole step.

Inputs lie in a folder of the user's among temporary files, by the digest of their
list, and are shared by all tasks on the node; each object is compared with its
SHA-256 when it arrives. What nobody has used for a week is removed.
"""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
import time
from dataclasses import dataclass, replace
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lineage.errors import LineageError, StoreError
from lineage.loop.machines.task import difference
from lineage.loop.machines.torchrun import Machine
from lineage.loop.steps.session import session
from lineage.store.disk import locked
from lineage.store.dvc import open_remote
from lineage.store.files import FileEntry, file_list
from lineage.store.parallel import Crew
from lineage.store.reading import found, read_once

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lineage.loop.machines.task import Task
    from lineage.loop.steps.protocol import Job, Maker
    from lineage.store.dvc import RemoteSettings
    from lineage.store.remote_payloads import RemotePayloads

_UNUSED = 7 * 24 * 3600  # seconds after which an input is removed


@dataclass(frozen=True, slots=True)
class Done:
    """A piece, and where it was made."""

    value: Any
    host: str


# The maker of the newest job in this process: a model is not loaded for each piece.
_newest: list[tuple[str, Maker]] = []


def piece(task: Task, number: int) -> Done:
    """Make one piece of a task.

    Raises:
        LineageError: an input cannot be fetched, this node has other packages, or
            the step fails.
    """
    with session(task.job):
        if not _newest or _newest[0][0] != task.key:
            _newest.clear()
            _newest.append((task.key, _named(task.make)(_job(task))))
        return Done(_newest[0][1].piece(number), socket.gethostname())


def whole(task: Task) -> Done:
    """Do a whole step; its files go to the remote, their list is beside its result."""
    with tempfile.TemporaryDirectory(prefix="lineage-") as folder:
        output, scratch = Path(folder, "out"), Path(folder, "scratch")
        output.mkdir()
        scratch.mkdir()
        job = replace(_job(task), output=output, scratch=scratch, launcher=Machine())
        result = job.launcher.whole(job, _named(task.make))
        return Done((result, send(output, task.remote)), socket.gethostname())


def _job(task: Task) -> Job:
    """The job with folders of this node."""
    if what := difference(task.expected, task.job.spec.num_threads):
        message = f"the node {socket.gethostname()} has {what}"
        hint = "shards could come out differently there; install the same packages"
        raise LineageError(message, hint=hint)
    root = home()
    inputs = {r: fetched(root, files, task.remote) for r, files in task.inputs.items()}
    made = {r: _made(root, files) for r, files in task.folders.items()}
    return replace(task.job, inputs=inputs | made)


def _named(name: str) -> Any:
    module, _, attribute = name.partition(":")
    return getattr(import_module(module), attribute)


def home() -> Path:
    """This node's folder, which nobody else can write to.

    Raises:
        StoreError: somebody else has made it.
    """
    root = Path(tempfile.gettempdir(), f"lineage-{os.getuid()}")
    root.mkdir(mode=0o700, exist_ok=True)
    stat = root.lstat()
    if stat.st_uid != os.getuid() or stat.st_mode & 0o077 or root.is_symlink():
        raise StoreError(f"{root} is not a folder of ours", hint="remove it")
    return root


def fetched(root: Path, files: Sequence[FileEntry], settings: RemoteSettings) -> Path:
    """A commit's files, fetched once.

    Raises:
        StoreError: the remote has not all of them, whole.
    """
    folder = root / sha256(file_list(files)).hexdigest()
    with locked(folder.with_suffix(".lock")):
        if not folder.exists():
            _tidy(root)
            work = Path(tempfile.mkdtemp(dir=root, prefix="arriving-"))
            try:
                with open_remote(settings) as remote:
                    _fetch(remote, files, work)
                work.rename(folder)
            except BaseException:
                shutil.rmtree(work, ignore_errors=True)
                raise
        os.utime(folder)
    return folder


def _fetch(remote: RemotePayloads, files: Sequence[FileEntry], work: Path) -> None:
    crew = Crew(remote.jobs)

    def receive(entry: FileEntry) -> str:
        place = work / entry.path
        place.parent.mkdir(parents=True, exist_ok=True)
        wrong = remote.receive(entry, place, crew.tick)
        place.chmod(0o555 if entry.mode.endswith("755") else 0o444)
        return wrong

    for entry in files:
        if entry.is_directory:
            (work / entry.path).mkdir(parents=True, exist_ok=True)
    stored = (entry for entry in files if not entry.is_directory)
    for entry, outcome in crew.each(receive, stored):
        if isinstance(outcome, FileNotFoundError):
            raise StoreError(f"{remote} has no object {entry.md5} ({entry.path})")
        if isinstance(outcome, Exception):
            raise outcome
        if outcome:
            raise StoreError(f"{entry.path} from {remote} {outcome}")


def _made(root: Path, files: Mapping[str, bytes]) -> Path:
    """A folder of these bytes."""
    name = sha256(repr(sorted(files.items())).encode()).hexdigest()
    folder = root / name
    with locked(folder.with_suffix(".lock")):
        if not folder.exists():
            work = Path(tempfile.mkdtemp(dir=root, prefix="arriving-"))
            for path, data in files.items():
                (work / path).parent.mkdir(parents=True, exist_ok=True)
                (work / path).write_bytes(data)
            work.rename(folder)
        os.utime(folder)
    return folder


def send(folder: Path, settings: RemoteSettings) -> list[FileEntry]:
    """Send what a step wrote to the remote; the list of its files.

    Raises:
        StoreError: the remote does not take them.
    """
    entries = []
    with open_remote(settings) as remote, remote.sending():
        for path in sorted(folder.rglob("*")):
            if not path.is_file():
                continue
            entry = read_once(found(path), None, _nobody)[0]
            entry = entry._replace(path=path.relative_to(folder).as_posix())
            if wrong := remote.send(path, entry, _nobody):
                raise StoreError(f"{entry.path} {wrong} and was not sent")
            entries.append(entry)
    return entries


def receive(
    entries: Sequence[FileEntry], settings: RemoteSettings, folder: Path
) -> None:
    """Fetch what a step wrote elsewhere.

    Raises:
        StoreError: the remote has not all of it, whole.
    """
    with open_remote(settings) as remote:
        _fetch(remote, entries, folder)


def _tidy(root: Path) -> None:
    """Remove what nobody has used for long, and what killed tasks left."""
    for path in root.iterdir():
        if path.is_dir() and time.time() - path.stat().st_mtime > _UNUSED:
            shutil.rmtree(path, ignore_errors=True)


def _nobody(_: int) -> None:
    """Hears of bytes that move."""

"""Giving bytes back: a commit's files, verified, at a place of the user's choice."""

import os
import secrets
import shutil
from contextlib import suppress
from pathlib import Path

from lineage.errors import StoreError, UsageError
from lineage.registry import Registry
from lineage.store.disk import check_no_device, disk_errors
from lineage.store.objects import Commit, FileEntry
from lineage.store.reading import Progress
from lineage.tombstones import explain_erased, explain_freed, missing
from lineage.transfer import bring


def get(
    registry: Registry,
    revision: str,
    dest: str | Path,
    *,
    force: bool = False,
    without_erased: bool = False,
    progress: Progress | None = None,
) -> Path:
    """Write the files of `revision` to `dest` and return where they are.

    Objects that are not here are fetched first, if any DVC remote is configured;
    `progress` hears of those bytes.

    A folder payload becomes the folder `dest`; a single file becomes the file
    `dest`, or a file of its own name inside the folder `dest`. Everything is
    copied beside the target and verified before it takes its place. Erased files
    are an error, unless the others are wanted `without_erased` ones.

    Raises:
        UsageError: when `dest` exists and not `force`, holds the registry, is a
            device, or there are no files.
        VerificationError: when bytes are not what the commit recorded.
        StoreError: when an object is missing, or the bytes were never stored.
    """
    id_ = registry.resolve(revision)
    commit = registry.load(id_)
    _check_stored(registry, id_, commit)
    entries = registry.files(id_)
    if without_erased:
        erased = registry.erased()
        entries = [entry for entry in entries if entry.sha256 not in erased]
    explain_erased(registry, id_, entries)
    assert commit.payload is not None
    if without_erased and not entries:
        raise StoreError(f"all files of {id_[:12]} were erased")
    target = Path(dest).absolute()
    if commit.payload.type == "file" and target.is_dir():
        target = target / entries[0].path
    check_no_device(target)
    if os.path.lexists(target) and not force:
        raise UsageError(f"{target} exists already", hint="replace it with --force")
    registry.check_outside(target)
    check_not_inside(registry, target)
    if missing(registry, entries):
        try:
            bring(registry, id_, progress)
        finally:
            explain_freed(registry, id_, entries)
    with disk_errors("writing the files"):
        _write(registry, commit.payload.type, entries, target)
    return target


def check_not_inside(registry: Registry, target: Path) -> None:
    """Refuse to write among the registry's own files, but for work in progress.

    Raises:
        UsageError: when `target` is one of them.
    """
    real = Path(os.path.realpath(target))
    for work in ("loops", "runs"):
        if real.is_relative_to(os.path.realpath(registry.home / work)):
            return
    for own in (registry.git.common, registry.root / ".dvc", registry.payloads.cache):
        if real.is_relative_to(os.path.realpath(own)):
            message = f"{target} is among the registry's own files"
            raise UsageError(message, hint="choose another place")


def default_name(commit: Commit, entries: list[FileEntry]) -> str:
    """What `get` calls the files when nobody says."""
    single = commit.payload is not None and commit.payload.type == "file"
    return entries[0].path if single else commit.name.replace("/", "-")


def _check_stored(registry: Registry, id_: str, commit: Commit) -> None:
    short = id_[:12]
    if commit.kind == "generation":
        hint = f"try `lineage get '{short}^includes(model)'`"
        raise UsageError(f"{short} is a generation and has no files", hint=hint)
    if commit.external:
        where = commit.external.get("uri")
        message = f"the bytes of {short} are not here: they are at {where}"
        hint = f"get them there; `lineage show {short}` has what was claimed of them"
        raise StoreError(message, hint=hint)
    if commit.payload is None:
        raise UsageError(f"the {commit.kind} {short} has no files")
    if not commit.payload.stored:
        where = registry.first_event(id_).data.get("path") or "an unknown place"
        message = f"the bytes of {short} were only hashed, at {where}"
        raise StoreError(message, hint="copy them from there")


def _write(
    registry: Registry, kind: str, entries: list[FileEntry], target: Path
) -> None:
    """Copy beside `target`, then swap; what was there goes away last."""
    target.parent.mkdir(parents=True, exist_ok=True)
    work = target.with_name(f".{secrets.token_hex(8)}.lineage")
    old = work.with_suffix(".old")
    try:
        if kind == "file":
            registry.payloads.copy(entries[0], work)
        else:
            _write_folder(registry, entries, work)
        if kind != "file" and os.path.lexists(target):  # a rename replaces files only
            target.rename(old)
        work.replace(target)
    except BaseException:
        if os.path.lexists(old) and not os.path.lexists(target):
            old.rename(target)
        raise
    finally:
        _remove(work)
        _remove(old)


def _remove(path: Path) -> None:
    with suppress(OSError):
        path.unlink()
    shutil.rmtree(path, ignore_errors=True)


def _write_folder(registry: Registry, entries: list[FileEntry], folder: Path) -> None:
    folders = {entry.path for entry in entries if entry.is_directory}
    folders |= {entry.path.rpartition("/")[0] for entry in entries}
    for name in folders:
        (folder / name).mkdir(parents=True, exist_ok=True)
    for entry in entries:
        if not entry.is_directory:
            registry.payloads.copy(entry, f"{folder}/{entry.path}")

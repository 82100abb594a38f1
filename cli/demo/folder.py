"""The folder of `lineage demo`: empty, with a mark in it, and in one demo's hands."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from lineage.errors import Busy, UsageError
from lineage.store.disk import check_place, disk_errors, locked

_MARK, _MADE = "demo.txt", b"Made by `lineage demo`"


@contextmanager
def room(directory: Path, *, force: bool) -> Iterator[None]:
    """Have `directory` as an empty folder with our mark, or refuse; one demo at a time.

    The mark comes first and goes never, so that what a kill leaves can be replaced.
    """
    check_place(directory)
    _check_ours(directory, force=force)
    with disk_errors(f"making the folder {directory}"):
        directory.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        with disk_errors(f"emptying the folder {directory}"):
            _take(stack, directory / _MARK)
            _empty(directory)
        yield


def _check_ours(directory: Path, *, force: bool) -> None:
    if not directory.exists() or not any(directory.iterdir()):
        return
    mark = directory / _MARK
    if not mark.is_file() or not mark.read_bytes().startswith(_MADE):
        hint = "name another folder: lineage demo DIR"
        raise UsageError(f"{directory} is not empty", hint=hint)
    if not force:
        hint = "replace it with --force, or name another folder"
        raise UsageError(f"{directory} has an earlier demo", hint=hint)


def _take(stack: ExitStack, mark: Path) -> None:
    try:
        stack.enter_context(locked(mark, wait=False))
    except BlockingIOError:
        hint = "wait until it has ended, or name another folder: lineage demo DIR"
        raise Busy(f"a demo runs in {mark.parent}", hint=hint) from None
    if not mark.stat().st_size:
        mark.write_bytes(_MADE + b"; --force replaces it.\n")


def _empty(directory: Path) -> None:
    """Remove all but the mark."""
    for path in directory.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name != _MARK:
            path.unlink()

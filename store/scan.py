"""Walking a folder that becomes a payload, and refusing what cannot be kept."""

import os
import stat as st
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from lineage.errors import StoreError, UsageError


class Found(NamedTuple):
    """One file or empty directory: where it is, its name inside the payload."""

    source: str
    path: str
    stat: os.stat_result

    @property
    def is_directory(self) -> bool:
        return st.S_ISDIR(self.stat.st_mode)


def scan(top: Path) -> tuple[str, list[Found]]:
    """What lies at `top`: "file" or "directory", and its files by path.

    Raises:
        StoreError: when something is missing or cannot be read.
        UsageError: for symbolic links, special files, names that are not UTF-8
            and folders without files.
    """
    try:
        found = _found(str(top), top.name, os.lstat(top))
        if not found.is_directory:
            return "file", [found]
        entries = list(_walk(found))
    except OSError as error:
        raise _unreadable(error) from None
    if all(entry.is_directory for entry in entries):
        hint = "give a file, or a folder that holds one"
        raise UsageError(f"{top} holds no files", hint=hint)
    return "directory", sorted(entries, key=lambda entry: entry.path)


def _walk(top: Found) -> Iterator[Found]:
    """Files and empty directories below `top`, in no particular order."""
    pending = [(top, "")]
    while pending:
        folder, prefix = pending.pop()
        with os.scandir(folder.source) as listing:
            children = list(listing)
        if not children:
            yield folder
        for child in children:
            stat = child.stat(follow_symlinks=False)
            found = _found(child.path, prefix + child.name, stat)
            if found.is_directory:
                pending.append((found, found.path + "/"))
            else:
                yield found


def _found(source: str, path: str, stat: os.stat_result) -> Found:
    try:
        path.encode()
    except UnicodeEncodeError:
        shown = os.fsencode(source)
        raise UsageError(f"the file name {shown!r} is not UTF-8") from None
    mode = stat.st_mode
    if st.S_ISLNK(mode):
        raise _link(source)
    if not (st.S_ISREG(mode) or st.S_ISDIR(mode)):
        hint = "only files and folders can be committed"
        raise UsageError(f"{source} is a {_special(mode)}", hint=hint)
    return Found(source, path, stat)


def _link(source: str) -> UsageError:
    target = os.readlink(source)
    kind = "symbolic link" if Path(source).exists() else "broken symbolic link"
    hint = "commit what it points to, or copy the folder with `cp -rL` first"
    return UsageError(f"{source} is a {kind} to {target}", hint=hint)


def _special(mode: int) -> str:
    if st.S_ISFIFO(mode):
        return "pipe"
    return "socket" if st.S_ISSOCK(mode) else "device"


def _unreadable(error: OSError) -> StoreError:
    where = os.fsdecode(error.filename or "")
    if isinstance(error, FileNotFoundError):
        return StoreError(f"{where} does not exist", hint="check the path")
    return StoreError(f"{where} cannot be read: {error.strerror}")

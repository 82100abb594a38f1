"""The files of a commit that a comparison reads: by path, and where they lie."""

from pathlib import Path

from lineage.diff.parts import Side
from lineage.errors import LineageError
from lineage.registry import Registry
from lineage.store.files import FileEntry


def files(registry: Registry, side: Side | None) -> dict[str, FileEntry]:
    """The files of one side by path; empty directories are none of them."""
    if side is None:
        return {}
    found = registry.files(side.id)
    return {entry.path: entry for entry in found if not entry.is_directory}


def place(registry: Registry, entry: FileEntry) -> Path:
    """Where the bytes of a file lie, which has its recorded size at least.

    Raises:
        LineageError: when they are not here: never stored, not fetched, or erased.
    """
    path = registry.payloads.path(entry.md5)
    try:
        size = path.stat().st_size
    except OSError:
        raise LineageError(f"{entry.path} is not here") from None
    if size != entry.size:
        raise LineageError(f"{entry.path} does not have its recorded size")
    return path

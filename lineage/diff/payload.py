"""The files of a commit that a comparison reads: by path, and where they lie."""

from lineage.diff.parts import Side
from lineage.registry import Registry
from lineage.store.files import FileEntry


def files(registry: Registry, side: Side | None) -> dict[str, FileEntry]:
    """The files of one side by path; empty directories are none of them."""
    if side is None:
        return {}
    found = registry.files(side.id)
    return {entry.path: entry for entry in found if not entry.is_directory}

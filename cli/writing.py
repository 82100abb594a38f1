"""A file that a command writes on request, such as a report."""

from pathlib import Path

from lineage.cli.command import App
from lineage.errors import StoreError


def write_file(app: App, path: Path, data: bytes, what: str) -> None:
    """Write `data` to `path`, whole or not at all, but not into the registry.

    Raises:
        StoreError: when there is no such folder, or it cannot be written.
        UsageError: when the path lies where the registry keeps its own.
    """
    from lineage.checkout import check_not_inside
    from lineage.store.disk import disk_errors, write_atomically

    check_not_inside(app.registry, path.absolute())
    if not path.parent.is_dir():
        raise StoreError(f"there is no folder {path.parent} to write the {what} to")
    with disk_errors(f"writing the {what}"):
        if path.exists() and not path.is_file():  # a pipe, a terminal
            path.write_bytes(data)
        else:
            write_atomically(path.resolve(), data)

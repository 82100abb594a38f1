"""A file that a command writes on request, such as a report."""

from pathlib import Path

from lineage.cli.command import App
from lineage.errors import StoreError, UsageError


def write_file(app: App, path: Path, data: bytes, what: str) -> None:
    """Write `data` to `path`, whole or not at all, but not into the registry.

    Raises:
        StoreError: when there is no such folder, or it cannot be written.
        UsageError: when the path is a folder, or where the registry keeps its own.
    """
    from lineage.store.disk import disk_errors, write_atomically

    check_file(app, path, what)
    with disk_errors(f"writing the {what}"):
        if path.exists() and not path.is_file():  # a pipe, a terminal
            path.write_bytes(data)
        else:
            write_atomically(path.resolve(), data)


def check_file(app: App, path: Path, what: str) -> None:
    """Refuse a path that no file can be written to.

    Raises:
        StoreError: when there is no folder for it.
        UsageError: when it is a folder, or where the registry keeps its own.
    """
    from lineage.checkout import check_not_inside

    check_not_inside(app.registry, path.absolute())
    if path.is_dir():
        hint = "name the file in it"
        raise UsageError(f"{path} is a folder, and the {what} is a file", hint=hint)
    if not path.parent.is_dir():
        raise StoreError(f"there is no folder {path.parent} to write the {what} to")

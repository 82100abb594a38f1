"""Commits whose files were left at a remote: not here, and not lost.

A pull or a clone notes all that it brings before its files come; whatever brings or
records their files takes them off again. What is on the list may be missing here.
What is not, and is missing, was here once.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from lineage.store.disk import disk_errors, locked, write_atomically

if TYPE_CHECKING:
    from lineage.repository import Repository


def unfetched(registry: "Repository") -> set[str]:
    """The ids of the commits whose files may be missing here."""
    try:
        return set(_path(registry).read_text(errors="replace").split())
    except FileNotFoundError:
        return set()


def came(registry: "Repository", ids: Iterable[str]) -> None:
    """Commits came, and their files have not."""
    _change(registry, frozenset(ids), frozenset())


def arrived(registry: "Repository", ids: Iterable[str]) -> None:
    """The files of these commits are here now."""
    _change(registry, frozenset(), frozenset(ids))


def _change(registry: "Repository", new: frozenset[str], gone: frozenset[str]) -> None:
    path = _path(registry)
    if not new and not path.exists():
        return
    with disk_errors("noting whose files came"), locked(path.with_suffix(".lock")):
        before = unfetched(registry)
        after = (before | new) - gone
        if not after:
            path.unlink(missing_ok=True)
        elif after != before:
            lines = "".join(f"{id_}\n" for id_ in sorted(after))
            write_atomically(path, lines.encode(), sync=True)


def _path(registry: "Repository") -> Path:
    return registry.home / "unfetched"

"""Files side by side, by path: added, removed, changed."""

from dataclasses import dataclass

from lineage.diff.comparison import Comparison
from lineage.diff.parts import Pair, Side
from lineage.registry import Registry
from lineage.store.files import FileEntry


@dataclass(frozen=True)
class FileChange:
    """One path; `a` or `b` is None where it is missing."""

    path: str
    a: FileEntry | None
    b: FileEntry | None


@dataclass(frozen=True)
class FileChanges:
    """What happened to the files of a payload; each list is sorted by path."""

    added: tuple[FileChange, ...] = ()
    removed: tuple[FileChange, ...] = ()
    changed: tuple[FileChange, ...] = ()

    def __bool__(self) -> bool:
        """Whether any file differs."""
        return bool(self.added or self.removed or self.changed)


def compare(what: Comparison) -> FileChanges:
    """The files that differ, in content or mode; a part's under ``kind/name/``."""
    changes = [
        change
        for pair in what.pairs
        if pair.part or not pair.label
        for change in _changes(what.registry, pair)
    ]
    return FileChanges(
        added=tuple(c for c in changes if c.a is None),
        removed=tuple(c for c in changes if c.b is None),
        changed=tuple(c for c in changes if c.a and c.b),
    )


def _changes(registry: Registry, pair: Pair) -> list[FileChange]:
    before, after = _files(registry, pair.a), _files(registry, pair.b)
    prefix = f"{pair.label}/" if pair.label else ""
    return [
        FileChange(prefix + path, before.get(path), after.get(path))
        for path in sorted({*before, *after})
        if before.get(path) != after.get(path)
    ]


def _files(registry: Registry, side: Side | None) -> dict[str, FileEntry]:
    if side is None:
        return {}
    return {entry.path: entry for entry in registry.files(side.id)}

"""Files side by side, by path: added, removed, changed, renamed."""

from dataclasses import dataclass

from lineage.diff.comparison import Comparison
from lineage.diff.parts import Pair, Side
from lineage.registry import Registry
from lineage.store.files import FileEntry


@dataclass(frozen=True)
class FileChange:
    """One path; `a` or `b` is None where it is missing.

    Of a renamed file it is the new one.
    """

    path: str
    a: FileEntry | None
    b: FileEntry | None

    @property
    def came_from(self) -> str | None:
        """The old path of a renamed file."""
        if not (self.a and self.b) or self.a.path == self.b.path:
            return None
        return self.path.removesuffix(self.b.path) + self.a.path


@dataclass(frozen=True)
class FileChanges:
    """What happened to the files of a payload; each list is sorted by path."""

    added: tuple[FileChange, ...] = ()
    removed: tuple[FileChange, ...] = ()
    changed: tuple[FileChange, ...] = ()
    renamed: tuple[FileChange, ...] = ()

    def __bool__(self) -> bool:
        """Whether any file differs."""
        return bool(self.added or self.removed or self.changed or self.renamed)


def compare(what: Comparison) -> FileChanges:
    """The files that differ, in content or mode; a part's under ``kind/name/``."""
    changes = [
        change
        for pair in what.pairs
        if pair.part or not pair.label
        for change in _changes(what.registry, pair)
    ]
    kept = [change for change in changes if change.a and change.b]
    return FileChanges(
        added=tuple(c for c in changes if c.a is None),
        removed=tuple(c for c in changes if c.b is None),
        changed=tuple(c for c in kept if c.came_from is None),
        renamed=tuple(c for c in kept if c.came_from is not None),
    )


def _changes(registry: Registry, pair: Pair) -> list[FileChange]:
    before, after = _files(registry, pair.a), _files(registry, pair.b)
    prefix = f"{pair.label}/" if pair.label else ""
    came_from = _renamed(before, after)
    left = set(came_from.values())
    return [
        FileChange(
            prefix + path, before.get(came_from.get(path, path)), after.get(path)
        )
        for path in sorted({*before, *after} - left)
        if before.get(path) != after.get(path)
    ]


def _renamed(
    before: dict[str, FileEntry], after: dict[str, FileEntry]
) -> dict[str, str]:
    """Old paths by new ones, of files that are there under another name only."""
    gone: dict[str, list[str]] = {}
    for path in sorted(before.keys() - after.keys(), reverse=True):
        gone.setdefault(before[path].sha256, []).append(path)
    return {
        path: gone[after[path].sha256].pop()
        for path in sorted(after.keys() - before.keys())
        if after[path].size and gone.get(after[path].sha256)
    }


def _files(registry: Registry, side: Side | None) -> dict[str, FileEntry]:
    if side is None:
        return {}
    return {entry.path: entry for entry in registry.files(side.id)}

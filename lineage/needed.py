"""Which payload objects commits need, and which of them are not here."""

from collections.abc import Container, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from lineage.registry import Registry
from lineage.store.files import FileEntry
from lineage.tombstones import tombstones


class Wanted(NamedTuple):
    """An object, as the first file that is it, and the id of that file's commit.

    A pack that is to be moved is one too, of no commit.
    """

    entry: FileEntry
    id: str

    @property
    def key(self) -> str:
        """What tells it from others: its MD5, or, of a pack, its SHA-256."""
        return self.entry.md5 or self.entry.sha256

    def __str__(self) -> str:
        entry = self.entry
        if not entry.md5:
            return f"the pack {entry.path}"
        name = entry.path if entry.path != entry.md5 else "the file list"
        return f"{name} of {self.id[:12]} (object {entry.md5})"


@dataclass(slots=True)
class Needed:
    """What some commits need: the objects of files by MD5, and folders by commit."""

    files: dict[str, Wanted] = field(default_factory=dict)
    folders: list[str] = field(default_factory=list)

    @classmethod
    def by(cls, registry: Registry, ids: Iterable[str]) -> "Needed":
        """What the stored payloads of `ids` are made of, but for erased files."""
        needed, erased = cls(), tombstones(registry).erased
        for id_ in dict.fromkeys(ids):
            payload = registry.load(id_).stored
            if payload is None:
                continue
            entries = registry.files(id_)
            if payload.type == "directory" and not _erased(entries, erased):
                needed.folders.append(id_)
            for entry in entries:
                if not entry.is_directory and entry.sha256 not in erased:
                    needed.files.setdefault(entry.md5, Wanted(entry, id_))
        return needed


def _erased(entries: Iterable[FileEntry], erased: Container[str]) -> bool:
    return any(entry.sha256 in erased for entry in entries)


def absent(registry: Registry, ids: Iterable[str]) -> list[Wanted]:
    """The objects of files that are in neither the pins nor DVC's cache."""
    files = Needed.by(registry, ids).files
    return [files[oid] for oid in files if not registry.payloads.has(oid)]

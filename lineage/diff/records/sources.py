"""Which files of two datasets have to be read: those that are not on both sides."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from lineage.diff.comparison import files
from lineage.diff.parts import Pair
from lineage.errors import LineageError
from lineage.records import place
from lineage.records.formats import packed, record_paths
from lineage.registry import Registry
from lineage.store.files import FileEntry


@dataclass(frozen=True, slots=True)
class File:
    """A file of records: its path in the dataset, its size, and where it lies."""

    path: str
    size: int
    place: Path


@dataclass(frozen=True, slots=True)
class Sources:
    """The files to read on either side, and how many are the same on both."""

    a: tuple[File, ...]
    b: tuple[File, ...]
    same: int

    @property
    def differ(self) -> bool:
        """Whether there is anything to compare."""
        return bool(self.a or self.b)


def sources(registry: Registry, pair: Pair, notes: list[str]) -> Sources:
    """The files of a pair that hold records and are not on both sides.

    As many copies of a file as the other side has cancel, those at the same path
    first. A file whose bytes are not here gets a note, and is left out on both sides;
    where nothing of a side is here, nothing is compared.
    """
    sides = [files(registry, side) for side in (pair.a, pair.b)]
    before, after = ({p: side[p] for p in record_paths(side)} for side in sides)
    notes += [
        f"{path} is compressed, and its records are not compared"
        for path in sorted({*sides[0]} | {*sides[1]})
        if packed(path) and not _same(sides[0].get(path), sides[1].get(path))
    ]
    shared = Counter(_digests(before)) & Counter(_digests(after))
    old, new = _rest(before, after, shared), _rest(after, before, shared)
    found: tuple[list[File], list[File]] = [], []
    away = set()
    for side, entries in zip(found, (old, new), strict=True):
        for entry in entries:
            try:
                where = place(registry, entry).resolve()
                side.append(File(entry.path, entry.size, where))
            except LineageError as error:
                away.add(entry.path)
                notes.append(f"{error}, and its records are not compared")
    if any(
        entries and not side for side, entries in zip(found, (old, new), strict=True)
    ):
        return Sources((), (), shared.total())
    a, b = (tuple(f for f in side if f.path not in away) for side in found)
    return Sources(a, b, shared.total())


def _same(a: FileEntry | None, b: FileEntry | None) -> bool:
    return bool(a and b and a.sha256 == b.sha256)


def _digests(entries: Mapping[str, FileEntry]) -> Iterable[str]:
    return (entry.sha256 for entry in entries.values())


def _rest(
    ours: Mapping[str, FileEntry], theirs: Mapping[str, FileEntry], shared: Counter[str]
) -> list[FileEntry]:
    """What is left of one side, by path, once the shared files are taken out."""
    left = Counter(shared)
    here = {
        path
        for path, entry in ours.items()
        if path in theirs and theirs[path].sha256 == entry.sha256
    }
    left.subtract(ours[path].sha256 for path in here)
    rest = []
    for path, entry in ours.items():
        if path in here:
            continue
        left[entry.sha256] -= 1
        if left[entry.sha256] < 0:
            rest.append(entry)
    return rest

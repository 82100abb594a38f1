"""What is packed, commit by commit."""

from collections.abc import Iterable
from typing import NamedTuple

from lineage.registry import Registry
from lineage.store.files import FileEntry


class Listed(NamedTuple):
    """The packed files of a commit: `packed` bytes stand for `whole` ones.

    A block that several commits have counts for the oldest. `depth` is how many
    bases have to be decoded before a block, at most.
    """

    id: str
    kind: str
    name: str
    files: int
    whole: int
    packed: int
    depth: int


class _Sums(NamedTuple):
    files: int
    whole: int
    packed: int
    depth: int


def listed(registry: Registry, revset: str | None = None) -> list[Listed]:
    """The commits that have packed files, newest first; those of `revset` alone."""
    chosen = None if revset is None else set(registry.select(revset))
    seen: set[bytes] = set()
    found = []
    for record in sorted(registry.ids, key=lambda record: record.number):
        commit = registry.load(record.id)
        if not commit.stored:
            continue
        sums = _sums(registry, registry.files(record.id), seen)
        if sums.files and (chosen is None or record.id in chosen):
            found.append(Listed(record.id, commit.kind, commit.name, *sums))
    return found[::-1]


def total(registry: Registry) -> tuple[int, int, int]:
    """How many files are packed, their bytes, and those of the packs."""
    packs = list(registry.payloads.packs)
    files = {file.md5: file.size for pack in packs for file in pack.tables.all_files()}
    return len(files), sum(files.values()), sum(pack.size for pack in packs)


def share(registry: Registry, id_: str) -> tuple[int, float | None]:
    """How many files of a commit are packed, and what part of those is stored.

    Blocks that it has in common with others count in full.
    """
    sums = _sums(registry, registry.files(id_), set())
    return sums.files, sums.packed / sums.whole if sums.whole else None


def _sums(registry: Registry, entries: Iterable[FileEntry], seen: set[bytes]) -> _Sums:
    """What the packed ones of some files come to; `seen` blocks count as nothing."""
    packs = registry.payloads.packs
    files = whole = packed = depth = 0
    for entry in entries:
        if not entry.md5 or not registry.payloads.is_packed(entry.md5):
            continue
        files, whole = files + 1, whole + entry.size
        for segment in packs.segments(entry.md5) or ():
            row = packs.where(segment.block)
            if row and segment.block not in seen:
                seen.add(segment.block)
                packed += row.block.stored
                depth = max(depth, row.block.depth)
    return _Sums(files, whole, packed, depth)

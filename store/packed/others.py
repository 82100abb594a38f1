"""Packs of the same cache under other names: those of a clone that lost its own, say.

They may be somebody's who lives. A pack never changes, so what is needed of them is
taken over by links, and theirs stay where they are.
"""

from collections.abc import Iterable
from pathlib import Path

from lineage.store.digests import sha256_at
from lineage.store.files import FileEntry
from lineage.store.packed.closure import Closure
from lineage.store.packed.packs import Packs
from lineage.store.places import Places, packers


class Others:
    """The packs of all registries in a cache but one."""

    def __init__(self, places: Places) -> None:
        names = [name for name in packers(places.cache) if name != places.registry]
        self._packs = {name: Packs(places.cache, name) for name in names}
        self._closures = {
            name: Closure({pack.name: pack for pack in packs if not pack.damage})
            for name, packs in self._packs.items()
        }

    def find(self, entry: FileEntry) -> tuple[str, list[str]] | None:
        """Who has a file, and its packs, those first that others build on."""
        for name, closure in self._closures.items():
            needed = closure.around(entry)
            if needed is not None:
                return name, closure.ordered(needed)
        return None

    def take_over(self, entry: FileEntry, packs: Packs, work: Path) -> str | None:
        """Make the packs of a file ours, too; whose they are, None if nobody has it."""
        found = self.find(entry)
        if found is None:
            return None
        name, needed = found
        paths = {pack: self._packs[name].path(pack) for pack in needed}
        if any(sha256_at(path) != pack for pack, path in paths.items()):
            return None
        for pack, path in paths.items():
            (work / pack).hardlink_to(path)
            packs.publish(work / pack, pack)
        return name

    def count(self, entries: Iterable[FileEntry]) -> dict[str, int]:
        """How many of some files whoever has them has."""
        counts: dict[str, int] = {}
        for entry in entries:
            if found := self.find(entry):
                counts[found[0]] = counts.get(found[0], 0) + 1
        return counts

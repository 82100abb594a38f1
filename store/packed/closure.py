"""What packs build on: a block may have its base, and a file its blocks, in others."""

from collections.abc import Container, Iterable, Mapping
from functools import cached_property
from typing import Protocol

from lineage.store.files import FileEntry
from lineage.store.packed.format import NO_BASE, Block, PackedFile, Tables


class Held(Protocol):
    """A pack, wherever it lies."""

    name: str
    tables: Tables


class Closure:
    """Packs by name, and what they need of each other."""

    def __init__(self, packs: Mapping[str, Held]) -> None:
        self._packs = packs
        self._direct: dict[str, frozenset[str] | None] = {}

    def of(self, names: Iterable[str]) -> set[str] | None:
        """These packs and all that they build on; None where a block is nowhere."""
        found: set[str] = set()
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            if name in found:
                continue
            found.add(name)
            needed = self.direct(name)
            if needed is None:
                return None
            waiting += needed
        return found

    def ordered(self, names: Iterable[str]) -> list[str]:
        """These packs, each after those of them that it builds on."""
        wanted, found = set(names), dict[str, None]()
        while left := [name for name in sorted(wanted) if name not in found]:
            ready = [
                n for n in left if (self.direct(n) or set()) & wanted <= found.keys()
            ]
            found.update(dict.fromkeys(ready or left))  # a circle has no first
        return list(found)

    def direct(self, name: str) -> frozenset[str] | None:
        """The other packs that a pack names blocks of; None where one is nowhere."""
        if name not in self._direct:
            self._direct[name] = self._needed(self._packs[name])
        return self._direct[name]

    def on(self, names: Iterable[str]) -> list[str]:
        """These packs and all that build on them, each before its own bases."""
        found = set(names)
        while (
            more := {n for n in self._packs if (self.direct(n) or set()) & found}
            - found
        ):
            found |= more
        return list(reversed(self.ordered(found)))

    def reach(self, pack: str, file: PackedFile) -> list[tuple[str, Block]] | None:
        """The blocks that make a file, with bases and bases' bases, each once.

        With the pack of each; None where one is nowhere.
        """
        found: dict[bytes, tuple[str, Block]] = {}
        segments = self._packs[pack].tables.segments(file)
        waiting = [(pack, segment.block) for segment in reversed(segments)]
        while waiting:
            near, id_ = waiting.pop()
            if id_ in found:
                continue
            held = self._held(near, id_)
            if held is None:
                return None
            found[id_] = held
            if held[1].base != NO_BASE:
                waiting.append((held[0], held[1].base))
        return list(found.values())

    def find(self, entry: FileEntry) -> list[tuple[str, PackedFile]]:
        """The packs that have a file, and what they say of it."""
        key = bytes.fromhex(entry.md5.partition(".")[0])
        rows = ((name, pack.tables.file(key)) for name, pack in self._packs.items())
        return [
            (name, row)
            for name, row in rows
            if row and (row.sha256.hex(), row.size) == (entry.sha256, entry.size)
        ]

    def holders(self, blocks: Iterable[bytes]) -> set[str]:
        """All packs that have one of these blocks."""
        wanted = set(blocks)
        return {
            name
            for name, pack in self._packs.items()
            if any(pack.tables.block(id_) for id_ in wanted)
        }

    def around(self, entry: FileEntry) -> set[str] | None:
        """A pack that has a file, and all that it builds on; None if any is nowhere."""
        for name, _ in self.find(entry):
            if (needed := self.of([name])) is not None:
                return needed
        return None

    @cached_property
    def _holder(self) -> dict[bytes, str]:
        return {
            block.id: name
            for name, pack in self._packs.items()
            for block in pack.tables.all_blocks()
        }

    def _held(self, near: str, id_: bytes) -> tuple[str, Block] | None:
        """A block, if it can be in the pack `near`."""
        for name in (near, self._holder.get(id_)):
            if name and (block := self._packs[name].tables.block(id_)):
                return name, block
        return None

    def _needed(self, pack: Held) -> frozenset[str] | None:
        tables = pack.tables
        wanted = {block.base for block in tables.all_blocks()} - {NO_BASE}
        for file in tables.all_files():
            wanted.update(segment.block for segment in tables.segments(file))
        others = [id_ for id_ in wanted if not tables.block(id_)]
        if any(id_ not in self._holder for id_ in others):
            return None
        return frozenset(self._holder[id_] for id_ in others)


def holding(packs: Iterable[Held], sha256: Container[str]) -> set[str]:
    """The names of the packs that have one of these files."""
    return {
        pack.name
        for pack in packs
        if any(file.sha256.hex() in sha256 for file in pack.tables.all_files())
    }

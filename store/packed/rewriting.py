"""Letting go of packed files: new packs with what is still needed, and old ones go.

Blocks are copied as they are coded. At every instant each file that stays is in a
pack: the new one is read back and published before the old one is taken away.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from lineage.errors import VerificationError
from lineage.store.packed.blocks import Row
from lineage.store.packed.format import NO_BASE, Block, PackedFile, Segment
from lineage.store.packed.packs import Pack, Packs
from lineage.store.packed.reading_back import read_back
from lineage.store.packed.writer import Writer


@dataclass(slots=True)
class Rewritten:
    """Which packs went and which came, by name; by how many bytes they are less.

    `left` are damaged ones that still have, or may have, what should go.
    """

    gone: list[str] = field(default_factory=list)
    made: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    freed: int = 0


def rewrite(
    packs: Packs, keep: Collection[str], work: Path, aside: Path | None = None
) -> Rewritten:
    """Let go of all packed files but those whose MD5 is in `keep`.

    Call it when nobody writes packs or relies on what goes. New packs are made in
    `work`; old ones are removed, or moved into the folder `aside`. Whoever is killed
    calls it again: as long as bytes of what goes are left, a pack names some of it.

    Raises:
        StoreError: when the disk is full.
    """
    kin, done = Kin(packs), Rewritten()
    alive = kin.closure(part.block for part in kin.parts(keep))
    for pack in sorted(packs, key=lambda pack: _names_more(pack, keep)):
        files = [row for row in pack.tables.all_files() if row.oid in keep]
        blocks = [row for row in pack.tables.all_blocks() if row.id in alive]
        if (len(files), len(blocks)) == (pack.tables.files, pack.tables.blocks):
            continue
        try:
            made = (
                _copied(packs, pack, files, blocks, work) if files or blocks else None
            )
        except VerificationError:
            done.left.append(pack.name)
            continue
        packs.remove(pack, aside)
        done.gone.append(pack.name)
        done.made += [made.name] if made else []
        done.freed += pack.size - (made.size if made else 0)
    done.left += packs.damaged.keys() - done.left
    return done


def _names_more(pack: Pack, keep: Collection[str]) -> bool:
    return any(oid not in keep for oid in pack.tables.oids())


def entangled(packs: Packs, oids: Collection[str]) -> set[str]:
    """The other files that some bytes of these files are needed for.

    They have to be made plain before nothing of these bytes is left in packs. They
    leave too, then, and what only they and these have is needed for others in turn.
    """
    kin, leaving = Kin(packs), set(oids)
    while more := _needing(kin, leaving):
        leaving |= more
    return leaving - set(oids)


def _needing(kin: "Kin", leaving: Collection[str]) -> set[str]:
    """The files that stay and need bytes that no file has but those that leave."""
    staying = {oid: parts for oid, parts in kin.files.items() if oid not in leaving}
    kept = {part for parts in staying.values() for part in parts}
    going = {part.block for part in kin.parts(leaving) if part not in kept}
    return {
        oid
        for oid, parts in staying.items()
        if not going.isdisjoint(kin.closure(part.block for part in parts))
    }


class Kin:
    """What all files of some packs are made of, and what their blocks build on."""

    def __init__(self, packs: Iterable[Pack]) -> None:
        self._bases: defaultdict[bytes, set[bytes]] = defaultdict(set)
        self.files: defaultdict[str, list[Segment]] = defaultdict(list)
        for pack in packs:
            for block in pack.tables.all_blocks():
                if block.base != NO_BASE:
                    self._bases[block.id].add(block.base)
            for file in pack.tables.all_files():
                with suppress(VerificationError):
                    self.files[file.oid] += pack.tables.segments(file)

    def parts(self, oids: Iterable[str]) -> Iterable[Segment]:
        """The parts of those files of these that are here."""
        return (part for oid in oids for part in self.files.get(oid, ()))

    def touching(self, blocks: Collection[bytes]) -> list[str]:
        """The files that need one of these blocks."""
        return [
            oid
            for oid, parts in self.files.items()
            if not self.closure(part.block for part in parts).isdisjoint(blocks)
        ]

    def closure(self, blocks: Iterable[bytes]) -> set[bytes]:
        """These blocks, and all that they build on in any pack."""
        waiting, found = list(blocks), set[bytes]()
        while waiting:
            id_ = waiting.pop()
            if id_ not in found:
                found.add(id_)
                waiting += self._bases.get(id_, ())
        return found


def _copied(
    packs: Packs,
    pack: Pack,
    files: Iterable[PackedFile],
    blocks: Iterable[Block],
    work: Path,
) -> Pack:
    """Publish a pack with some of another one's files and blocks."""
    if pack.damage:
        raise VerificationError(pack.damage)
    path = work / pack.name
    with Writer(packs, path) as writer:
        for block in sorted(blocks, key=lambda block: block.offset):
            writer.copy(Row(pack, block))
        for file in files:
            segments = pack.tables.segments(file)
            writer.add_file(file.oid, file.sha256.hex(), segments)
        name = writer.finish()
    others = [other for other in packs if other.name != pack.name]
    read_back(path, others)
    return packs.publish(path, name)

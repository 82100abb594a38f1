"""Text and small files in packs: pieces that build on others like them, and shards.

A text of more than a block is cut where its content says, so what versions have in
common is kept once. A piece that is new is coded with the piece that is most like it as
dictionary: edits, new scores, rows left out, put in or moved take next to nothing.
Pieces are alike when they share traits, which are hashes of 64 bytes.

Files of less than `SMALL` bytes share blocks, those of similar names side by side.
"""

from collections import Counter, OrderedDict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from lineage.errors import VerificationError
from lineage.store.packed.codec import encode_text
from lineage.store.packed.cutting import pieces, traits
from lineage.store.packed.format import Segment
from lineage.store.packed.writer import TEXT, Piece

if TYPE_CHECKING:
    from lineage.store.packed.packs import Packs
    from lineage.store.packed.writer import Added, Writer

SMALL = 1 << 16  # bytes; to read such a file is to decode some others, too
GAIN = 0.02  # of a file; what gains less is not worth packing

_SHARD = 1 << 20  # bytes of small files in one block
_KNOWN = 1 << 19  # traits that are remembered: those of some 4 GB of text
_SAMPLES, _SAMPLE = 8, 1 << 16

_GGUF = b"GGUF"  # how such a file starts

_Row = tuple[str, str, int, int]  # MD5, SHA-256, start and length of a small file


class Small(NamedTuple):
    """A file, not empty, that is to share a block with others."""

    md5: str
    sha256: str
    data: bytes


class Likeness:
    """Blocks of text, by their traits."""

    def __init__(self, packs: "Packs") -> None:
        self._packs = packs
        self._blocks: OrderedDict[int, bytes] = OrderedDict()
        self._learned: set[bytes] = set()
        self._asked: set[str] = set()

    def learn(self, oid: str) -> None:
        """Let others build on a file, if it is packed and can be read."""
        if oid in self._asked:
            return
        self._asked.add(oid)
        for segment in self._packs.segments(oid) or ():
            if segment.block not in self._learned:
                with suppress(VerificationError):
                    self.add(segment.block, traits(self._packs.block(segment.block)))

    def add(self, block: bytes, traits: Iterable[int]) -> None:
        """Let others build on a block that has these traits."""
        self._learned.add(block)
        for trait in traits:
            self._blocks[trait] = block
            self._blocks.move_to_end(trait)
        while len(self._blocks) > _KNOWN:
            self._blocks.popitem(last=False)

    def nearest(self, traits: Iterable[int]) -> bytes | None:
        """The block that has most of these traits; None if there is none with any."""
        known = (self._blocks[trait] for trait in traits if trait in self._blocks)
        return next((block for block, _ in Counter(known).most_common(1)), None)


def shrinks(file: BinaryIO, size: int) -> bool:
    """Whether samples of a file of `size` bytes, `SMALL` or more, get smaller.

    A GGUF counts as one that does not: a few percent are not worth its way to DVC.
    """
    file.seek(0)
    if file.read(len(_GGUF)) == _GGUF:
        return False
    whole = packed = 0
    for number in range(_SAMPLES):
        file.seek((size - _SAMPLE) * number // (_SAMPLES - 1))
        sample = file.read(_SAMPLE)
        whole += len(sample)
        packed += len(encode_text(sample, level=1).data)
    return packed < whole * (1 - GAIN)


def add_text(
    writer: "Writer", likeness: Likeness, md5: str, sha256: str, file: BinaryIO
) -> "Added":
    """Add a text, or anything else that may be like what is there already."""
    found: list[list[int]] = []

    def blocks() -> Iterator[Piece]:
        for data, marks in pieces(file):
            found.append(marks)
            yield Piece(data, TEXT, likeness.nearest(marks))

    added = writer.add(md5, sha256, blocks())
    for segment, marks in zip(added.segments, found, strict=True):
        likeness.add(segment.block, marks)
    return added


def neighbours(name: str) -> tuple[str, str]:
    """The key by which small files are sorted, so that like ones share blocks."""
    path = PurePosixPath(name)
    return path.suffix, path.name


def add_small(writer: "Writer", likeness: Likeness, files: Iterable[Small]) -> "Added":
    """Add files that share blocks, in the order given."""
    found: list[tuple[list[int], list[_Row]]] = []

    def blocks() -> Iterator[Piece]:
        for data, rows in _shards(files):
            marks = traits(data)
            found.append((marks, rows))
            yield Piece(data, TEXT, likeness.nearest(marks))

    added = writer.add_blocks(blocks())
    for segment, (marks, rows) in zip(added.segments, found, strict=True):
        likeness.add(segment.block, marks)
        for md5, sha256, start, length in rows:
            writer.add_file(md5, sha256, [Segment(segment.block, start, length)])
    return added


def _shards(files: Iterable[Small]) -> Iterator[tuple[bytes, list[_Row]]]:
    """Blocks of files one after the other, and where each is."""
    data, rows = bytearray(), list[_Row]()
    for file in files:
        if len(data) + len(file.data) > _SHARD:
            yield bytes(data), rows
            data, rows = bytearray(), []
        rows.append((file.md5, file.sha256, len(data), len(file.data)))
        data += file.data
    if rows:
        yield bytes(data), rows

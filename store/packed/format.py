"""The bytes of a pack: blocks as they are coded, then tables, then a trailer.

Tables have rows of one length, sorted by their first field, so that a reader finds a
row without reading the others. Numbers are big-endian. A row is looked at before it
is believed: what does not fit raises, whoever made it.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from struct import Struct
from typing import Any, NamedTuple

from lineage.errors import VerificationError
from lineage.store.files import FILE, FileEntry

SUFFIX = ".pack"  # after a pack's name, its SHA-256
MAGIC = b"lineage pack 1\n\0"  # what a pack begins and ends with
BLOCK = 4 << 20  # bytes of a block, at most
MAX_DEPTH = 8  # bases that have to be decoded before a block, at most
NO_BASE = bytes(32)

_BLOCK = Struct(">32s32sQIIBBBx")
_FILE = Struct(">16s32sQQI")
_SEGMENT = Struct(">32sII")
_TRAILER = Struct(">QIIQ32s16s")
BLOCK_ROW, FILE_ROW, SEGMENT_ROW = _BLOCK.size, _FILE.size, _SEGMENT.size  # bytes
TRAILER_SIZE = _TRAILER.size


class Block(NamedTuple):
    """Where a block lies in its pack and how it is coded.

    `id` is the SHA-256 of its bytes, `base` that of the block it builds on (zeros for
    none); `stored` bytes from `offset` make `size` bytes; `depth` counts the bases
    that have to be decoded first.
    """

    id: bytes
    base: bytes
    offset: int
    stored: int
    size: int
    method: int
    width: int
    depth: int


class Segment(NamedTuple):
    """A part of a file: `length` bytes of a block, from its byte `start`."""

    block: bytes
    start: int
    length: int

    def of(self, data: bytes | bytearray | memoryview) -> memoryview:
        """This part of the block's bytes.

        Raises:
            VerificationError: when the block is too short for it.
        """
        end = self.start + self.length
        if end > len(data):
            raise VerificationError("a part of a packed file is beyond its block")
        return memoryview(data)[self.start : end]


class PackedFile(NamedTuple):
    """A file of a pack, by the MD5 that DVC knows it by (16 bytes).

    It is made of `parts` segments from number `first` on.
    """

    md5: bytes
    sha256: bytes
    size: int
    first: int
    parts: int

    @property
    def oid(self) -> str:
        """Its MD5 as DVC writes it."""
        return self.md5.hex()

    @property
    def entry(self) -> FileEntry:
        """It as an object of DVC's: a file that is called after its MD5."""
        return FileEntry(self.oid, FILE, self.size, self.sha256.hex(), self.oid)


class Trailer(NamedTuple):
    """The last bytes of a pack: where its tables begin, and what is in them."""

    begin: int
    blocks: int
    files: int
    segments: int
    digest: bytes
    magic: bytes = MAGIC

    @property
    def length(self) -> int:
        """How long the tables are, which end where the trailer begins."""
        rows = self.blocks * BLOCK_ROW + self.files * FILE_ROW
        return rows + self.segments * SEGMENT_ROW


class Tables:
    """What a pack says of its blocks and files.

    Every row that is asked for is checked; `check` is for all of them. Where they are
    `damaged`, so that they may not be in order, what is left is still found.
    """

    def __init__(self, trailer: Trailer, data: bytes, *, damaged: bool = False) -> None:
        self._data, self._damaged = data, damaged
        self._begin = trailer.begin
        self.blocks, self.files = trailer.blocks, trailer.files
        self.parts = trailer.segments
        self._files = self.blocks * BLOCK_ROW
        self._segments = self._files + self.files * FILE_ROW

    def block(self, id_: bytes) -> Block | None:
        row = self._find(0, self.blocks, _BLOCK, id_)
        block = Block(*row) if row else None
        if block and not self._is_sound(block):
            raise VerificationError(f"what it says of block {id_.hex()[:12]} is wrong")
        return block

    def file(self, md5: bytes) -> PackedFile | None:
        row = self._find(self._files, self.files, _FILE, md5)
        file = PackedFile(*row) if row else None
        if file and not self._is_within(file):
            raise VerificationError(f"what it says of file {md5.hex()} is wrong")
        return file

    def all_blocks(self) -> Iterator[Block]:
        """Every block of which it does not say what cannot be, by its id."""
        for row in _BLOCK.iter_unpack(self._data[: self._files]):
            if self._is_sound(block := Block(*row)):
                yield block

    def all_files(self) -> Iterator[PackedFile]:
        """Every file of which it does not say what cannot be, by its MD5."""
        for row in _FILE.iter_unpack(self._data[self._files : self._segments]):
            if self._is_within(file := PackedFile(*row)):
                yield file

    def oids(self) -> set[str]:
        """The MD5s of those files."""
        return {file.oid for file in self.all_files()}

    def segments(self, file: PackedFile) -> list[Segment]:
        """The parts of a file, in order; together they are as long as it is."""
        first = self._segments + file.first * SEGMENT_ROW
        rows = self._data[first : first + file.parts * SEGMENT_ROW]
        found = [Segment(*row) for row in _SEGMENT.iter_unpack(rows)]
        if any(not part.length or part.start + part.length > BLOCK for part in found):
            raise VerificationError("a part of a file is beyond its block")
        if sum(part.length for part in found) != file.size:
            raise VerificationError("the parts of a file are not as long as it is")
        return found

    def check(self) -> None:
        """Look at every row, their order, and that no byte is left over.

        Raises:
            VerificationError: when anything is not as it should be.
        """
        blocks = list(self.all_blocks())
        files = list(self.all_files())
        if (len(blocks), len(files)) != (self.blocks, self.files):
            raise VerificationError("what it says of some block or file is wrong")
        _ascending([block.id for block in blocks])
        _ascending([file.md5 for file in files])
        at = len(MAGIC)
        for block in sorted(blocks, key=lambda block: block.offset):
            if block.offset != at:
                raise VerificationError("its blocks do not lie one after the other")
            at += block.stored
        if at != self._begin:
            raise VerificationError("there are bytes that belong to no block")
        if sum(len(self.segments(file)) for file in files) != self.parts:
            raise VerificationError("there are parts that belong to no file")

    def _is_sound(self, block: Block) -> bool:
        depths = range(1, MAX_DEPTH + 1) if block.base != NO_BASE else range(1)
        return (
            0 < block.size <= BLOCK
            and 0 < block.stored <= block.size
            and len(MAGIC) <= block.offset <= self._begin - block.stored
            and block.depth in depths
        )

    def _is_within(self, file: PackedFile) -> bool:
        return file.first + file.parts <= self.parts

    def _find(
        self, start: int, count: int, row: Struct, key: bytes
    ) -> tuple[Any, ...] | None:
        low, high, width = 0, count, len(key)
        if self._damaged:
            places = range(start, start + count * row.size, row.size)
            found_at = (at for at in places if self._data[at : at + width] == key)
            return next((row.unpack_from(self._data, at) for at in found_at), None)
        while low < high:
            middle = (low + high) // 2
            place = start + middle * row.size
            found = self._data[place : place + width]
            if found == key:
                return row.unpack_from(self._data, place)
            low, high = (middle + 1, high) if found < key else (low, middle)
        return None


def tables(
    blocks: Mapping[bytes, Block],
    files: Sequence[tuple[PackedFile, Sequence[Segment]]],
    begin: int,
) -> bytes:
    """The tables and the trailer of a pack whose blocks end at the byte `begin`."""
    segments: list[Segment] = []
    rows = []
    for file, parts in sorted(files, key=lambda pair: pair[0].md5):
        rows.append(file._replace(first=len(segments), parts=len(parts)))
        segments += parts
    data = b"".join(
        [
            *(_BLOCK.pack(*blocks[id_]) for id_ in sorted(blocks)),
            *(_FILE.pack(*row) for row in rows),
            *(_SEGMENT.pack(*part) for part in segments),
        ]
    )
    counts = (len(blocks), len(rows), len(segments))
    return data + _TRAILER.pack(*Trailer(begin, *counts, hashlib.sha256(data).digest()))


def read_trailer(end: bytes, size: int) -> Trailer:
    """The trailer in the last `TRAILER_SIZE` bytes, `end`, of a pack of `size` bytes.

    Raises:
        VerificationError: when they are none, or speak of more than the pack holds.
    """
    if len(end) != TRAILER_SIZE or not end.endswith(MAGIC):
        raise VerificationError("it does not end as a pack does")
    trailer = Trailer(*_TRAILER.unpack(end))
    if trailer.begin + trailer.length + TRAILER_SIZE != size:
        raise VerificationError("it does not have the length that it claims")
    return trailer


def read_tables(trailer: Trailer, data: bytes) -> Tables:
    """The tables that lie between the byte `trailer.begin` and the trailer.

    Raises:
        VerificationError: when they are not what the trailer says.
    """
    if len(data) != trailer.length:
        raise VerificationError("its tables are cut off")
    if hashlib.sha256(data).digest() != trailer.digest:
        raise VerificationError("its tables do not have their SHA-256")
    return Tables(trailer, data)


def _ascending(keys: Sequence[bytes]) -> None:
    if any(one >= other for one, other in pairwise(keys)):
        raise VerificationError("its tables are not in order")

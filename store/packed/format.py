"""The bytes of a pack: blocks as they are coded, then tables, then a trailer.

Tables have rows of one length, sorted by their first field, so that a reader finds a
row without reading the others. Numbers are big-endian.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from struct import Struct
from typing import Any, NamedTuple

from lineage.errors import VerificationError

MAGIC = b"lineage pack 1\n\0"
NO_BASE = bytes(32)
_BLOCK = Struct(">32s32sQIIBBBx")
_FILE = Struct(">16s32sQQI")
_SEGMENT = Struct(">32sII")
_TRAILER = Struct(">QIIQ32s16s")


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


class PackedFile(NamedTuple):
    """A file of a pack, by the MD5 that DVC knows it by (16 bytes)."""

    md5: bytes
    sha256: bytes
    size: int
    first: int
    parts: int


class Tables:
    """What a pack says of its blocks and files."""

    def __init__(self, data: bytes, blocks: int, files: int, segments: int) -> None:
        self._data = data
        self.blocks, self.files = blocks, files
        self._files = blocks * _BLOCK.size
        self._segments = self._files + files * _FILE.size
        if len(data) != self._segments + segments * _SEGMENT.size:
            raise VerificationError("its tables have another length than they claim")

    def block(self, id_: bytes) -> Block | None:
        row = self._find(0, self.blocks, _BLOCK, id_)
        return Block(*row) if row else None

    def file(self, md5: bytes) -> PackedFile | None:
        row = self._find(self._files, self.files, _FILE, md5)
        return PackedFile(*row) if row else None

    def all_blocks(self) -> Iterator[Block]:
        """Every block, by its id."""
        for place in range(0, self._files, _BLOCK.size):
            yield Block(*_BLOCK.unpack_from(self._data, place))

    def all_files(self) -> Iterator[PackedFile]:
        """Every file, by its MD5."""
        for place in range(self._files, self._segments, _FILE.size):
            yield PackedFile(*_FILE.unpack_from(self._data, place))

    def segments(self, file: PackedFile) -> list[Segment]:
        """The parts of a file, in order."""
        first = self._segments + file.first * _SEGMENT.size
        rows = self._data[first : first + file.parts * _SEGMENT.size]
        return [Segment(*row) for row in _SEGMENT.iter_unpack(rows)]

    def _find(
        self, start: int, count: int, row: Struct, key: bytes
    ) -> tuple[Any, ...] | None:
        low, high, width = 0, count, len(key)
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
    digest = hashlib.sha256(data).digest()
    return data + _TRAILER.pack(begin, *counts, digest, MAGIC)


class Trailer(NamedTuple):
    """The last bytes of a pack: where its tables begin, and what is in them."""

    begin: int
    blocks: int
    files: int
    segments: int
    digest: bytes
    magic: bytes


TRAILER_SIZE = _TRAILER.size


def read_trailer(end: bytes) -> Trailer:
    """The trailer in the last `TRAILER_SIZE` bytes of a pack.

    Raises:
        VerificationError: when they are none.
    """
    if len(end) != TRAILER_SIZE or not end.endswith(MAGIC):
        raise VerificationError("it does not end as a pack does")
    return Trailer(*_TRAILER.unpack(end))


def read_tables(trailer: Trailer, data: bytes) -> Tables:
    """The tables that lie between the byte `trailer.begin` and the trailer.

    Raises:
        VerificationError: when they are not what the trailer says.
    """
    if hashlib.sha256(data).digest() != trailer.digest:
        raise VerificationError("its tables do not have their SHA-256")
    return Tables(data, trailer.blocks, trailer.files, trailer.segments)

"""Making a pack: blocks are coded by threads and written in their order.

The same pieces give the same pack, however many threads there are: what a block may
build on is what was there when its file was begun.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

from lineage.errors import StoreError, VerificationError
from lineage.store.disk import start_writing_out, sync_path
from lineage.store.packed.blocks import AHEAD, THREADS, Row
from lineage.store.packed.format import (
    BLOCK,
    MAGIC,
    MAX_DEPTH,
    NO_BASE,
    Block,
    PackedFile,
    Segment,
    tables,
)
from lineage.store.packed.packs import Packs, read_at
from lineage.store.parallel import in_order

if TYPE_CHECKING:
    from lineage.store.packed.codec import Coded, Data

TEXT = 0  # the width of what has no elements
CHAIN = 4  # bases of weights, which take time to decode: ADR 0040 has what it costs
_WRITE_OUT = 64 << 20  # bytes after which the disk is told to begin


class Piece(NamedTuple):
    """Bytes that are to be a block, 4 MiB at most.

    They are elements of `width` bytes, perhaps like those of the block `base`; or
    `TEXT`, and then the base is a dictionary. Who has the base's bytes at hand gives
    them as `like`, so that they need not be decoded.
    """

    data: "Data"
    width: int
    base: bytes | None = None
    like: "Data | None" = None


class Added(NamedTuple):
    """What became of a file, in bytes: what it takes now, and how much of it was what.

    `shared` bytes were there already; `delta` ones are kept as a difference, `alone`
    ones by themselves.
    """

    segments: Sequence[Segment]
    stored: int
    shared: int
    delta: int
    alone: int

    @property
    def whole(self) -> int:
        return self.shared + self.delta + self.alone


class _Base(NamedTuple):
    """A block to build on."""

    id: bytes
    depth: int  # of what builds on it
    data: "Data"


class _Made(NamedTuple):
    """What became of a piece: no `coded` where the block is there already."""

    piece: Piece
    segment: Segment
    coded: "Coded | None" = None
    base: _Base | None = None


class Mark(NamedTuple):
    """How far a pack was, for `back_to`."""

    size: int
    blocks: int
    files: int
    digest: "hashlib._Hash"


class Writer:
    """A pack in the making at `path`. What `packs` have is not written again.

    Its blocks count as those of `packs` until it is closed.
    """

    def __init__(self, packs: Packs, path: Path) -> None:
        packs.refresh()
        self._packs = packs
        self.path = path
        self.size = 0
        self._file = FileIO(path, "x+")
        self._digest = hashlib.sha256()
        self._own: dict[bytes, Block] = {}
        self._files: dict[bytes, tuple[PackedFile, Sequence[Segment]]] = {}
        self._crew = ThreadPoolExecutor(THREADS, thread_name_prefix="packing")
        self._append(MAGIC)
        packs.making = self

    def __str__(self) -> str:
        return f"the new pack {self.path}"

    def find_block(self, id_: bytes) -> Block | None:
        """How a block is coded here, should it be here by now."""
        return self._own.get(id_)

    def coded(self, block: Block) -> bytes:
        """The bytes of a block that is here."""
        return read_at(self._file.fileno(), block.offset, block.stored)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._crew.shutdown(cancel_futures=True)
        self._packs.making = None
        self._file.close()

    @property
    def files(self) -> int:
        return len(self._files)

    def add(self, md5: str, sha256: str, pieces: Iterable[Piece]) -> Added:
        """Add a file, whose bytes the pieces are.

        Raises:
            VerificationError: when they do not have that SHA-256; then nothing was
                added.
        """
        before, found = self.mark(), hashlib.sha256()
        added = self.add_blocks(_hashed(pieces, found))
        if found.hexdigest() != sha256:
            self.back_to(before)
            message = f"the file {md5} does not have its SHA-256"
            hint = "run `lineage verify` to see how far the damage goes"
            raise VerificationError(message, hint=hint)
        self.add_file(md5, sha256, added.segments)
        return added

    def add_blocks(self, pieces: Iterable[Piece]) -> Added:
        """Add blocks, for files to be made of."""
        before, segments = self.size, []
        sizes = dict.fromkeys(("shared", "delta", "alone"), 0)
        for made in self._in_order(pieces):
            sizes[self._write(made)] += made.segment.length
            segments.append(made.segment)
        return Added(segments, self.size - before, **sizes)

    def add_file(self, md5: str, sha256: str, segments: Sequence[Segment]) -> None:
        """Add a file, once, that is made of blocks that are here or in other packs."""
        size = sum(segment.length for segment in segments)
        row = PackedFile(bytes.fromhex(md5), bytes.fromhex(sha256), size, 0, 0)
        self._files.setdefault(row.md5, (row, segments))

    def copy(self, row: Row) -> None:
        """Add a block as another pack has it."""
        if row.block.id not in self._own:
            data = row.source.coded(row.block)
            self._own[row.block.id] = row.block._replace(offset=self.size)
            self._append(data)

    def mark(self) -> Mark:
        """Where the pack is now, for `back_to`."""
        digest = self._digest.copy()
        return Mark(self.size, len(self._own), len(self._files), digest)

    def back_to(self, mark: Mark) -> None:
        """Forget what was added since a mark."""
        self.size, self._digest = mark.size, mark.digest.copy()
        self._file.truncate(self.size)
        self._file.seek(self.size)
        for id_ in list(self._own)[mark.blocks :]:
            del self._own[id_]
        for md5 in list(self._files)[mark.files :]:
            del self._files[md5]

    def finish(self) -> str:
        """Write the tables and put all on the disk; the pack's name, its SHA-256."""
        self._append(tables(self._own, list(self._files.values()), self.size))
        os.fchmod(self._file.fileno(), 0o444)
        sync_path(self.path)
        return self._digest.hexdigest()

    # blocks

    def _in_order(self, pieces: Iterable[Piece]) -> Iterator[_Made]:
        """What becomes of the pieces, a few of them at a time."""
        submit, settled = self._crew.submit, self.size
        return in_order((submit(self._code, p, settled) for p in pieces), AHEAD)

    def _code(self, piece: Piece, settled: int) -> _Made:
        """Code a piece; it may build on blocks of this pack before `settled`."""
        from lineage.store.packed.codec import DELTAS, ZSTD, encode, encode_text

        size = len(piece.data)
        if not 0 < size <= BLOCK:
            raise StoreError(f"a block of {size} bytes cannot be packed")
        id_ = hashlib.sha256(piece.data).digest()
        segment = Segment(id_, 0, size)
        if self._packs.where(id_):
            return _Made(piece, segment)
        base = self._base(piece, settled)
        data = base.data if base else None
        if piece.width == TEXT:
            coded = encode_text(piece.data, bytes(data) if data else None)
            builds = coded.method == ZSTD
        else:
            coded = encode(piece.data, piece.width, data)
            builds = coded.method in DELTAS
        return _Made(piece, segment, coded, base if builds else None)

    def _base(self, piece: Piece, settled: int) -> _Base | None:
        """The block to build on: what is wanted or, with a full chain, its root."""
        row = self._row(piece.base, settled) if piece.base else None
        like = piece.like
        if row and row.block.depth >= (MAX_DEPTH if piece.width == TEXT else CHAIN):
            row, like = self._root(row, settled), None
        if row is None or (piece.width != TEXT and row.block.size != len(piece.data)):
            return None
        data = self._packs.block(row.block.id) if like is None else like
        return _Base(row.block.id, row.block.depth + 1, data)

    def _root(self, row: Row, settled: int) -> Row | None:
        """The block that a chain begins with."""
        found: Row | None = row
        while found and found.block.base != NO_BASE:
            found = self._row(found.block.base, settled, found.block.depth)
        return found

    def _row(self, id_: bytes, settled: int, below: int = MAX_DEPTH + 1) -> Row | None:
        """Where a block is that had been written when this file was begun."""
        for row in self._packs.blocks.rows(id_, below):
            if row.source is not self or row.block.offset < settled:
                return row
        return None

    def _write(self, made: _Made) -> str:
        """Write a block unless it is there; how it is kept."""
        piece, segment, coded, base = made
        if coded is None or segment.block in self._own:
            return "shared"
        block = self._own[segment.block] = Block(
            id=segment.block,
            base=base.id if base else NO_BASE,
            offset=self.size,
            stored=len(coded.data),
            size=segment.length,
            method=coded.method,
            width=coded.width,
            depth=base.depth if base else 0,
        )
        self._append(coded.data)
        self._packs.blocks.keep(block, bytes(piece.data))  # for the next file
        return "delta" if base else "alone"

    def _append(self, data: bytes) -> None:
        """Write all of `data`, or fail."""
        left = memoryview(data)
        while left:
            left = left[self._file.write(left) :]
        self._digest.update(data)
        before, self.size = self.size, self.size + len(data)
        if before // _WRITE_OUT != self.size // _WRITE_OUT:
            start_writing_out(self._file.fileno(), 0, self.size)


def _hashed(pieces: Iterable[Piece], found: "hashlib._Hash") -> Iterator[Piece]:
    for piece in pieces:
        found.update(piece.data)
        yield piece

"""Making a pack: blocks are coded by threads and written in their order."""

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

from lineage.store.disk import sync_path
from lineage.store.packed.format import (
    NO_BASE,
    Block,
    PackedFile,
    Segment,
    tables,
)
from lineage.store.packed.packs import MAX_DEPTH, Packs, read_at

if TYPE_CHECKING:
    from lineage.store.packed.codec import Coded

_THREADS = min(8, os.cpu_count() or 1)


TEXT = 0  # as the width of bytes that are no elements


class Piece(NamedTuple):
    """Bytes that are to be a block: elements of `width` bytes, perhaps like `base`.

    The base of elements has the size of the piece, that of text may have any.
    """

    data: bytes
    width: int
    base: bytes | None = None


class Added(NamedTuple):
    """What became of a file, in bytes: what it takes now, and how much of it was what.

    `shared` bytes were there already; `delta` ones are kept as a difference, `plain`
    ones by themselves.
    """

    segments: Sequence[Segment]
    stored: int
    shared: int
    delta: int
    plain: int

    @property
    def whole(self) -> int:
        return self.shared + self.delta + self.plain


class _Made(NamedTuple):
    id: bytes
    size: int
    coded: "Coded | None"  # None: it is there already
    base: bytes
    depth: int


class Writer:
    """A pack in the making at `path`. What `packs` have is not written again."""

    def __init__(self, packs: Packs, path: Path) -> None:
        self._packs = packs
        self.path = path
        self._file = FileIO(path, "x+")
        self._blocks: dict[bytes, Block] = {}
        self._files: list[tuple[PackedFile, Sequence[Segment]]] = []
        self._crew = ThreadPoolExecutor(_THREADS)
        self.size = 0
        packs.refresh()
        packs.making = self

    def find_block(self, id_: bytes) -> Block | None:
        """How a block is coded here, should it be here by now."""
        return self._blocks.get(id_)

    def coded(self, block: Block) -> bytes:
        """The bytes of a block that is here."""
        return read_at(self._file.fileno(), block.offset, block.stored)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._crew.shutdown(cancel_futures=True)
        self._packs.making = None
        self._file.close()

    def add(self, md5: str, sha256: str, pieces: Iterable[Piece]) -> Added:
        """Add a file, whose bytes the pieces are."""
        added = self.add_blocks(pieces)
        self.add_file(md5, sha256, added.segments)
        return added

    def add_blocks(self, pieces: Iterable[Piece]) -> Added:
        """Add the pieces alone; each is one of the segments."""
        before, segments = self.size, []
        sizes = dict.fromkeys(("shared", "delta", "plain"), 0)
        for made in self._in_order(pieces):
            sizes[self._write(made)] += made.size
            segments.append(Segment(made.id, 0, made.size))
        return Added(segments, self.size - before, **sizes)

    def add_file(self, md5: str, sha256: str, segments: Sequence[Segment]) -> None:
        """Add a file that is made of blocks that are here or in other packs."""
        size = sum(segment.length for segment in segments)
        row = PackedFile(bytes.fromhex(md5), bytes.fromhex(sha256), size, 0, 0)
        self._files.append((row, segments))

    def mark(self) -> tuple[int, int, int]:
        """Where the pack is now, for `back_to`."""
        return self.size, len(self._blocks), len(self._files)

    def back_to(self, mark: tuple[int, int, int]) -> None:
        """Forget what was added since a mark."""
        self.size, blocks, files = mark
        self._file.truncate(self.size)
        self._file.seek(self.size)
        for id_ in list(self._blocks)[blocks:]:
            del self._blocks[id_]
        del self._files[files:]

    def finish(self) -> str:
        """Write the tables and put all on the disk; the pack's name."""
        self._file.write(tables(self._blocks, self._files, self.size))
        os.fchmod(self._file.fileno(), 0o444)
        sync_path(self.path)
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    @property
    def files(self) -> int:
        return len(self._files)

    def _in_order(self, pieces: Iterable[Piece]) -> Iterator[_Made]:
        """What becomes of the pieces, a few of them at a time."""
        pending: list[Future[_Made]] = []
        for piece in pieces:
            pending.append(self._crew.submit(self._code, piece))
            if len(pending) > 2 * _THREADS:
                yield pending.pop(0).result()
        for future in pending:
            yield future.result()

    def _code(self, piece: Piece) -> _Made:
        from lineage.store.packed.codec import DELTAS, ZSTD, encode, encode_text

        id_ = hashlib.sha256(piece.data).digest()
        if self._packs.where(id_):
            return _Made(id_, len(piece.data), None, NO_BASE, 0)
        base = self._base(piece)
        data = self._packs.block(base.id) if base else None
        if piece.width == TEXT:
            coded = encode_text(piece.data, bytes(data) if data else None)
        else:
            coded = encode(piece.data, piece.width, data)
        builds = coded.method in ({ZSTD} if piece.width == TEXT else DELTAS)
        if base is None or not builds:
            return _Made(id_, len(piece.data), coded, NO_BASE, 0)
        return _Made(id_, len(piece.data), coded, base.id, base.depth + 1)

    def _base(self, piece: Piece) -> Block | None:
        """The block to build on or, where its chain is full, the one at its end."""
        found = self._packs.where(piece.base) if piece.base else None
        if found and found[1].depth >= MAX_DEPTH:
            while found and found[1].base != NO_BASE:
                found = self._packs.where(found[1].base)
        fits = found and (piece.width == TEXT or found[1].size == len(piece.data))
        return found[1] if found and fits else None

    def _write(self, made: _Made) -> str:
        """Write a block unless it is there; how it is kept."""
        if made.coded is None or made.id in self._blocks:
            return "shared"
        method, width, data = made.coded
        self._file.write(data)  # all of it, as to a plain file
        self._blocks[made.id] = Block(
            made.id,
            made.base,
            self.size,
            len(data),
            made.size,
            method,
            width,
            made.depth,
        )
        self.size += len(data)
        return "plain" if made.base == NO_BASE else "delta"

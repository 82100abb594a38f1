"""The packs of one registry in a cache: finding blocks and files, and decoding them."""

import hashlib
import os
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, BinaryIO, Protocol, cast

from lineage.errors import VerificationError
from lineage.store.packed.format import (
    NO_BASE,
    TRAILER_SIZE,
    Block,
    PackedFile,
    Segment,
    Tables,
    read_tables,
    read_trailer,
)

if TYPE_CHECKING:
    from lineage.store.packed.codec import Data

FOLDER = "packs"
SUFFIX = ".pack"
MAX_DEPTH = 8
_HELD = 32  # decoded blocks that are kept for those that build on them


class Pack:
    """One pack, open for reading."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.stem
        with path.open("rb") as file:
            self._descriptor = os.dup(file.fileno())
        try:
            self.tables = self._read_tables()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        os.close(self._descriptor)

    @property
    def size(self) -> int:
        return os.fstat(self._descriptor).st_size

    def find_block(self, id_: bytes) -> Block | None:
        return self.tables.block(id_)

    def coded(self, block: Block) -> bytes:
        return read_at(self._descriptor, block.offset, block.stored)

    def _read_tables(self) -> Tables:
        end = self.size - TRAILER_SIZE
        try:
            trailer = read_trailer(read_at(self._descriptor, max(0, end), TRAILER_SIZE))
            data = read_at(self._descriptor, trailer.begin, end - trailer.begin)
            return read_tables(trailer, data)
        except VerificationError as error:
            message = f"the pack {self.path} is damaged: {error}"
            raise VerificationError(message, hint="run `lineage verify`") from None


def read_at(descriptor: int, offset: int, length: int) -> bytes:
    """Bytes of a file, fewer where it ends."""
    parts = []
    while length > 0 and (data := os.pread(descriptor, length, offset)):
        parts.append(data)
        offset, length = offset + len(data), length - len(data)
    return parts[0] if len(parts) == 1 else b"".join(parts)


class Source(Protocol):
    """What has blocks: a pack, or one in the making."""

    def find_block(self, id_: bytes) -> Block | None:
        """How a block is coded here; None if it is not."""

    def coded(self, block: Block) -> bytes:
        """The bytes of a block as they are coded."""


class Packs:
    """All packs of the registry `registry` in `cache`. Several threads may read."""

    def __init__(self, cache: Path, registry: str) -> None:
        self.folder = cache / "lineage" / FOLDER / registry
        self._open: dict[str, Pack] = {}
        self.making: Source | None = None  # a pack whose blocks count already
        self._seen = -1
        self._lock = Lock()
        self._decoded: OrderedDict[bytes, Data] = OrderedDict()

    def __iter__(self) -> Iterator[Pack]:
        self.refresh()
        return iter(list(self._open.values()))

    def refresh(self) -> bool:
        """Look which packs there are; whether that has changed."""
        with self._lock:
            try:
                changed = self.folder.stat().st_mtime_ns
            except FileNotFoundError:
                changed = -1
            if changed == self._seen:
                return False
            found = self.folder.glob(f"*{SUFFIX}") if changed >= 0 else ()
            here = {path.stem: path for path in found}
            for gone in self._open.keys() - here.keys():
                self._open.pop(gone)
            for name in sorted(here.keys() - self._open.keys()):
                self._open[name] = Pack(here[name])
            self._seen = changed
            return True

    def find(self, oid: str) -> tuple[Pack, PackedFile] | None:
        """The pack that has the file of this MD5, and what it says of it."""
        if "." in oid or not oid:
            return None
        md5 = bytes.fromhex(oid)
        self.refresh()
        for pack in list(self._open.values()):
            if found := pack.tables.file(md5):
                return pack, found
        return None

    def segments(self, oid: str) -> list[Segment] | None:
        """The parts of a file, None where no pack has it."""
        found = self.find(oid)
        return found and found[0].tables.segments(found[1])

    def where(self, id_: bytes) -> tuple[Source, Block] | None:
        """What has a block, and how it is coded there."""
        making: list[Source] = [self.making] if self.making else []
        for source in [*making, *self._open.values()]:
            if found := source.find_block(id_):
                return source, found
        return None

    def block(self, id_: bytes, *, check: bool = True) -> "Data":
        """The bytes of a block, compared with its SHA-256 unless not `check`.

        Raises:
            VerificationError: when they are missing or not what they should be.
        """
        data = self._block(id_, 0)
        if check and hashlib.sha256(data).digest() != id_:
            raise VerificationError(f"block {id_.hex()[:12]} does not have its SHA-256")
        return data

    def _block(self, id_: bytes, depth: int) -> "Data":
        with self._lock:
            if id_ in self._decoded:
                self._decoded.move_to_end(id_)
                return self._decoded[id_]
        found = self.where(id_)
        if found is None or depth > MAX_DEPTH:
            raise VerificationError(f"block {id_.hex()[:12]} is in no pack")
        source, block = found
        base = None if block.base == NO_BASE else self._block(block.base, depth + 1)
        data = self._decode(source.coded(block), block, base)
        if depth:  # others may build on it too
            self._hold(id_, data)
        return data

    @staticmethod
    def _decode(coded: bytes, block: Block, base: "Data | None") -> "Data":
        from lineage.store.packed.codec import decode

        return decode(coded, block.method, block.width, block.size, base)

    def _hold(self, id_: bytes, data: "Data") -> None:
        with self._lock:
            self._decoded[id_] = data
            while len(self._decoded) > _HELD:
                self._decoded.popitem(last=False)

    def open(self, oid: str) -> BinaryIO | None:
        """A packed file for reading, which may be sought in; None where none has it."""
        from lineage.store.packed.stream import Stream

        found = self.find(oid)
        if found is None:
            return None
        segments = found[0].tables.segments(found[1])
        return cast("BinaryIO", Stream(self, segments, found[1].size))

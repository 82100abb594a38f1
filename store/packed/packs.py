"""The packs of one registry in a cache: which there are, and the files they have."""

import os
import resource
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from errno import EMFILE, ENFILE
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast
from weakref import WeakSet, finalize, ref

from lineage.errors import StoreError, VerificationError
from lineage.store.disk import disk_errors, make_folder, sync_files, sync_path
from lineage.store.packed.format import (
    MAGIC,
    SUFFIX,
    TRAILER_SIZE,
    Block,
    PackedFile,
    Segment,
    Tables,
    read_tables,
    read_trailer,
)
from lineage.store.places import Places
from lineage.store.threads import Mutex

if TYPE_CHECKING:
    from lineage.store.packed.blocks import Blocks, Row, Source
    from lineage.store.packed.codec import Data

_OTHERS = 256  # files that are open beside packs
_SETTLED = 2_000_000_000  # nanoseconds after which a folder's time tells of a change


class Pack:
    """One pack, open for reading as long as somebody has it.

    `damage` says what is wrong with its tables; what they still tell can be read.

    Raises:
        VerificationError: when it does not end as a pack does.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.stem
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        finalize(self, os.close, self._descriptor)
        self.size = os.fstat(self._descriptor).st_size
        self.damage = ""
        self.tables = self._read_tables()

    def __str__(self) -> str:
        return f"the pack {self.name[:12]}"

    def find_block(self, id_: bytes) -> Block | None:
        with suppress(VerificationError):
            return self.tables.block(id_)
        return None

    def find_file(self, md5: bytes) -> PackedFile | None:
        with suppress(VerificationError):
            return self.tables.file(md5)
        return None

    def place(self, file: PackedFile) -> int:
        """Where a file begins here: what was packed together lies together."""
        segments = self.tables.segments(file)
        block = self.find_block(segments[0].block) if segments else None
        return block.offset if block else 0

    def coded(self, block: Block) -> bytes:
        return read_at(self._descriptor, block.offset, block.stored)

    def check(self) -> None:
        """Look at everything but the blocks.

        Raises:
            VerificationError: when it is not as it should be.
        """
        if self.damage:
            raise VerificationError(self.damage)
        if read_at(self._descriptor, 0, len(MAGIC)) != MAGIC:
            raise VerificationError("it does not begin as a pack does")
        self.tables.check()

    def _read_tables(self) -> Tables:
        end = max(0, self.size - TRAILER_SIZE)
        data = read_at(self._descriptor, end, TRAILER_SIZE)
        trailer = read_trailer(data, self.size)
        data = read_at(self._descriptor, trailer.begin, trailer.length)
        try:
            return read_tables(trailer, data)
        except VerificationError as error:
            self.damage = str(error)
            return Tables(trailer, data, damaged=True)


def read_at(descriptor: int, offset: int, length: int) -> bytes:
    """Bytes of a file, fewer where it ends."""
    parts = []
    while length > 0 and (data := os.pread(descriptor, length, offset)):
        parts.append(data)
        offset, length = offset + len(data), length - len(data)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _allow_open(count: int) -> None:
    """Have the system let us open so many packs, and what else there is to open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = count + _OTHERS
    if soft != resource.RLIM_INFINITY and soft < wanted:
        wanted = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


def _refuse_too_many(error: Exception, count: int) -> None:
    """A pack that cannot be opened for want of descriptors is not damaged."""
    if isinstance(error, OSError) and error.errno in (EMFILE, ENFILE):
        message = f"there are {count:,} packs, more than may be open at once"
        raise StoreError(message, hint=f"`ulimit -n {count + _OTHERS}`") from None


class Packs:
    """All packs of the registry `registry` in `cache`. Several threads may read.

    `damaged` says, by name, what is wrong with those that cannot be read, or not all
    of which may be found.
    """

    def __init__(self, cache: Path, registry: str) -> None:
        self.folder = Places(cache, registry).packs
        self.making: Source | None = None  # a pack whose blocks count already
        self.damaged: dict[str, str] = {}
        self._here: dict[str, Pack] = {}
        self._gone: WeakSet[Pack] = WeakSet()  # removed, but somebody still reads them
        self._seen: int | None = -1
        self._lock = Mutex()

    def __iter__(self) -> Iterator[Pack]:
        self.refresh()
        return iter(list(self._here.values()))

    def refresh(self) -> bool:
        """Look which packs there are, should that have changed; whether it may have."""
        try:
            changed = os.stat(self.folder).st_mtime_ns  # noqa: PTH116 - often asked
        except FileNotFoundError:
            changed = -1
        if changed == self._seen:
            return False
        with self._lock:
            self._look()
            settled = time.time_ns() - changed > _SETTLED
            self._seen = changed if settled or changed < 0 else None
        return True

    def _look(self) -> None:
        names = {path.stem for path in self.folder.glob(f"*{SUFFIX}")}
        here = {name: self._here[name] for name in self._here.keys() & names}
        damaged = {}
        _allow_open(len(names))
        for name in sorted(names - here.keys()):
            try:
                here[name] = Pack(self.path(name))
            except FileNotFoundError:
                continue
            except (VerificationError, OSError) as error:
                _refuse_too_many(error, len(names))
                damaged[name] = str(error)
        damaged |= {name: pack.damage for name, pack in here.items() if pack.damage}
        self._gone.update(self._here[name] for name in self._here.keys() - names)
        self._here, self.damaged = here, damaged

    def path(self, name: str) -> Path:
        return self.folder / f"{name}{SUFFIX}"

    def sources(self) -> "Iterator[Source]":
        """What blocks are read from."""
        if making := self.making:
            yield making
        yield from list(self._here.values())
        yield from list(self._gone)

    # files

    def find(self, oid: str) -> tuple[Pack, PackedFile] | None:
        """The pack that has the file of this MD5, and what it says of it."""
        self.refresh()
        if not self._here or "." in oid or not oid:
            return None
        md5 = bytes.fromhex(oid)
        for pack in list(self._here.values()):
            if found := pack.find_file(md5):
                return pack, found
        return None

    def has(self, oid: str) -> bool:
        return self.find(oid) is not None

    def as_they_lie(self, oids: Iterable[str]) -> list[PackedFile]:
        """Those that are packed, each once, in the order in which they were packed."""
        places = {}
        for oid in set(oids):
            if found := self.find(oid):
                places[found[1]] = found[0].name, found[0].place(found[1])
        return sorted(places, key=places.__getitem__)

    def segments(self, oid: str) -> list[Segment] | None:
        """The parts of a file, None where no pack has it."""
        found = self.find(oid)
        return found and found[0].tables.segments(found[1])

    def open(self, oid: str, *, anew: bool = False) -> BinaryIO | None:
        """A packed file for reading, which may be sought in; None where none has it.

        It goes on when the packs are removed meanwhile. What was decoded before is
        decoded again if it is read `anew`.
        """
        from lineage.store.packed.blocks import Blocks
        from lineage.store.packed.stream import Stream

        self.refresh()
        held = list(self._here.values())  # before another thread sees that one is gone
        found = self.find(oid)
        if found is None:
            return None
        segments = found[0].tables.segments(found[1])
        blocks = Blocks(self.sources) if anew else self.blocks
        return cast("BinaryIO", Stream(blocks, segments, (self, found[0], *held)))

    # blocks

    @cached_property
    def blocks(self) -> "Blocks":
        from lineage.store.packed.blocks import Blocks

        us = ref(self)  # so that what was decoded goes when the last of us goes
        return Blocks(lambda: found.sources() if (found := us()) else ())

    def where(self, id_: bytes) -> "Row | None":
        """What has a block, and how it is coded there."""
        return self.blocks.row(id_)

    def block(self, id_: bytes) -> "Data":
        """The bytes of a block, compared with its SHA-256.

        Raises:
            VerificationError: when they are missing or not what they should be.
        """
        return self.blocks.get(id_)

    # packs that come and go

    def publish(self, path: Path, name: str) -> Pack:
        """Give a pack that was read back its place, durably; it may be there already.

        Raises:
            StoreError: when the disk does not take it.
        """
        with disk_errors("publishing a pack"):
            made = make_folder(str(self.folder))
            sync_path(path)
            path.replace(self.path(name))
            sync_files([self.folder, *map(Path, made)])
        self._seen = None
        self.refresh()
        return self._here[name]

    def remove(self, pack: Pack, aside: Path | None = None) -> None:
        """Take a pack away, into the folder `aside` if there is one.

        Who reads from it reads on.
        """
        with suppress(FileNotFoundError):
            if aside:
                make_folder(str(aside))
                pack.path.replace(aside / pack.path.name)
                sync_path(aside)
            else:
                pack.path.unlink()
        sync_path(self.folder)
        self._seen = None
        self.refresh()

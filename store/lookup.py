"""The lookup file: records of commits, found by a prefix of their ids.

``<home>/ids`` holds fixed records sorted by id, searched by bisection;
``<home>/ids.tail`` the newest records, unsorted, merged now and then. Both are
derived from the event log: delete them and the next command makes them again.
A record is id (32 bytes), git oid (20), git oid of the first event (20), generation
(4), number (4, the order in which commits came) and the CRC-32 of these (4),
big-endian; one that is damaged is noticed by whoever comes across it.
"""

import mmap
import os
import struct
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Self
from zlib import crc32

from lineage.errors import VerificationError
from lineage.store.disk import locked, write_atomically
from lineage.store.objects import is_id

_RECORD = struct.Struct(">32s20s20sII")
_HEADER = struct.Struct(">20sI")  # of the tail: newest event known, next number
_SUM = struct.Struct(">I")
_SIZE = _RECORD.size + _SUM.size
_START = _HEADER.size + _SUM.size
_MERGE = 1024  # records
_KEPT = 1 << 14  # records at hand


class Damaged(VerificationError):
    """A record, or the tail's header, is not what was written."""


def _summed(data: bytes) -> bytes:
    return data + _SUM.pack(crc32(data))


def _checked(data: bytes) -> bytes:
    """What `_summed` was given."""
    if _SUM.pack(crc32(data[:-4])) != data[-4:]:
        raise Damaged("the lookup file is damaged", hint="delete .git/lineage/ids*")
    return data[:-4]


class Record(NamedTuple):
    """What the lookup file knows of one commit."""

    id: str
    git: str
    event: str
    generation: int
    number: int

    def pack(self) -> bytes:
        head = (bytes.fromhex(part) for part in (self.id, self.git, self.event))
        return _summed(_RECORD.pack(*head, self.generation, self.number))

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        id_, git, event, generation, number = _RECORD.unpack(_checked(data))
        return cls(id_.hex(), git.hex(), event.hex(), generation, number)


class Lookup:
    """What both files hold, and what is to be written to them.

    `tip` is the newest event that is known, `next` the number of the next commit.
    """

    def __init__(self, home: Path) -> None:
        self._base_path, self._tail_path = home / "ids", home / "ids.tail"
        self._lock = home / "ids.lock"
        self._base: mmap.mmap | bytes = b""
        self._tail: dict[str, Record] = {}
        self._met: dict[str, Record] = {}  # of the base, those that were found before
        self.tip: str | None = None
        self.next = 0

    def find(self, prefix: str) -> list[Record]:
        """All records whose id starts with `prefix`."""
        if is_id(prefix):
            known = self.known(prefix)
            return [known] if known else []
        found = {record.id: record for record in self._bisect(prefix)}
        newer = {i: r for i, r in self._tail.items() if i.startswith(prefix)}
        return sorted({**found, **newer}.values())

    def known(self, id_: str) -> Record | None:
        """The record of a full id."""
        found = self._tail.get(id_) or self._met.get(id_)
        if found is None and (found := next(self._bisect(id_), None)):
            if len(self._met) == _KEPT:
                self._met.clear()
            self._met[id_] = found
        return found

    def all(self) -> list[Record]:
        """All records, in no particular order."""
        written = map(self._at, range(len(self._base) // _SIZE))
        older = [record for record in written if record.id not in self._tail]
        return [*older, *self._tail.values()]

    def _bisect(self, prefix: str) -> Iterator[Record]:
        count = len(self._base) // _SIZE
        first = bytes.fromhex(prefix.ljust(64, "0"))
        start = bisect_left(range(count), first, key=self._id_at)
        for i in range(start, count):
            record = self._at(i)
            if not record.id.startswith(prefix):
                return
            yield record

    def _at(self, i: int) -> Record:
        return Record.unpack(self._base[i * _SIZE : (i + 1) * _SIZE])

    def _id_at(self, i: int) -> bytes:
        return _checked(self._base[i * _SIZE : (i + 1) * _SIZE])[:32]

    # reading and writing the files

    def noted(self) -> str | None:
        """The newest event that is written down, if that can be read."""
        with suppress(OSError, Damaged, struct.error):
            tip, _ = _HEADER.unpack(_checked(self._tail_path.read_bytes()[:_START]))
            return tip.hex()  # type: ignore[no-any-return]
        return None

    def load(self) -> bool:
        """Read both files; False when they are not there or not whole.

        Raises:
            Damaged: when the tail is not what was written.
        """
        self.forget()
        try:
            tail = self._tail_path.read_bytes()
            with self._base_path.open("rb") as file:
                length = os.fstat(file.fileno()).st_size
                if length:
                    self._base = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except OSError:
            return False
        if len(tail) < _START or (len(tail) - _START) % _SIZE or length % _SIZE:
            self.forget()
            return False
        tip, self.next = _HEADER.unpack(_checked(tail[:_START]))
        chunks = (tail[i : i + _SIZE] for i in range(_START, len(tail), _SIZE))
        self._tail = {record.id: record for record in map(Record.unpack, chunks)}
        self.tip = tip.hex()
        if length // _SIZE + len(self._tail) < self.next:  # a half that is not whole
            self.forget()
            return False
        return True

    def forget(self) -> None:
        """Know nothing; what is written down stays."""
        self._base, self._tail, self.tip, self.next = b"", {}, None, 0
        self._met = {}

    def remove(self) -> None:
        """Remove both files, where that may be."""
        for path in (self._tail_path, self._base_path):
            with suppress(OSError):
                path.unlink()

    def add(self, records: Iterable[Record]) -> None:
        """Take in records; nothing of it is written yet."""
        self._tail.update((record.id, record) for record in records)

    def save(self) -> None:
        """Write down what is known, unless somebody else is at it or it may not be."""
        with suppress(OSError), locked(self._lock, wait=False):
            self._save()

    def _save(self) -> None:
        if self.tip is None:
            return
        if len(self._tail) > _MERGE or not self._base_path.exists():
            write_atomically(self._base_path, b"".join(self._merged()))
            self._tail = {}
        tail = b"".join(record.pack() for record in self._tail.values())
        header = _HEADER.pack(bytes.fromhex(self.tip), self.next)
        write_atomically(self._tail_path, _summed(header) + tail)
        if not self._tail:
            self.load()

    def _merged(self) -> Iterator[bytes]:
        """The records of both files in order; runs of the older one go as they are."""
        count, done = len(self._base) // _SIZE, 0
        for record in sorted(self._tail.values()):
            id_ = bytes.fromhex(record.id)
            at = bisect_left(range(count), id_, lo=done, key=self._id_at)
            yield self._base[done * _SIZE : at * _SIZE]
            yield record.pack()
            done = at + (at < count and self._id_at(at) == id_)
        yield self._base[done * _SIZE :]

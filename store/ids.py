"""The lookup file: from a prefix of an id to its git commit, in milliseconds.

``<home>/ids`` holds fixed records sorted by id, searched by bisection;
``<home>/ids.tail`` the newest records, unsorted, merged now and then. Both are
derived from the event log: delete them and the next command makes them again.
A record is id (32 bytes), git oid (20), git oid of the first event (20),
generation (4) and number (4, the order in which commits came), big-endian.
"""

import mmap
import os
import struct
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, Self

from lineage.errors import NotFound, VerificationError
from lineage.store.disk import locked, write_atomically
from lineage.store.events import EventLog
from lineage.store.generations import generation
from lineage.store.git import GitRepository
from lineage.store.objects import Commit, Edge, is_id

_RECORD = struct.Struct(">32s20s20sII")
_HEADER = struct.Struct(">20sI")  # of the tail: newest event known, next number
_MERGE = 1024  # records


class Record(NamedTuple):
    """What the lookup file knows of one commit."""

    id: str
    git: str
    event: str
    generation: int
    number: int

    def pack(self) -> bytes:
        head = (bytes.fromhex(part) for part in (self.id, self.git, self.event))
        return _RECORD.pack(*head, self.generation, self.number)

    @classmethod
    def unpack(cls, data: bytes) -> Self:
        id_, git, event, generation, number = _RECORD.unpack(data)
        return cls(id_.hex(), git.hex(), event.hex(), generation, number)


class Ids:
    """All commits of a registry by id, as of the log's newest event."""

    def __init__(self, git: GitRepository, log: EventLog, home: Path) -> None:
        self._git = git
        self._log = log
        self._base_path, self._tail_path = home / "ids", home / "ids.tail"
        self._lock = home / "ids.lock"
        self._base: mmap.mmap | bytes = b""
        self._tail: dict[str, Record] = {}
        self._tip: str | None = None
        self._next = 0
        self._loaded = False

    def refresh(self) -> None:
        """Take in the events that came since; writes them down where it may."""
        tip = self._log.tip()
        if self._loaded and tip == self._tip:
            return
        if not self._load() or tip != self._tip:
            self._catch_up(tip)

    def get(self, id_: str) -> Record:
        """The record of a full id.

        Raises:
            NotFound: when the registry has no such commit.
        """
        found = self.find(id_) if is_id(id_) else []
        if not found:
            raise NotFound(f"there is no commit {id_}")
        return found[0]

    def find(self, prefix: str) -> list[Record]:
        """All records whose id starts with `prefix` (lower-case hexadecimal)."""
        self.refresh()
        if is_id(prefix):
            known = self._known(prefix)
            return [known] if known else []
        found = {record.id: record for record in self._bisect(prefix)}
        newer = {i: r for i, r in self._tail.items() if i.startswith(prefix)}
        return sorted({**found, **newer}.values())

    def __iter__(self) -> Iterator[Record]:
        """All records, in no particular order."""
        self.refresh()
        size = _RECORD.size
        for i in range(len(self._base) // size):
            record = Record.unpack(self._base[i * size : (i + 1) * size])
            if record.id not in self._tail:
                yield record
        yield from self._tail.values()

    def __len__(self) -> int:
        self.refresh()
        return self._next

    def _bisect(self, prefix: str) -> Iterator[Record]:
        size, base = _RECORD.size, self._base
        low = bytes.fromhex(prefix.ljust(64, "0"))
        keys = range(len(base) // size)
        start = bisect_left(keys, low, key=lambda i: base[i * size : i * size + 32])
        for i in range(start, len(base) // size):
            record = Record.unpack(base[i * size : (i + 1) * size])
            if not record.id.startswith(prefix):
                return
            yield record

    # keeping up with the log

    def _load(self) -> bool:
        """Read both files; False when they are not there or not whole."""
        self._loaded = True
        self._forget()
        try:
            tail = self._tail_path.read_bytes()
            with self._base_path.open("rb") as file:
                length = os.fstat(file.fileno()).st_size
                if length:
                    self._base = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except OSError:
            return False
        size = _RECORD.size
        start = _HEADER.size
        if len(tail) < start or (len(tail) - start) % size or length % size:
            self._forget()
            return False
        chunks = (tail[i : i + size] for i in range(start, len(tail), size))
        self._tail = {record.id: record for record in map(Record.unpack, chunks)}
        tip, self._next = _HEADER.unpack(tail[:start])
        self._tip = tip.hex()
        if length // size + len(self._tail) < self._next:  # a half that is not whole
            self._forget()
            return False
        return True

    def _forget(self) -> None:
        self._base, self._tail, self._tip, self._next = b"", {}, None, 0

    def _catch_up(self, tip: str | None) -> None:
        new = self._read_log() if tip else []
        self._tail.update((record.id, record) for record in new)
        self._tip = tip
        with suppress(OSError), locked(self._lock, wait=False):
            self._save()

    def _read_log(self) -> list[Record]:
        """Records of the commits that came with events newer than what is known."""
        if self._tip and not self._log.follows(self._tip):
            self._forget()
        events = list(self._log.iterate(since=self._tip))
        fresh: dict[str, Record] = {}
        for logged in reversed(events):
            for id_, oid in logged.event.commits:
                known = self._known(id_)
                if known:  # by a newer half of the two files
                    self._next = max(self._next, known.number + 1)
                elif id_ not in fresh:
                    turns = self._generation(oid, fresh)
                    fresh[id_] = Record(id_, oid, logged.git, turns, self._next)
                    self._next += 1
        return list(fresh.values())

    def _known(self, id_: str) -> Record | None:
        return self._tail.get(id_) or next(self._bisect(id_), None)

    def _generation(self, oid: str, fresh: dict[str, Record]) -> int:
        def of(id_: str) -> int:
            parent = fresh.get(id_) or self._known(id_)
            return parent.generation if parent else 0

        data = self._git.blob(f"{oid}:lineage.json")
        edges: tuple[Edge, ...] = ()
        with suppress(VerificationError):  # one bad manifest must not hide the others
            edges = Commit.parse(data).edges if data else ()
        return generation(edges, of)

    def _save(self) -> None:
        if self._tip is None:
            return
        if len(self._tail) > _MERGE or not self._base_path.exists():
            records = sorted(self)
            data = b"".join(record.pack() for record in records)
            write_atomically(self._base_path, data, sync=True)  # has no checksum
            self._tail = {}
        tail = b"".join(record.pack() for record in self._tail.values())
        header = _HEADER.pack(bytes.fromhex(self._tip), self._next)
        write_atomically(self._tail_path, header + tail)
        if not self._tail:
            self._load()

"""The lookup file: from a prefix of an id to its git commit, in milliseconds.

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
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, Self
from zlib import crc32

from lineage.errors import NotFound, VerificationError
from lineage.store.disk import locked, write_atomically
from lineage.store.events import EventLog
from lineage.store.generations import generation
from lineage.store.git import GitRepository
from lineage.store.git_objects import GitObject
from lineage.store.objects import Commit, Edge, is_id

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


def _same(record: Record, other: Record | None) -> bool:
    """Whether two records agree; numbers and first events may differ after a merge."""
    return other is not None and record[1:2] + record[3:4] == other[1:2] + other[3:4]


class Ids:
    """All commits of a registry by id, as of the log's newest event.

    Of a log that ends in the past, those that it knows; the files hold all the same.
    """

    def __init__(self, git: GitRepository, log: EventLog, home: Path) -> None:
        self._git = git
        self._log, self._end = log.whole, log.at
        self._base_path, self._tail_path = home / "ids", home / "ids.tail"
        self._lock = home / "ids.lock"
        self._base: mmap.mmap | bytes = b""
        self._tail: dict[str, Record] = {}
        self._met: dict[str, Record] = {}  # of the base, those that were found before
        self._tip: str | None = None
        self._next = 0
        self._loaded = self._rebuilt = False
        self.written: Mapping[str, tuple[Edge, ...]] = {}  # by whoever holds the lock

    def refresh(self) -> None:
        """Take in the events that came since; writes them down where it may."""
        with self._git.mutex:
            tip = self._log.tip()
            if self._loaded and tip == self._tip:
                return
            try:
                if not self._load() or tip != self._tip:
                    self._catch_up(tip)
            except Damaged:
                self.rebuild()

    def rebuild(self) -> None:
        """Forget what was written down and read the whole log; once, then no more."""
        with self._git.mutex:
            if self._rebuilt:
                return
            self._loaded = self._rebuilt = True
            self._forget()
            self._catch_up(self._log.tip(), anew=True)

    def noted(self) -> str | None:
        """The newest event that is written down, if that can be read."""
        with suppress(OSError, Damaged, struct.error):
            tip, _ = _HEADER.unpack(_checked(self._tail_path.read_bytes()[:_START]))
            return tip.hex()  # type: ignore[no-any-return]
        return None

    def check(self) -> bool:
        """Whether every record is what the log says; they are made again if not."""
        self.refresh()
        if not self._rebuilt and self._is_right():
            return True
        self.rebuild()
        return False

    def _is_right(self) -> bool:
        """Compare with a second one, which finds nothing written down."""
        fresh = Ids(self._git, self._log, Path(os.devnull))
        brought = {
            (id_, logged.git)
            for logged in self._log.iterate()
            for id_, _ in logged.event.commits
        }
        fresh.refresh()
        try:
            ours = {record.id: record for record in self._all()}
        except Damaged:
            return False
        return len(ours) == len(self._all()) == len(fresh._all()) and all(
            _same(record, ours.get(record.id))
            and (record.id, ours[record.id].event) in brought
            for record in fresh._all()
        )

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
        with self._git.mutex:
            self.refresh()
            try:
                found = self._find(prefix)
            except Damaged:
                self.rebuild()
                found = self._find(prefix)
        return list(filter(self._is_known, found))

    def _is_known(self, record: Record) -> bool:
        """Whether the log has a commit: not when it ends before that came."""
        if self._end is None or record.event not in self._later:
            return True
        return record.id in self._beside

    @cached_property
    def _later(self) -> frozenset[str]:
        """The events that came after the log's end, or beside it."""
        return self._log.later(self._end) if self._end else frozenset()

    @cached_property
    def _beside(self) -> frozenset[str]:
        """The commits of a log that ends at an event of another machine.

        They may have come here with an event of our own, too. One that ends at an own
        event needs no such look: own events are read before those they were merged
        with, so the lookup file has a commit's first own event where there is one.
        """
        if self._end is None or self._log.is_own(self._end):
            return frozenset()
        known = self._log.ending(self._end).iterate()
        return frozenset(id_ for e in known for id_, _ in e.event.commits)

    def _find(self, prefix: str) -> list[Record]:
        if is_id(prefix):
            known = self._known(prefix)
            return [known] if known else []
        found = {record.id: record for record in self._bisect(prefix)}
        newer = {i: r for i, r in self._tail.items() if i.startswith(prefix)}
        return sorted({**found, **newer}.values())

    def __iter__(self) -> Iterator[Record]:
        """All records, in no particular order."""
        with self._git.mutex:
            self.refresh()
            try:
                found = self._all()
            except Damaged:
                self.rebuild()
                found = self._all()
        return filter(self._is_known, found)

    def _all(self) -> list[Record]:
        written = map(self._at, range(len(self._base) // _SIZE))
        older = [record for record in written if record.id not in self._tail]
        return [*older, *self._tail.values()]

    def __len__(self) -> int:
        self.refresh()
        return sum(1 for _ in self) if self._end else self._next

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

    # keeping up with the log

    def _load(self) -> bool:
        """Read both files; False when they are not there or not whole.

        Raises:
            Damaged: when the tail is not what was written.
        """
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
        if len(tail) < _START or (len(tail) - _START) % _SIZE or length % _SIZE:
            self._forget()
            return False
        tip, self._next = _HEADER.unpack(_checked(tail[:_START]))
        chunks = (tail[i : i + _SIZE] for i in range(_START, len(tail), _SIZE))
        self._tail = {record.id: record for record in map(Record.unpack, chunks)}
        self._tip = tip.hex()
        if length // _SIZE + len(self._tail) < self._next:  # a half that is not whole
            self._forget()
            return False
        return True

    def _forget(self) -> None:
        self._base, self._tail, self._tip, self._next = b"", {}, None, 0
        self._met = {}

    def _catch_up(self, tip: str | None, *, anew: bool = False) -> None:
        new = self._read_log() if tip else []
        for path in (self._tail_path, self._base_path) if anew else ():
            with suppress(OSError):
                path.unlink()
        self._tail.update((record.id, record) for record in new)
        self._tip = tip
        with suppress(OSError), locked(self._lock, wait=False):
            self._save()

    def _read_log(self) -> list[Record]:
        """Records of the commits that came with events newer than what is known."""
        if self._tip and not self._log.follows(self._tip):
            self._forget()
        fresh: dict[str, Record] = {}
        for logged in self._log.iterate(since=self._tip, oldest_first=True):
            new = {i: oid for i, oid in logged.event.commits if not self._has(i, fresh)}
            for (id_, oid), edges in zip(new.items(), self._edges(new), strict=True):
                turns = generation(edges, lambda i: self._turns(i, fresh))
                fresh[id_] = Record(id_, oid, logged.git, turns, self._next)
                self._next += 1
        return list(fresh.values())

    def _has(self, id_: str, fresh: dict[str, Record]) -> bool:
        """Whether a commit has a record; from a newer half of the two files, even."""
        known = self._known(id_)
        if known:
            self._next = max(self._next, known.number + 1)
        return known is not None or id_ in fresh

    def _edges(self, new: Mapping[str, str]) -> Iterator[tuple[Edge, ...]]:
        """The edges of new commits; of those that were just written, as they are."""
        read = [
            f"{oid}:lineage.json" for i, oid in new.items() if i not in self.written
        ]
        found = self._git.read_many(read)
        for id_ in new:
            edges = self.written.get(id_)
            yield _edges(next(found)) if edges is None else edges

    def _turns(self, id_: str, fresh: Mapping[str, Record]) -> int:
        known = fresh.get(id_) or self._known(id_)
        return known.generation if known else 0

    def _known(self, id_: str) -> Record | None:
        found = self._tail.get(id_) or self._met.get(id_)
        if found is None and (found := next(self._bisect(id_), None)):
            if len(self._met) == _KEPT:
                self._met.clear()
            self._met[id_] = found
        return found

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

    def _save(self) -> None:
        if self._tip is None:
            return
        if len(self._tail) > _MERGE or not self._base_path.exists():
            write_atomically(self._base_path, b"".join(self._merged()))
            self._tail = {}
        tail = b"".join(record.pack() for record in self._tail.values())
        header = _HEADER.pack(bytes.fromhex(self._tip), self._next)
        write_atomically(self._tail_path, _summed(header) + tail)
        if not self._tail:
            self._load()


def _edges(found: tuple[str, GitObject] | None) -> tuple[Edge, ...]:
    """The edges in a manifest; one that is bad must not hide the others."""
    with suppress(VerificationError):
        return Commit.parse(found[1].data).edges if found else ()
    return ()

"""From a prefix of an id to its git commit, in milliseconds, as of the newest event.

`lineage.store.lookup` has the records; here they keep up with the log.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from lineage.errors import NotFound, VerificationError
from lineage.store.events import EventLog
from lineage.store.generations import generation
from lineage.store.git import GitRepository
from lineage.store.git_objects import GitObject
from lineage.store.lookup import Damaged, Lookup, Record
from lineage.store.objects import Commit, Edge, is_id


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
        self._lookup = Lookup(home)
        self._loaded = self._rebuilt = False
        self.written: Mapping[str, tuple[Edge, ...]] = {}  # by whoever holds the lock

    def refresh(self) -> None:
        """Take in the events that came since; writes them down where it may."""
        with self._git.mutex:
            tip = self._log.tip()
            if self._loaded and tip == self._lookup.tip:
                return
            try:
                if not self._read_files() or tip != self._lookup.tip:
                    self._catch_up(tip)
            except Damaged:
                self.rebuild()

    def rebuild(self) -> None:
        """Forget what was written down and read the whole log; once, then no more."""
        with self._git.mutex:
            if self._rebuilt:
                return
            self._loaded = self._rebuilt = True
            self._lookup.forget()
            self._catch_up(self._log.tip(), anew=True)

    def noted(self) -> str | None:
        """The newest event that is written down, if that can be read."""
        return self._lookup.noted()

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
            ours = {record.id: record for record in self._lookup.all()}
        except Damaged:
            return False
        return len(ours) == len(self._lookup.all()) == len(fresh._lookup.all()) and all(
            _same(record, ours.get(record.id))
            and (record.id, ours[record.id].event) in brought
            for record in fresh._lookup.all()
        )

    def get(self, id_: str) -> Record:
        """The record of a full id.

        Raises:
            NotFound: when the registry has no such commit.
        """
        found = self.known(id_)
        if found is None:
            raise NotFound(f"there is no commit {id_}")
        return found

    def known(self, id_: str) -> Record | None:
        """The record of a full id; None when the registry has no such commit."""
        found = self.find(id_) if is_id(id_) else []
        return found[0] if found else None

    def git(self, id_: str) -> str | None:
        """The git commit of a full id; None when the registry has no such commit."""
        found = self.known(id_)
        return found.git if found else None

    def __contains__(self, id_: str | None) -> bool:
        return id_ is not None and self.known(id_) is not None

    def find(self, prefix: str) -> list[Record]:
        """All records whose id starts with `prefix` (lower-case hexadecimal)."""
        with self._git.mutex:
            self.refresh()
            try:
                found = self._lookup.find(prefix)
            except Damaged:
                self.rebuild()
                found = self._lookup.find(prefix)
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

    def __iter__(self) -> Iterator[Record]:
        """All records, in no particular order."""
        with self._git.mutex:
            self.refresh()
            try:
                found = self._lookup.all()
            except Damaged:
                self.rebuild()
                found = self._lookup.all()
        return filter(self._is_known, found)

    def __len__(self) -> int:
        self.refresh()
        return sum(1 for _ in self) if self._end else self._lookup.next

    # keeping up with the log

    def _read_files(self) -> bool:
        self._loaded = True
        return self._lookup.load()

    def _catch_up(self, tip: str | None, *, anew: bool = False) -> None:
        new = self._read_log() if tip else []
        if anew:
            self._lookup.remove()
        self._lookup.add(new)
        self._lookup.tip = tip
        self._lookup.save()

    def _read_log(self) -> list[Record]:
        """Records of the commits that came with events newer than what is known."""
        if self._lookup.tip and not self._log.follows(self._lookup.tip):
            self._lookup.forget()
        fresh: dict[str, Record] = {}
        for logged in self._log.iterate(since=self._lookup.tip, oldest_first=True):
            new = {i: oid for i, oid in logged.event.commits if not self._has(i, fresh)}
            for (id_, oid), edges in zip(new.items(), self._edges(new), strict=True):
                turns = generation(edges, lambda i: self._turns(i, fresh))
                fresh[id_] = Record(id_, oid, logged.git, turns, self._lookup.next)
                self._lookup.next += 1
        return list(fresh.values())

    def _has(self, id_: str, fresh: dict[str, Record]) -> bool:
        """Whether a commit has a record; from a newer half of the two files, even."""
        known = self._lookup.known(id_)
        if known:
            self._lookup.next = max(self._lookup.next, known.number + 1)
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
        known = fresh.get(id_) or self._lookup.known(id_)
        return known.generation if known else 0


def _edges(found: tuple[str, GitObject] | None) -> tuple[Edge, ...]:
    """The edges in a manifest; one that is bad must not hide the others."""
    with suppress(VerificationError):
        return Commit.parse(found[1].data).edges if found else ()
    return ()

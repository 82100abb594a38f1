"""From events and commits to rows of the index."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlmodel import SQLModel, col, delete, func, insert, select

from lineage.errors import LineageError
from lineage.store import names
from lineage.store.arrivals import parsed
from lineage.store.event_reading import Logged
from lineage.store.events import EventLog
from lineage.store.git import GitRepository
from lineage.store.index_asking import asked, known, parts
from lineage.store.index_facts import (
    LONGEST,
    Fields,
    Known,
    New,
    Read,
    commit_row,
    edge_rows,
    event_row,
    file_rows,
    metric_rows,
    param_rows,
    stored,
)
from lineage.store.index_tables import (
    AttestedRow,
    CommitRow,
    EdgeRow,
    EventRow,
    FileRow,
    HeardRow,
    KnownRow,
    LeftOutRow,
    MetricRow,
    ParamRow,
    RefRow,
)
from lineage.store.objects import Commit


class Writer:
    """Adds what a clone's new events say, through one connection's transaction.

    What another clone has rows for already is only noted as known here too; `anew`
    writes such rows again.
    """

    def __init__(
        self, connection: Any, git: GitRepository, clone: int, *, anew: bool = False
    ) -> None:
        self._connection = connection
        self._git = git
        self._clone = clone
        self._anew = anew
        self._events = self._after(col(EventRow.number))
        self._commits = self._after(col(CommitRow.number))
        own = col(KnownRow.clone) == clone
        self._known = self._after(col(KnownRow.number), own)

    def _after(self, column: Any, *tests: Any) -> int:
        newest = self._connection.scalar(select(func.max(column)).where(*tests))
        return 0 if newest is None else int(newest) + 1

    def add(self, events: Sequence[Logged]) -> None:
        """Add a run of events, oldest first, with the commits that they brought."""
        numbers = self._add_events(events)
        new: dict[str, New] = {}
        for logged in events:
            for id_, git in logged.event.commits:
                new.setdefault(id_, New(id_, git, numbers[logged.git]))
        present = known(self._connection, new)
        mine = self._mine(found.number for found in present.values())
        fresh = [n for n in new.values() if n.id not in present]
        here = [n for n in new.values() if n.id in present]
        here = [n for n in here if present[n.id].number not in mine]
        self._add_known(here, present)
        if self._anew:
            fresh = list(new.values())
        self._add_commits(fresh, present)

    def _add_events(self, events: Sequence[Logged]) -> dict[str, int]:
        """Rows of events that have none; the numbers of all by git oid."""
        query = select(EventRow.git, EventRow.number)
        oids = [logged.git for logged in events]
        numbers = dict(asked(self._connection, query, EventRow.git, oids))
        rows = []
        for logged in events:
            if logged.git not in numbers:
                numbers[logged.git] = self._events
                rows.append(event_row(self._events, logged))
                self._events += 1
        self._insert(EventRow, rows)
        heard = [{"clone": self._clone, "event": numbers[oid]} for oid in oids]
        self._insert(HeardRow, heard)
        return numbers

    def _mine(self, numbers: Iterable[int]) -> set[int]:
        """Those of the commits `numbers` that the clone has already."""
        query = select(KnownRow.commit).where(col(KnownRow.clone) == self._clone)
        rows = asked(self._connection, query, KnownRow.commit, numbers)
        return {int(number) for (number,) in rows}

    def _add_known(self, items: Iterable[New], found: Mapping[str, Known]) -> None:
        rows = []
        for item in items:
            number = found[item.id].number
            rows.append(
                {
                    "clone": self._clone,
                    "commit": number,
                    "number": self._known,
                    "event": item.event,
                }
            )
            self._known += 1
        self._insert(KnownRow, rows)

    def _drop_facts(self, numbers: Iterable[int]) -> None:
        chosen = list(numbers)
        for row, column in _FACTS.items():
            for some in parts(chosen):
                self._connection.execute(delete(row).where(col(column).in_(some)))

    def _add_commits(self, new: list[New], present: dict[str, Known]) -> None:
        """Rows of commits; those that are `present` get their facts again."""
        read: list[Read] = []
        for item, commit in self._manifests(new):
            number = present[item.id].number if item.id in present else self._commits
            self._commits += item.id not in present
            read.append(Read(number, item, commit))
        self._drop_facts(item.number for item in read if item.new.id in present)
        parents = {id_ for item in read for id_ in item.commit.ids()}
        found = known(self._connection, parents - {item.new.id for item in read})
        rows = [commit_row(item, found) for item in read]
        self._insert(CommitRow, [row for row in rows if row["id"] not in present])
        self._add_known((i.new for i in read if i.new.id not in present), found)
        for row, facts in (
            (EdgeRow, edge_rows),
            (MetricRow, metric_rows),
            (ParamRow, param_rows),
        ):
            made = (line for item in read for line in facts(item, found))
            self._insert(row, list(made))
        self._add_files(read)

    def _manifests(self, new: list[New]) -> Iterator[tuple[New, Commit]]:
        """Those that can be read, each with its commit; others are left out."""
        found = self._git.read_many(f"{item.git}:lineage.json" for item in new)
        for item, answer in zip(new, found, strict=True):
            try:
                yield item, parsed(answer[1].data if answer else None, item.id)
            except LineageError as error:
                self._leave_out(item, str(error))

    def _add_files(self, read: list[Read]) -> None:
        whole = [item for item in read if item.commit.payload]
        found = self._git.read_many(f"{item.new.git}:files.jsonl" for item in whole)
        for item, answer in zip(whole, found, strict=True):
            try:
                self._insert(
                    FileRow, file_rows(item, answer[1].data if answer else b"")
                )
            except LineageError as error:
                self._leave_out(item.new, str(error))

    def _leave_out(self, item: New, reason: str) -> None:
        own = (col(LeftOutRow.clone) == self._clone, col(LeftOutRow.id) == item.id)
        self._connection.execute(delete(LeftOutRow).where(*own))
        row = {"clone": self._clone, "id": item.id, "reason": stored(reason)}
        self._insert(LeftOutRow, [row])

    def _insert(self, table: type[SQLModel], rows: list[Fields]) -> None:
        if rows:
            self._connection.execute(insert(table), rows)


_FACTS: dict[type[SQLModel], Any] = {
    EdgeRow: EdgeRow.child,
    MetricRow: MetricRow.commit,
    ParamRow: ParamRow.commit,
    FileRow: FileRow.commit,
}


def forget(connection: Any, clone: int) -> None:
    """Take out what the clone has, and the rows that no other clone needs."""
    for row in (HeardRow, KnownRow, LeftOutRow, RefRow, AttestedRow):
        connection.execute(delete(row).where(col(row.clone) == clone))
    heard, kept = select(HeardRow.event), select(KnownRow.commit)
    connection.execute(delete(EventRow).where(col(EventRow.number).not_in(heard)))
    for facts, number in _FACTS.items():
        connection.execute(delete(facts).where(col(number).not_in(kept)))
    connection.execute(delete(CommitRow).where(col(CommitRow.number).not_in(kept)))


def write_names(connection: Any, clone: int, log: EventLog, tip: str) -> None:
    """Make the clone's names those of the event `tip`, touching only what differs."""
    own = col(RefRow.clone) == clone
    joined = select(RefRow.ref, CommitRow.git).where(own)
    joined = joined.join(CommitRow, col(CommitRow.number) == RefRow.commit)
    present = set(map(tuple, connection.execute(joined)))
    wanted = {
        (stored(f"{space}/{name}", LONGEST), git)
        for space in names.SPACES
        for name, git in log.names(space, at=tip).items()
    }
    for ref, _ in present - wanted:
        connection.execute(delete(RefRow).where(own, col(RefRow.ref) == ref))
    fresh = wanted - present
    oids = (git for _, git in fresh)
    query = select(CommitRow.git, CommitRow.number)
    numbers = dict(asked(connection, query, CommitRow.git, oids))
    rows = [(ref, numbers.get(git)) for ref, git in fresh]
    made = [{"clone": clone, "ref": r, "commit": n} for r, n in rows if n is not None]
    if made:
        connection.execute(insert(RefRow), made)

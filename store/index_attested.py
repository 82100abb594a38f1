"""Rows of what was attested of commits later, as it holds for one clone."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sqlmodel import col, delete, insert, select

from lineage.errors import StoreError
from lineage.store.attested import METRICS, attested
from lineage.store.event_reading import Logged
from lineage.store.git import GitRepository
from lineage.store.index_asking import asked, known
from lineage.store.index_facts import LONGEST, stored
from lineage.store.index_tables import AttestedRow, EventRow, HeardRow, MetricRow
from lineage.store.objects import Event
from lineage.store.order import in_order


def write_attested(
    connection: Any, git: GitRepository, clone: int, events: Sequence[Logged]
) -> None:
    """Write anew what holds of the commits that `events`, heard just now, speak of.

    What a commit records itself is left out; commits without rows are, too.
    """
    said = (logged.event for logged in events if logged.event.type == METRICS)
    subjects = {event.subject for event in said if event.subject}
    found = known(connection, subjects)
    numbers = {id_: one.number for id_, one in found.items()}
    recorded = _recorded(connection, numbers.values())
    rows = []
    for id_, heard in _heard(connection, git, clone, numbers).items():
        for name, item in attested(in_order(git, heard)).items():
            key = numbers[id_], stored(name, LONGEST)
            if key not in recorded:
                value = float(item.metric.value)
                row = {"clone": clone, "commit": key[0], "name": key[1], "value": value}
                rows.append(row)
    for number in numbers.values():
        own = (col(AttestedRow.clone) == clone, col(AttestedRow.commit) == number)
        connection.execute(delete(AttestedRow).where(*own))
    if rows:
        connection.execute(insert(AttestedRow), rows)


def _recorded(connection: Any, numbers: Collection[int]) -> set[tuple[int, str]]:
    query = select(MetricRow.commit, MetricRow.name)
    return set(map(tuple, asked(connection, query, MetricRow.commit, numbers)))


def _heard(
    connection: Any, git: GitRepository, clone: int, ids: Collection[str]
) -> Mapping[str, list[Logged]]:
    """What the clone has heard about each commit, as it was heard."""
    own = select(HeardRow.event).where(col(HeardRow.clone) == clone)
    query = select(EventRow.number, EventRow.subject, EventRow.git).where(
        col(EventRow.type) == METRICS,
        col(EventRow.number).in_(own),  # joined, every event would be looked at
    )
    told = sorted(asked(connection, query, EventRow.subject, ids))
    found: dict[str, list[Logged]] = {}
    for (_, subject, _), logged in zip(told, _read(git, told), strict=True):
        found.setdefault(subject, []).append(logged)
    return found


def _read(git: GitRepository, told: Sequence[Any]) -> Iterator[Logged]:
    blobs = git.read_many(f"{oid}:event.json" for _, _, oid in told)
    for (_, _, oid), blob in zip(told, blobs, strict=True):
        if blob is None:
            raise StoreError(f"the event {oid} is missing", hint=git.mend())
        yield Logged(oid, Event.parse(blob[1].data))

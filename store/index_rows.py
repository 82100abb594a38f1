"""From events and commits to rows of the index."""
# ruff: noqa: TID253 - imported with the index only

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeGuard

from sqlmodel import SQLModel, col, delete, func, insert, select

from lineage.errors import StoreError
from lineage.store import names
from lineage.store.canonical import Json, canonical
from lineage.store.events import EventLog, Logged
from lineage.store.files import parse_file_list
from lineage.store.generations import generation
from lineage.store.git import GitRepository
from lineage.store.index_tables import (
    CommitRow,
    EdgeRow,
    EventRow,
    FileRow,
    MetricRow,
    ParamRow,
    RefRow,
)
from lineage.store.objects import Commit

_ASKED = 5000  # names in one question; SQLite takes 32,766

Fields = dict[str, Any]


class _New(NamedTuple):
    """A commit that has no rows yet."""

    number: int
    id: str
    git: str
    event: int


class Known(NamedTuple):
    """What later commits need of one that has rows."""

    number: int
    generation: int


_ABSENT = Known(-1, 0)


class Writer:
    """Adds the rows of new events, through one connection's open transaction."""

    def __init__(self, connection: Any, git: GitRepository) -> None:
        self._connection = connection
        self._git = git
        self._events = self._after(EventRow)
        self._commits = self._after(CommitRow)

    def _after(self, row: type[EventRow | CommitRow]) -> int:
        newest = self._connection.scalar(select(func.max(col(row.number))))
        return 0 if newest is None else int(newest) + 1

    def add(self, events: Sequence[Logged]) -> None:
        """Add a run of events, oldest first, with the commits that they brought."""
        pairs: dict[str, tuple[str, int]] = {}
        rows = []
        for number, logged in enumerate(events, self._events):
            rows.append(_event(number, logged))
            for id_, git in logged.event.commits:
                pairs.setdefault(id_, (git, number))
        self._events += len(rows)
        self._insert(EventRow, rows)
        present = known(self._connection, pairs)
        fresh = [(i, *pair) for i, pair in pairs.items() if i not in present]
        self._add_commits([_New(n, *new) for n, new in enumerate(fresh, self._commits)])
        self._commits += len(fresh)

    def _add_commits(self, new: list[_New]) -> None:
        pairs = list(zip(new, self._manifests(new), strict=True))
        parents = {id_ for _, commit in pairs for id_ in commit.ids()}
        found = known(self._connection, parents)
        self._insert(CommitRow, [_commit(*pair, found) for pair in pairs])
        rows = (row for pair in pairs for row in _edges(*pair, found))
        self._insert(EdgeRow, list(rows))
        self._insert(MetricRow, [row for pair in pairs for row in _metrics(*pair)])
        self._insert(ParamRow, [row for pair in pairs for row in _params(*pair)])
        self._add_files(new)

    def _manifests(self, new: list[_New]) -> Iterator[Commit]:
        found = self._git.read_many(f"{item.git}:lineage.json" for item in new)
        for item, answer in zip(new, found, strict=True):
            if answer is None:
                message = f"the manifest of {item.id} is missing"
                raise StoreError(message, hint="run `git fsck`")
            yield Commit.parse(answer[1].data)

    def _add_files(self, new: list[_New]) -> None:
        found = self._git.read_many(f"{item.git}:files.jsonl" for item in new)
        for item, answer in zip(new, found, strict=True):
            if answer is not None:
                entries = parse_file_list(answer[1].data)
                files = (entry for entry in entries if not entry.is_directory)
                rows = [{"commit": item.number, **file._asdict()} for file in files]
                self._insert(FileRow, rows)

    def _insert(self, table: type[SQLModel], rows: list[Fields]) -> None:
        if rows:
            self._connection.execute(insert(table), rows)


def known(connection: Any, ids: Iterable[str]) -> dict[str, Known]:
    """Those of `ids` that the index has."""
    remaining = list(ids)
    found: dict[str, Known] = {}
    for start in range(0, len(remaining), _ASKED):
        asked = col(CommitRow.id).in_(remaining[start : start + _ASKED])
        query = select(CommitRow.id, CommitRow.number, CommitRow.generation)
        for id_, *fields in connection.execute(query.where(asked)):
            found[id_] = Known(*fields)
    return found


def write_names(connection: Any, log: EventLog, tip: str) -> None:
    """Make the names those of the event `tip`, touching only what differs."""
    query = select(RefRow.ref, CommitRow.git).join(CommitRow)
    present = set(map(tuple, connection.execute(query)))
    wanted = {
        (f"{space}/{name}", git)
        for space in names.SPACES
        for name, git in log.names(space, at=tip).items()
    }
    for ref, _ in present - wanted:
        connection.execute(delete(RefRow).where(col(RefRow.ref) == ref))
    for ref, git in wanted - present:
        number = select(CommitRow.number).where(col(CommitRow.git) == git)
        row = {"ref": ref, "commit": connection.scalar(number)}
        connection.execute(insert(RefRow), row)


def _event(number: int, logged: Logged) -> Fields:
    event = logged.event
    return {
        "number": number,
        "id": event.id,
        "git": logged.git,
        "type": event.type,
        "time": event.time,
        "name": event.actor.get("name", ""),
        "email": event.actor.get("email", ""),
        "message": event.message,
        "subject": event.subject,
    }


def _commit(item: _New, commit: Commit, found: dict[str, Known]) -> Fields:
    """The row of a commit, which joins those that later ones may lead to."""
    turns = generation(commit.edges, lambda id_: found.get(id_, _ABSENT).generation)
    found[item.id] = Known(item.number, turns)
    return {
        **item._asdict(),
        "kind": commit.kind,
        "name": commit.name,
        "generation": turns,
    }


def _edges(item: _New, commit: Commit, found: Mapping[str, Known]) -> Iterator[Fields]:
    for edge in commit.edges:
        if edge.id not in found:  # `verify` reports it
            continue
        yield {
            "child": item.number,
            "role": edge.role,
            "parent": found[edge.id].number,
            "evidence": edge.evidence,
        }


def _metrics(item: _New, commit: Commit) -> Iterator[Fields]:
    for name, metric in commit.metrics.items():
        yield {"commit": item.number, "name": name, "value": float(metric.value)}


def _params(item: _New, commit: Commit) -> Iterator[Fields]:
    found = flatten(dict(commit.params)) if commit.params else ()
    for position, (path, value) in enumerate(found):
        yield {
            "commit": item.number,
            "position": position,
            "path": path,
            "text": written(value),
            "number": float(value) if is_number(value) else None,
        }


def written(value: Json) -> str:
    """A single value as rows hold it: a string as it is, anything else as JSON."""
    return value if isinstance(value, str) else canonical(value).decode()


def is_number(value: Json) -> TypeGuard[float]:
    """Whether a single value is a number; true and false are none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def flatten(value: Json, path: str = "") -> Iterator[tuple[str, Json]]:
    """Each single value inside `value` with its dotted path.

    >>> dict(flatten({"optimiser": {"betas": [0.9, 0.95]}}))
    {'optimiser.betas.0': 0.9, 'optimiser.betas.1': 0.95}
    """
    items: Iterable[tuple[Any, Json]] = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = list(enumerate(value))
    if not items:
        yield path, value
    for key, item in items:
        yield from flatten(item, f"{path}.{key}" if path else str(key))

"""The datasets that a record went through, up to the one where it first appears."""

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import NamedTuple

from lineage.blame.finding import ID, opened
from lineage.blame.result import BY_NAME, BYTES, CHANGED, IDENTITY, Place, Step
from lineage.descent.roles import WRITING
from lineage.errors import LineageError
from lineage.records import Row, placed, record_files
from lineage.records.hits import Hit
from lineage.records.values import identity, texts
from lineage.registry import Registry
from lineage.store.files import FileEntry
from lineage.store.reading import Progress

_UP = ("derived_from", "revises")
_ODD = re.compile(r'[\x00-\x1f"\\/]+')  # what formats spell differently
_PROBE = 200  # characters


class _Up(NamedTuple):
    """A step, and the record as it stands there (None: its bytes are not here)."""

    step: Step
    row: Row


def place_of(dataset: str, row: Row) -> Place:
    """Where a row stands."""
    unit = "record" if row.raw is None else "line"
    return Place(dataset, row.path, row.line, unit)


def climb(
    registry: Registry, id_: str, row: Row, notes: list[str], progress: Progress
) -> Iterator[Step]:
    """The steps from the dataset `id_`, which has `row`, to where it first appears."""
    step: Step | None = Step(id_, place_of(id_, row))
    while step:
        yield step
        found = _Parents(registry, step.dataset, row, notes, progress).find()
        step, row = found or (None, row)


class _Parents:
    """The datasets that one came from, searched for a record of it."""

    def __init__(
        self,
        registry: Registry,
        id_: str,
        row: Row,
        notes: list[str],
        progress: Progress,
    ) -> None:
        self._registry, self._id, self._row = registry, id_, row
        self._notes, self._progress = notes, progress
        self._unread: dict[str, str] = {}
        commit = registry.load(id_)
        found = [(r, p) for r in _UP for p in commit.ids(r) if p in registry.ids]
        self._roles = {p: r for r, p in reversed(found) if self._is_dataset(p)}
        self._order = list(dict.fromkeys(p for _, p in found if p in self._roles))

    def _is_dataset(self, id_: str) -> bool:
        return self._registry.load(id_).kind == "dataset"

    def find(self) -> _Up | None:
        """The parent that has the record: as the same file, line, value, or id."""
        if found := self._same_file():
            return found
        for search, same in (
            (self._copies, BYTES),
            (self._equals, IDENTITY),
            (self._namesakes, CHANGED),
        ):
            for parent in self._order:
                for entry, hit in search(parent):
                    return self._up(parent, entry.path, hit, same)
        return self._by_name()

    def _up(self, parent: str, path: str, hit: Hit, same: str) -> _Up:
        row = Row(path, 0, *hit[1:])
        fields = _differing(self._row, row) if same == CHANGED else ()
        at = place_of(parent, row)
        return _Up(Step(parent, at, same, self._roles[parent], fields), row)

    def _same_file(self) -> _Up | None:
        """A parent with the very same file, whether its bytes are here or not."""
        own = {e.path: e.sha256 for e in self._registry.files(self._id)}
        wanted = own.get(self._row.path)
        for parent in self._order if wanted else ():
            for entry in self._registry.files(parent):
                if entry.sha256 == wanted:
                    row = self._row._replace(path=entry.path)
                    at = place_of(parent, row)
                    return _Up(Step(parent, at, BYTES, self._roles[parent]), row)
        return None

    def _readable(self, parent: str) -> Iterator[FileEntry]:
        """The record files of a parent whose bytes are here."""
        try:
            for entry in record_files(self._registry, parent):
                with placed(self._registry, entry):
                    yield entry
        except LineageError as error:
            self._unread[parent] = str(error)

    def _copies(self, parent: str) -> Iterator[tuple[FileEntry, Hit]]:
        for entry in self._readable(parent):
            with opened(self._registry, entry) as lookup:
                for hit in lookup.copies(self._row.raw or b""):
                    yield entry, hit
            self._progress(entry.size)

    def _equals(self, parent: str) -> Iterator[tuple[FileEntry, Hit]]:
        probe, wanted = _probe(self._row), self._row.identity
        for entry in self._readable(parent):
            with opened(self._registry, entry) as lookup:
                for hit in lookup.holding(probe, whole=False) if probe else ():
                    if identity(hit.data, entry.path) == wanted:
                        yield entry, hit

    def _namesakes(self, parent: str) -> Iterator[tuple[FileEntry, Hit]]:
        name = self._row.data.get(ID)
        if not isinstance(name, str) or not name:
            return
        for entry in self._readable(parent):
            with opened(self._registry, entry) as lookup:
                for hit in lookup.holding(name, whole=True):
                    if hit.data.get(ID) == name:
                        yield entry, hit

    def _by_name(self) -> _Up | None:
        """A parent whose bytes are not here, if only one can have had the record."""
        for parent, why in self._unread.items():
            what = f"{self._registry.load(parent).name} {parent[:12]}"
            self._notes.append(f"{what} could not be looked at: {why}")
        likely = [p for p in self._unread if self._has_name(p)]
        if not likely and not self._registry.load(self._id).ids(*WRITING):
            likely = list(self._unread) if len(self._order) == 1 else []
        if len(likely) != 1:
            return None
        [parent] = likely
        why, role = self._unread[parent], self._roles[parent]
        return _Up(Step(parent, None, BY_NAME, role, unread=why), self._row)

    def _has_name(self, parent: str) -> bool:
        name = PurePosixPath(self._row.path).name
        files = self._registry.files(parent)
        return any(PurePosixPath(entry.path).name == name for entry in files)


def _probe(row: Row) -> str:
    """A piece of text that the record has, spelled alike in every format."""
    pieces = (part for text in texts(row.data) for part in _ODD.split(text))
    return max(pieces, key=len, default="")[:_PROBE]


def _differing(row: Row, other: Row) -> tuple[str, ...]:
    names = sorted({*row.data, *other.data})
    return tuple(n for n in names if row.data.get(n) != other.data.get(n))

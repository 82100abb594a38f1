"""The record that somebody means: by number, by key, by text."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

from lineage.errors import Ambiguous, NotFound, UsageError
from lineage.records import Row, placed, record_files
from lineage.records.hits import Hit
from lineage.records.lookup import Lookup, looking
from lineage.records.source import Source
from lineage.records.values import has, identity, texts
from lineage.registry import Registry
from lineage.store.files import FileEntry
from lineage.store.reading import Progress

_SHOWN = 10  # candidates
_KEPT = 100  # records that are found at most
_BRIEF = 40  # characters of a candidate's text
ID = "id"


class _Found(NamedTuple):
    """A record in a file."""

    entry: FileEntry
    hit: Hit


@contextmanager
def opened(registry: Registry, entry: FileEntry) -> Iterator[Lookup]:
    """A file of records, to look for some of them.

    Raises:
        LineageError: when its bytes are not here, or not what its name says.
    """
    with (
        placed(registry, entry) as path,
        looking(Source(path, entry.path)) as lookup,
    ):
        yield lookup


def find(
    registry: Registry,
    id_: str,
    record: str,
    *,
    key: str | None,
    text: bool,
    notes: list[str],
    progress: Progress,
) -> Row:
    """The one record of a dataset that `record` means (see `lineage.blame.blame`).

    Raises:
        NotFound: when there is none.
        Ambiguous: when there are several that differ.
    """
    if not record:
        raise UsageError(
            "a record is named by its number, its id or a piece of its text"
        )
    search = _Search(registry, id_, progress)
    if record.isdecimal() and not key and not text:
        return search.nth(int(record))
    found = search.named(record, key, text=text)
    distinct = {
        identity(each.hit.data, each.entry.path): each for each in reversed(found)
    }
    if not distinct:
        what = f"{key} {record!r}" if key else f"the id or text {record!r}"
        raise NotFound(f"no record of {id_[:12]} has {what}")
    if len(distinct) > 1:
        raise search.ambiguous(record, [*distinct.values()][::-1])
    if len(found) > 1:
        many = f"{len(found)}{' or more' if len(found) >= _KEPT else ''}"
        notes.append(f"{many} records are the same; this is the first of them")
    return search.row(found[0])


class _Search:
    """The record files of one dataset."""

    def __init__(self, registry: Registry, id_: str, progress: Progress) -> None:
        self._registry, self._id, self._progress = registry, id_, progress
        self._entries = record_files(registry, id_)

    def nth(self, number: int) -> Row:
        """The record of a number."""
        before = 0
        for entry in self._entries:
            with opened(self._registry, entry) as lookup:
                count = lookup.count()
                hit = lookup.nth(number - before) if before < number else None
                if hit and number <= before + count:
                    return Row(entry.path, number, *hit[1:])
            before += count
            self._progress(entry.size)
        what = f"{self._id[:12]} has {before:,} records"
        raise NotFound(f"{what}, and no number {number:,}", hint="they count from 1")

    def named(self, record: str, key: str | None, *, text: bool) -> list[_Found]:
        """Records of that key, id or text; of a piece of text some at least."""
        column, ids, same = key or ID, list[_Found](), list[_Found]()
        for each in self._holding(record, whole=True):
            if column in each.hit.data and str(each.hit.data[column]) == record:
                ids += [each] if len(ids) < _KEPT else []
            if not key and has(each.hit.data, record, whole=True):
                same += [each] if len(same) < _KEPT else []
        if key or (ids and not text):
            return ids
        return same or list(self._pieces(record))

    def _pieces(self, record: str) -> Iterator[_Found]:
        """Records with a piece of text, no more different ones than are shown."""
        seen: set[str] = set()
        for each in self._holding(record, whole=False):
            if has(each.hit.data, record, whole=False):
                yield each
                seen.add(identity(each.hit.data, each.entry.path))
            if len(seen) > _SHOWN:
                return

    def _holding(self, record: str, *, whole: bool) -> Iterator[_Found]:
        for entry in self._entries:
            with opened(self._registry, entry) as lookup:
                for hit in lookup.holding(record, whole=whole):
                    yield _Found(entry, hit)
            self._progress(entry.size)

    def row(self, found: _Found) -> Row:
        """What was found, with its number in the dataset."""
        before = 0
        for entry in self._entries:
            with opened(self._registry, entry) as lookup:
                if entry == found.entry:
                    number = before + lookup.number(found.hit)
                    return Row(entry.path, number, *found.hit[1:])
                before += lookup.count()
        raise AssertionError(found.entry.path)

    def ambiguous(self, record: str, found: list[_Found]) -> Ambiguous:
        """The error that lists them."""
        rows = [self.row(each) for each in found[:_SHOWN]]
        more = len(found) > _SHOWN
        count = f"more than {_SHOWN}" if more else str(len(found))
        message = f"{record!r} is in {count} records of {self._id[:12]}"
        error = Ambiguous(message, [str(row.number) for row in rows])
        error.details = tuple(
            f"{r.number}: {headline(r.data)[:_BRIEF]!r}" for r in rows
        )
        return error


def headline(data: Mapping[str, object]) -> str:
    """The text that tells a record: its `text`, else its longest."""
    own = data.get("text")
    return own if isinstance(own, str) else max(texts(data), key=len, default="")

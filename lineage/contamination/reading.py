"""Training files looked through, each once, however many datasets have it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from lineage.contamination.index import Index, Match, stronger
from lineage.contamination.words import pieces, words
from lineage.errors import LineageError
from lineage.records import placed, record_files, rows_of
from lineage.records.texts import texts
from lineage.registry import Registry
from lineage.store.files import FileEntry
from lineage.store.reading import Progress

_BATCH = 2000  # texts that are looked up at once
_WORDS = 1 << 18  # or as many words
_SHOWN = 12  # words to either side of a passage
_LONGEST = 400  # words of a passage


class Passage(NamedTuple):
    """Where a training record stands, and what of it is like an evaluation record."""

    where: str
    text: str


@dataclass
class Found:
    """The strongest match of an evaluation record in some training data.

    `records` counts the training records that match it at all.
    """

    match: Match
    passage: Passage
    records: int = 1

    def add(self, match: Match, passage: Passage, records: int = 1) -> None:
        """Take in another match; the first of equally strong ones stays."""
        self.records += records
        if stronger(match, self.match):
            self.match, self.passage = match, passage


@dataclass
class Look:
    """What was found in a file or a dataset: by evaluation record the strongest match.

    `records` counts the training records that were looked at; `wrong` says why there
    were no more.
    """

    records: int = 0
    found: dict[int, Found] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    def take(self, other: "Look") -> None:
        """Take in what was found elsewhere."""
        self.records += other.records
        self.wrong += other.wrong
        for record, item in other.found.items():
            mine = self.found.get(record)
            if mine is None:
                self.found[record] = Found(item.match, item.passage, item.records)
            else:
                mine.add(item.match, item.passage, item.records)


class Looking:
    """Looks datasets through for the records of an index."""

    def __init__(
        self, registry: Registry, index: Index, column: str | None, progress: Progress
    ) -> None:
        self._registry = registry
        self._index = index
        self._column = column
        self._progress = progress
        self._files: dict[tuple[str, str], Look] = {}

    def dataset(self, id_: str) -> Look:
        """What a dataset has; files that are not here or malformed are named in it."""
        whole = Look()
        try:
            entries = record_files(self._registry, id_)
        except LineageError as error:
            return Look(wrong=[str(error)])
        for entry in entries:
            key = entry.sha256, entry.path
            if key not in self._files:
                self._files[key] = self._file(entry)
            whole.take(self._files[key])
        return whole

    def _file(self, entry: FileEntry) -> Look:
        look = Look()
        try:
            with placed(self._registry, entry) as path:
                rows = rows_of(path, entry.path, progress=self._progress)
                said = texts(rows, self._column, any_=True)
                self._look(look, ((row.where, text) for row, text in said))
        except LineageError as error:
            look.wrong.append(str(error))
        return look

    def _look(self, look: Look, found: Iterator[tuple[str, str]]) -> None:
        for batch in _batches(found):
            look.records += sum(first for first, _, _ in batch)
            for match in self._index.matches([row for _, _, row in batch]):
                _, where, row = batch[match.text]
                passage = Passage(where, _excerpt(row, match))
                mine = look.found.get(match.record)
                if mine is None:
                    look.found[match.record] = Found(match, passage)
                else:
                    mine.add(match, passage)


_Text = tuple[bool, str, list[str]]


def _batches(found: Iterable[tuple[str, str]]) -> Iterator[list[_Text]]:
    """Texts as words, so many at once; each says whether its record begins with it.

    What came before a malformed record is given before that is complained of.
    """
    batch: list[_Text] = []
    size = 0
    try:
        for where, text in found:
            for number, piece in enumerate(pieces(text)):
                batch.append((number == 0, where, words(piece)))
                size += len(batch[-1][2])
                if len(batch) >= _BATCH or size >= _WORDS:
                    yield batch
                    batch, size = [], 0
    except LineageError:
        yield batch
        raise
    if batch:
        yield batch


def _excerpt(row: list[str], match: Match) -> str:
    start = max(match.start - _SHOWN, 0)
    end = min(match.end + _SHOWN, start + _LONGEST)
    return " ".join(islice(row, start, end))

"""Finding records in files that have lines, by their bytes."""

import csv
import json
import re
from collections.abc import Iterator
from functools import cached_property
from heapq import merge
from itertools import islice, takewhile
from typing import Any

from lineage.errors import StoreError
from lineage.records.formats import read
from lineage.records.hits import Hit, quoted, spellings
from lineage.records.json_files import json_line
from lineage.records.source import LONGEST, MARK, Bytes, Source
from lineage.records.text_files import checked_names, csv_fields, csv_row, text_line

_STEP = 1 << 22  # bytes that are counted at once
_BLANK = re.compile(rb"\n[ \t\r\x0b\x0c]*(?=\n)")  # a line end, and a blank line


class TextLookup:
    """Lines of text: each that is not blank is a record."""

    quotes = False  # whether a line end between quotes ends no record

    def __init__(self, source: Source, data: Bytes) -> None:
        self.source, self.data = source, data
        self._line = (0, 1)  # where a line begins, and its number
        self._row = 0  # where a record begins

    def spell(self, piece: str, *, whole: bool) -> list[bytes]:  # noqa: ARG002
        """The bytes to search for."""
        return [piece.encode(errors="surrogatepass")]

    def parse(self, line: int, raw: bytes) -> dict[str, Any]:
        """The record that begins on a line."""
        return text_line(self.source, line, raw)

    def is_record(self, raw: bytes) -> bool:
        """Whether a line is more than blank."""
        return bool(raw.strip())

    # asked from outside, see `lookup.Lookup`

    def count(self) -> int:
        if not self._dense:
            return sum(1 for _ in read(self.source))
        last = self.data[self.data.rfind(b"\n") + 1 : len(self.data)]
        return self._tally(b"\n", self._first, len(self.data)) + bool(last.strip())

    def nth(self, number: int) -> Hit | None:
        if not self._dense:
            found = islice(read(self.source), number - 1, None)
            return next((Hit(-1, *each) for each in found), None)
        place = self._skip(number - 1)
        hit = self._hit(place) if place < len(self.data) else None
        return hit if hit and hit.raw and hit.raw.strip() else None

    def number(self, hit: Hit) -> int:
        if self._dense:
            return self._tally(b"\n", self._first, hit.place) + 1
        return sum(1 for _ in takewhile(lambda f: f[0] <= hit.line, read(self.source)))

    def holding(self, piece: str, *, whole: bool) -> Iterator[Hit]:
        end = self._first
        places = (self._places(each) for each in self.spell(piece, whole=whole))
        for place in merge(*places):
            if place >= end:
                start = self._start(place)
                end = self._stop(start)
                if self.is_record(self.data[start:end]):
                    yield self._hit(start)

    def copies(self, raw: bytes) -> Iterator[Hit]:
        wanted = raw.strip(b"\r\n")
        for place in self._places(wanted):
            if place >= self._first and self._start(place) == place:
                hit = self._hit(place)
                if hit.raw is not None and hit.raw.strip(b"\r\n") == wanted:
                    yield hit

    # where records begin and end

    @cached_property
    def _first(self) -> int:
        """Where the first record begins."""
        return self._begin

    @property
    def _begin(self) -> int:
        """Where the text begins: a byte order mark is none of it."""
        return len(MARK) if self.data[: len(MARK)] == MARK else 0

    @cached_property
    def _dense(self) -> bool:
        """Whether every line is a record."""
        begins = self.data[self._first : self._first + 1].strip()
        return bool(begins) and not self.quotes and not _BLANK.search(self.data)

    def _places(self, wanted: bytes) -> Iterator[int]:
        place = self.data.find(wanted) if wanted else -1
        while place >= 0:
            yield place
            place = self.data.find(wanted, place + 1)

    def _start(self, place: int) -> int:
        """Where the record begins that has a place in it."""
        start = self.data.rfind(b"\n", 0, place) + 1
        known = self._row if self._first <= self._row <= place else self._first
        start = max(start, known)
        inside = self.quotes and self._tally(b'"', known, start) % 2
        while inside:
            before = max(self.data.rfind(b"\n", known, start - 1) + 1, known)
            inside = (inside - self._tally(b'"', before, start)) % 2
            start = before
        self._row = start
        return start

    def _stop(self, start: int) -> int:
        """Where the record ends that begins there, with its line end."""
        stop, marks = start, 0
        while stop < len(self.data) and (stop == start or marks % 2):
            after = self.data.find(b"\n", stop) + 1 or len(self.data)
            if after - start > LONGEST:
                raise self.source.too_long(f"line {self._number(start)}")
            marks += self._tally(b'"', stop, after) if self.quotes else 0
            stop = after
        return stop

    def _hit(self, start: int) -> Hit:
        raw, line = bytes(self.data[start : self._stop(start)]), self._number(start)
        return Hit(start, line, self.parse(line, raw), raw)

    def _number(self, start: int) -> int:
        """The number of the line that begins there."""
        place, line = self._line if self._line[0] <= start else (0, 1)
        self._line = start, line + self._tally(b"\n", place, start)
        return self._line[1]

    def _skip(self, lines: int) -> int:
        """Where the line begins after so many others."""
        for at in range(self._first, len(self.data), _STEP):
            piece = self.data[at : at + _STEP]
            ends = piece.count(b"\n")
            if ends >= lines:
                end = -1
                for _ in range(lines):
                    end = piece.find(b"\n", end + 1)
                return at + end + 1
            lines -= ends
        return len(self.data)

    def _tally(self, mark: bytes, begin: int, end: int) -> int:
        """How often a character is there, from `begin` up to `end`."""
        steps = range(begin, end, _STEP)
        return sum(self.data[at : min(at + _STEP, end)].count(mark) for at in steps)


class JsonLookup(TextLookup):
    """An object on each line."""

    def spell(self, piece: str, *, whole: bool) -> list[bytes]:
        """Text as JSON has it; a whole value may be a number, too."""
        if not whole:
            return spellings(piece)
        return [*quoted(piece), *([piece.encode()] if _is_bare(piece) else [])]

    def parse(self, line: int, raw: bytes) -> dict[str, Any]:
        """The object on a line."""
        return json_line(self.source, line, raw)


class CsvLookup(TextLookup):
    """Rows of a CSV file, which may go over several lines."""

    def __init__(self, source: Source, data: Bytes, delimiter: str) -> None:
        super().__init__(source, data)
        self._delimiter = delimiter
        self.quotes = data.find(b'"') >= 0

    def spell(self, piece: str, *, whole: bool) -> list[bytes]:  # noqa: ARG002
        """Text as a field has it."""
        return [piece.replace('"', '""').encode(errors="surrogatepass")]

    def parse(self, line: int, raw: bytes) -> dict[str, Any]:
        """The row that begins on a line."""
        return csv_row(self.source, line, self._names, self._fields(line, raw))

    def is_record(self, raw: bytes) -> bool:
        """Whether a row has fields; a blank is one."""
        return bool(raw.strip(b"\r\n"))

    @cached_property
    def _first(self) -> int:
        """The first line names the columns."""
        return self._stop(self._begin)

    @cached_property
    def _names(self) -> list[str]:
        header = self.data[self._begin : self._first]
        return checked_names(self.source, self._fields(1, header))

    def _fields(self, line: int, raw: bytes) -> list[str]:
        text = self.source.text(raw, line)
        try:
            return next(csv_fields([text], self._delimiter), [])
        except csv.Error as error:
            message = f"{self.source.name} is not CSV at line {line}: {error}"
            raise StoreError(message) from None


def _is_bare(piece: str) -> bool:
    """Whether JSON has a value that is written so, without quotes."""
    try:
        return not isinstance(json.loads(piece), str | list | dict)
    except (ValueError, RecursionError):
        return False

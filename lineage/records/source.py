"""A file that records are read from, and what all formats need of it."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from mmap import ACCESS_READ, mmap
from os import fstat
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

from lineage.errors import StoreError
from lineage.store.reading import Progress, unwatched

LONGEST = 1 << 26  # bytes of one record that has lines, or of one in JSON: 64 MiB
MARK = b"\xef\xbb\xbf"  # a byte order mark
_STEP = 1 << 20  # bytes between two reports of progress

Bytes: TypeAlias = mmap | bytes
Found: TypeAlias = tuple[int, dict[str, Any], bytes | None]
"""The line or place in the file, the record, what stands there where it has lines."""


@dataclass(frozen=True, slots=True)
class Source:
    """A file of records: where it lies, and what errors call it.

    `columns` are those that are wanted (None: all), for formats that can leave out
    others. `progress` gets numbers of bytes.
    """

    path: Path
    name: str
    columns: Collection[str] | None = None
    progress: Progress = unwatched

    @contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """The file, for reading.

        Raises:
            StoreError: when it cannot be read.
        """
        try:
            with self.path.open("rb") as file:
                yield file
        except OSError as error:
            what = error.strerror or str(error)
            raise StoreError(f"{self.name} cannot be read: {what}") from None

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """The lines with their numbers and ends; a byte order mark is left out.

        Raises:
            StoreError: when one is longer than `LONGEST`.
        """
        unreported = 0
        with self.open() as file:
            readline, number, most = file.readline, 0, LONGEST + 1
            while line := readline(most):
                number += 1
                unreported += len(line)
                if len(line) == most:
                    raise self.too_long(f"line {number}")
                if unreported >= _STEP:
                    self.progress(unreported)
                    unreported = 0
                yield number, _without_mark(line) if number == 1 else line
        self.progress(unreported)

    def too_long(self, where: str) -> StoreError:
        """The error of a record that no memory should be filled with."""
        hint = "is it the format that its name says? a record has its own line"
        most = f"{LONGEST >> 20} MiB"
        return StoreError(f"{self.name}: {where} is longer than {most}", hint=hint)

    def text(self, line: bytes, number: int) -> str:
        """A line as text.

        Raises:
            StoreError: when it is no UTF-8.
        """
        try:
            return line.decode()
        except UnicodeDecodeError as error:
            what = f"byte 0x{line[error.start]:02x} at {error.start}"
            message = f"{self.name}: line {number} is not UTF-8 text: {what}"
            raise StoreError(message, hint="convert it, such as with iconv") from None


def _without_mark(line: bytes) -> bytes:
    return line.removeprefix(MARK)


@contextmanager
def mapped(source: Source) -> Iterator[Bytes]:
    """The bytes of a file, of which those that are looked at come into memory."""
    with source.open() as file:
        if not fstat(file.fileno()).st_size:  # nothing cannot be mapped
            yield b""
            return
        with mmap(file.fileno(), 0, access=ACCESS_READ) as data:
            yield data

"""Reading a file that is to be packed: what was read is counted."""

import io
from typing import BinaryIO

from lineage.store.reading import Progress


class Watched(io.RawIOBase):
    """A file whose reader is watched."""

    def __init__(self, file: BinaryIO, progress: Progress) -> None:
        self._file = file
        self._progress = progress

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1, /) -> bytes:
        data = self._file.read(size)
        self._progress(len(data))
        return data

"""One line that is written over, where somebody watches: how far something is."""

import os
import time
from typing import Self, TextIO

from lineage.cli.text import cut

_COLUMNS = 80
_PAUSE = 0.1  # seconds between two drawings


class Live:
    """The last line of `stream`; nothing at all unless it is `watched`."""

    def __init__(self, stream: TextIO, *, watched: bool = True) -> None:
        self._stream = stream
        self.watched = watched and stream.isatty()
        self._next = 0.0
        self._shown = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.clear()

    def is_due(self) -> bool:
        """Whether it is time to draw again; with True the next pause begins."""
        if not self.watched or time.monotonic() < self._next:
            return False
        self.wait(_PAUSE)
        return True

    def wait(self, seconds: float) -> None:
        """Be due in so many seconds."""
        self._next = time.monotonic() + seconds

    def show(self, text: str) -> None:
        """Draw the line anew."""
        if self.watched:
            self._shown = True
            self._write(cut(text, self._columns() - 1))

    def clear(self) -> None:
        """Take the line away, if there is one."""
        if self._shown:
            self._shown = False
            self._write("")

    def _write(self, text: str) -> None:
        self._stream.write(f"\r{text}\x1b[K")
        self._stream.flush()

    def _columns(self) -> int:
        try:
            return os.get_terminal_size(self._stream.fileno()).columns or _COLUMNS
        except (OSError, ValueError):
            return _COLUMNS

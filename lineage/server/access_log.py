"""The access log: who asked what, when, and what they were answered.

Lines of JSON in ``<home>/access/log.jsonl``, of all worker processes together. Once
it is large it becomes ``log.1.jsonl`` and so on, and the oldest goes. A line holds no
secret: tokens are there by their ids.
"""

import json
import logging
import os
from contextlib import suppress
from pathlib import Path
from threading import Lock

from lineage.server.asgi import Scope
from lineage.store.disk import locked
from lineage.store.events import now

SIZE = 16 << 20  # bytes of one file
KEPT = 8  # files beside the one that is written
_log = logging.getLogger("lineage.server")


class AccessLog:
    """Appends to the log of the registry whose own files are in `home`."""

    def __init__(self, home: Path, size: int = SIZE) -> None:
        self._folder = home / "access"
        self._path = self._folder / "log.jsonl"
        self._size = size
        self._file: int | None = None
        self._mutex = Lock()

    def note(self, scope: Scope, status: int, size: int, took: float) -> None:
        """Write the line of one request; `size` in bytes, `took` in seconds."""
        state = scope["state"]
        who = state.get("principal")
        line = {
            "time": now(),
            "address": state.get("address", ""),
            "name": who.name if who else None,
            "email": who.email if who else None,
            "token": who.token if who else None,
            "method": scope["method"],
            "path": scope["path"],
            "query": scope["query_string"].decode("latin-1"),
            "status": status,
            "bytes": size,
            "seconds": round(took, 6),
        }
        try:
            self._append(json.dumps(line).encode() + b"\n")
        except OSError as error:
            _log.error("the access log cannot be written: %s", error)

    def _append(self, line: bytes) -> None:
        with self._mutex:
            file = self._current()
            os.write(file, line)  # one write to a file opened to append: whole lines
            if os.fstat(file).st_size > self._size:
                self._rotate()

    def _current(self) -> int:
        """The file that has the log's name by now: others may have renamed ours."""
        with suppress(FileNotFoundError):
            if self._file is not None and os.path.samestat(
                os.fstat(self._file), self._path.stat()
            ):
                return self._file
        self.close()
        self._folder.mkdir(mode=0o700, exist_ok=True)
        how = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        self._file = os.open(self._path, how, 0o600)
        return self._file

    def _rotate(self) -> None:
        with locked(self._folder / "lock"):
            if self._path.stat().st_size <= self._size:
                return  # somebody else was first
            for number in range(KEPT - 1, 0, -1):
                with suppress(FileNotFoundError):
                    self._old(number).replace(self._old(number + 1))
            self._path.replace(self._old(1))

    def _old(self, number: int) -> Path:
        return self._folder / f"log.{number}.jsonl"

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

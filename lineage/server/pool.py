"""Open registries, each in the hands of one request at a time."""

from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Full, LifoQueue
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

from lineage.errors import LineageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lineage.registry import Registry

_KEPT = 16  # that are idle; each has a git, and files that are open


class Pool:
    """Registries of one folder: as many are open as requests are made at once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._idle: LifoQueue[Registry] = LifoQueue(_KEPT)

    @contextmanager
    def lease(self) -> "Iterator[Registry]":
        """Give a registry that nobody else has until the block ends.

        One that failed in a way that nobody foresaw is not used again.
        """
        import lineage

        try:
            registry = self._idle.get_nowait()
        except Empty:
            registry = lineage.open(self.root)
        try:
            yield registry
        except (LineageError, HTTPException):
            self._give_back(registry)
            raise
        except BaseException:
            registry.close()
            raise
        self._give_back(registry)

    def _give_back(self, registry: "Registry") -> None:
        """Keep a registry for the next request, if few are idle."""
        registry.rest()
        try:
            self._idle.put_nowait(registry)
        except Full:
            registry.close()

    def close(self) -> None:
        """Close those that are idle."""
        while not self._idle.empty():
            self._idle.get_nowait().close()

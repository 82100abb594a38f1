"""Files that a run has found not worth packing, so that the next leaves them alone.

A line each in ``<home>/unpackable``: the MD5, and on how many parents it could have
built then; with more of them packed it is tried again.
"""

from pathlib import Path

from lineage.registry import Registry
from lineage.store.disk import write_atomically


class Tried:
    """What is known so far; `save` writes it down."""

    def __init__(self, registry: Registry) -> None:
        self._path = Path(registry.home, "unpackable")
        self._known: dict[str, int] = {}
        if self._path.is_file():
            text = self._path.read_text(errors="replace")
            for oid, _, parents in (line.partition(" ") for line in text.splitlines()):
                self._known[oid] = int(parents) if parents.isdigit() else 0
        self._changed = False

    def __contains__(self, oid: object) -> bool:
        return oid in self._known

    def is_hopeless(self, oid: str, parents: int) -> bool:
        """Whether nothing was gained with no fewer parents to build on."""
        return self._known.get(oid, -1) >= parents

    def note(self, oid: str, parents: int) -> None:
        """Nothing was gained."""
        self._known[oid] = parents
        self._changed = True

    def save(self) -> None:
        """Write it down; only ever called by the one packer of a clone."""
        if self._changed:
            lines = (f"{oid} {count}\n" for oid, count in sorted(self._known.items()))
            write_atomically(self._path, "".join(lines).encode())
            self._changed = False

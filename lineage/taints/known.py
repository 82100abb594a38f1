"""The file of what taints reached: ``<home>/tainted``, derived, found by bisection.

It begins with the SHA-256 of the rest, a line of JSON, and then has a record for every
commit that was reached, sorted by id: the id and which of the ``reaches`` in the JSON
it has. Many commits share few of these.
"""

import json
import struct
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from lineage.store import summed
from lineage.taints.spread import NOBODY, Reach

FILE = "tainted"
_RECORD = struct.Struct(">32sI")


@dataclass(slots=True)
class Known:
    """What reached which commits, as of the event `tip`; `asked` are all taints."""

    tip: str = ""
    asked: list[str] = field(default_factory=list)
    reaches: list[Reach] = field(default_factory=list)
    base: bytes = b""
    fresh: dict[str, int] = field(default_factory=dict)

    def of(self, id_: str) -> Reach:
        """The taints that reached the commit `id_`, standing or not."""
        if id_ in self.fresh:
            return self.reaches[self.fresh[id_]]
        wanted = bytes.fromhex(id_)
        place = bisect_left(range(len(self.base) // _RECORD.size), wanted, key=self._id)
        start = place * _RECORD.size
        if self.base[start : start + len(wanted)] != wanted:
            return NOBODY
        number: int = _RECORD.unpack_from(self.base, start)[1]
        return self.reaches[number]

    def _id(self, place: int) -> bytes:
        start = place * _RECORD.size
        return self.base[start : start + 32]

    def add(self, id_: str, reach: Reach) -> None:
        """Note what reached one more commit."""
        if reach not in self.reaches:
            self.reaches.append(dict(reach))
        self.fresh[id_] = self.reaches.index(reach)

    def __iter__(self) -> Iterator[tuple[str, Reach]]:
        for id_, number in _RECORD.iter_unpack(self.base):
            yield id_.hex(), self.reaches[number]
        for id_, number in self.fresh.items():
            yield id_, self.reaches[number]

    def write(self, home: Path) -> None:
        """Write it down, where that can be done."""
        pairs = [*_RECORD.iter_unpack(self.base)]
        pairs += ((bytes.fromhex(id_), number) for id_, number in self.fresh.items())
        head = {"tip": self.tip, "asked": self.asked, "reaches": self.reaches}
        data = json.dumps(head).encode() + b"\n"
        data += b"".join(_RECORD.pack(*pair) for pair in sorted(pairs))
        summed.write(home / FILE, data)

    @classmethod
    def read(cls, home: Path) -> "Known":
        """What was written down; nothing where that is missing or damaged."""
        head, _, base = (summed.read(home / FILE) or b"{}").partition(b"\n")
        with suppress(ValueError, TypeError):
            return cls(**json.loads(head), base=base)
        return cls()


def forget(home: Path) -> None:
    """Remove what was written down: something else is known now."""
    (home / FILE).unlink(missing_ok=True)

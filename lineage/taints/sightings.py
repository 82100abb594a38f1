"""How many tainted records are in what came of them, as far as somebody has looked.

``<home>/tainted-records`` is derived: it keeps what reading the bytes has shown, which
never changes, because commits do not.
"""

import json
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import NamedTuple

from lineage.store import summed

_FILE = "tainted-records"


class Sighting(NamedTuple):
    """A dataset of `of` records has at least `low` and at most `high` of a taint's.

    None stands for what nobody counted.
    """

    low: int
    high: int | None
    of: int | None


@dataclass(slots=True)
class Sightings:
    """By the event of a taint and the id of a dataset."""

    seen: dict[str, dict[str, Sighting]] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many sightings there are."""
        return sum(map(len, self.seen.values()))

    def of(self, event: str, id_: str) -> Sighting | None:
        """What was seen of a taint in the dataset `id_`; None when nobody looked."""
        return self.seen.get(event, {}).get(id_)

    def none_in(self, event: str, id_: str) -> bool:
        """Whether it is known that none of a taint's records are in the dataset."""
        found = self.of(event, id_)
        return found is not None and found.high == 0

    def add(self, event: str, id_: str, found: Sighting) -> None:
        self.seen.setdefault(event, {})[id_] = found

    def write(self, home: Path) -> None:
        """Write them down, where that can be done."""
        data = json.dumps(asdict(self)["seen"], sort_keys=True).encode()
        summed.write(home / _FILE, data)

    @classmethod
    def read(cls, home: Path) -> "Sightings":
        """What was written down; nothing where that is missing or damaged."""
        with suppress(ValueError, TypeError, AttributeError):
            said = json.loads(summed.read(home / _FILE) or b"{}").items()
            return cls(
                {
                    event: {id_: Sighting(*seen) for id_, seen in of.items()}
                    for event, of in said
                }
            )
        return cls()

"""What a comparison may do beyond what every one does."""

from dataclasses import dataclass
from pathlib import Path

from lineage.store.reading import Progress, unwatched


@dataclass(frozen=True, slots=True)
class Options:
    """How to compare.

    `key` are the columns that say which record is which; `samples` how many records
    of each sort are shown; `rank` asks for the effective rank of every changed
    matrix; `text` is a file to tokenise both ways. `progress` gets numbers of bytes.
    """

    key: tuple[str, ...] = ()
    samples: int = 3
    rank: bool = False
    text: Path | None = None
    progress: Progress = unwatched

"""What every section of a diff is made from, and how it is asked to compare."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lineage.diff.parts import Pair, Side
from lineage.registry import Registry
from lineage.store.files import FileEntry
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


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two commits and what belongs to them, side by side.

    The first of `pairs` are the two commits themselves. `notes` gets a sentence for
    whatever could not be compared, `alike` the section and the label of what is the
    same in files that are not.
    """

    registry: Registry
    pairs: Sequence[Pair]
    options: Options
    notes: list[str] = field(default_factory=list)
    alike: list[tuple[str, str]] = field(default_factory=list)


def files(registry: Registry, side: Side | None) -> dict[str, FileEntry]:
    """The files of one side by path; empty directories are none of them."""
    if side is None:
        return {}
    found = registry.files(side.id)
    return {entry.path: entry for entry in found if not entry.is_directory}

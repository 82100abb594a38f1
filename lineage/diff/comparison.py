"""What every section of a diff is made from."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from lineage.diff.options import Options
from lineage.diff.parts import Pair
from lineage.registry import Registry


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

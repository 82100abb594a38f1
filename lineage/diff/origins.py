"""What two generations were trained on: how much is human, how much machine-written."""

from dataclasses import dataclass

from lineage.descent.shares import Composition
from lineage.diff.comparison import Comparison
from lineage.diff.parts import Side
from lineage.registry import Registry

_FIRST = ("model", "dataset")  # of a generation's parts, the one that it is made for


@dataclass(frozen=True, slots=True)
class Origins:
    """What the records of either side are made of; docs/trace.md has the arithmetic."""

    a: Composition
    b: Composition

    @property
    def differ(self) -> bool:
        """Whether one has more of something than the other."""
        return self.a != self.b


def compare(what: Comparison) -> Origins | None:
    """The origins of two generations; None of anything else, or where one has none."""
    pair = what.pairs[0]
    if pair.kind != "generation" or not (pair.a and pair.b):
        return None
    a, b = (_composition(what.registry, side) for side in (pair.a, pair.b))
    return Origins(a, b) if a and b else None


def _composition(registry: Registry, side: Side) -> Composition | None:
    """Of its model's training records; without a model, of its dataset."""
    from lineage.descent.ancestry import gather
    from lineage.descent.shares import Shares

    ancestry = gather(registry, side.id)
    found = Shares(ancestry, "records").compositions
    here = [id_ for id_ in side.commit.ids("includes") if id_ in ancestry.commits]
    kinds = {id_: ancestry.commits[id_].kind for id_ in here}
    ordered = [id_ for kind in _FIRST for id_ in here if kinds[id_] == kind]
    return next((found[id_] for id_ in ordered if id_ in found), None)

"""Whether a model's weights come from those of the model that it claims to start from.

Training moves weights, and not far: what a matrix was when training began can be seen
in it for long. Weights of models that were trained apart have nothing in common. So
the cosine between each matrix and the claimed parent's is compared with what it would
be by chance.

By chance: the hidden units of a network have no order, so of two models that were
trained apart one is turned against the other at random. The cosine of a fixed
m-by-k matrix with one that is turned so has mean 0 and a standard deviation of at most
1/√min(m, k), and about 1/√(mk) where no direction of the matrix is stronger than the
others. The larger one is used. z = cosine · √min(m, k), and over T matrices
Z = Σz / √T (Stouffer, 1949). Norms and biases, which are alike everywhere, and masks
are set aside.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING

from lineage.evidence.tensors import breadth, gram, in_common
from lineage.store.reading import Progress

if TYPE_CHECKING:
    from lineage.diff.tensors.stored import Stored

    Weights = Mapping[str, Stored]

RELATED = 6.0  # Z from here on is no chance
TYPICAL = 2.0  # and so is half of the matrices
CHANCE = 3.0  # Z up to here is what chance gives
TRACE = 6.0  # z of a single matrix that must come from somewhere
_TYPICAL_COSINE = 0.5  # of a child; where even that would be no more than chance…


@dataclass(frozen=True)
class Kinship:
    """How alike the matrices of two models are.

    `cosines` and `breadths` are by matrix; `distance` is the relative one over all of
    them, |a - b| / |b|.
    """

    cosines: Sequence[float]
    breadths: Sequence[int]
    distance: float

    @property
    def zs(self) -> list[float]:
        """How far from chance each matrix is, in standard deviations."""
        return [
            c * math.sqrt(b) for c, b in zip(self.cosines, self.breadths, strict=True)
        ]

    @property
    def z(self) -> float:
        """How far from chance all matrices together are."""
        return sum(self.zs) / math.sqrt(len(self.zs)) if self.zs else 0.0

    @property
    def cosine(self) -> float:
        """The cosine of half of the matrices is no smaller."""
        return median(self.cosines) if self.cosines else 0.0

    @property
    def related(self) -> bool | None:
        """Whether one's weights come from the other's, or both from a third's.

        None where chance could look like that, or like the opposite.
        """
        if not self.zs:
            return None
        if self.z >= RELATED and median(self.zs) >= TYPICAL:
            return True
        root = sum(map(math.sqrt, self.breadths)) / math.sqrt(len(self.zs))
        telling = _TYPICAL_COSINE * root >= RELATED
        if telling and self.z < CHANCE and max(self.zs) < TRACE:
            return False
        return None


def kinship(a: "Weights", b: "Weights", progress: Progress) -> Kinship:
    """Compare the matrices that two models have in common.

    Raises:
        LineageError: when they hold what is no number.
    """
    cosines, breadths, apart, whole = [], [], 0.0, 0.0
    for x, y in in_common(a, b):
        broad = min(breadth(x), breadth(y))
        if not broad:
            continue
        (xx, xy), (_, yy) = gram([x, y], progress).tolist()
        apart += xx - 2 * xy + yy
        whole += yy
        if xx and yy:
            cosines.append(xy / math.sqrt(xx * yy))
            breadths.append(broad)
    distance = math.sqrt(max(apart, 0.0) / whole) if whole else math.inf
    return Kinship(cosines, breadths, distance)

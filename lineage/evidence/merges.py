"""Whether a model is a sum of other models: the merge is made again and compared.

The weights of a linear merge need not be known: those that bring the sum nearest are
found by least squares over all tensors. Then every number of the child is compared
with the sum, rounded to the format that it is stored in.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from lineage.evidence.checked import (
    CONTRADICTED,
    UNDECIDED,
    VERIFIED,
    Checked,
    short,
)
from lineage.evidence.kinship import kinship
from lineage.evidence.rounding import rounded
from lineage.evidence.tensors import blocks, gram, in_common, tensors
from lineage.registry import Registry
from lineage.store.objects import Edge
from lineage.store.reading import Progress

if TYPE_CHECKING:
    import numpy as np

    from lineage.diff.tensors.stored import Stored

    Weights = Mapping[str, Stored]
    Row = Sequence[Stored]
    Factors = np.ndarray[Any, np.dtype[np.float64]]

METHOD = "linear merge"
_NOTHING = 1e-3  # a weight that is no larger adds nothing
_SURE = 20  # standard deviations


def check_merge(
    registry: Registry, child: str, edges: Sequence[Edge], progress: Progress
) -> Iterator[Checked]:
    """Look at the edges of the model `child` to the models that it is merged from.

    Raises:
        LineageError: when the weights of any of them cannot be read.
    """
    own = tensors(registry, child)
    parents = [tensors(registry, edge.id) for edge in edges]
    shared = rows_in_common(own, parents)
    figures = {"tensors": len(own), "compared": len(shared)}
    factors, off, total = _made_again(shared, progress)
    for number, (edge, parent) in enumerate(zip(edges, parents, strict=True)):
        if not off and len(shared) == len(own):
            yield _linear(edge, float(factors[number]), total, figures)
        else:
            more = {**figures, "elements": total, "off": off}
            yield _other(edge, own, parent, more, progress)


def rows_in_common(own: "Weights", parents: "Sequence[Weights]") -> "list[Row]":
    """Each float tensor that all have, with the parents' behind the child's."""
    from lineage.diff.tensors.widen import SIGNIFICAND

    found = [{x.name: y for x, y in in_common(own, parent)} for parent in parents]
    return [
        [tensor, *(each[name] for each in found)]
        for name, tensor in sorted(own.items())
        if tensor.dtype in SIGNIFICAND and all(name in each for each in found)
    ]


def _made_again(
    shared: "Sequence[Row]", progress: Progress
) -> "tuple[Factors, int, int]":
    """The weights of the sum, how many numbers are not it, and of how many."""
    import numpy as np

    if not shared:
        return np.zeros(0), 1, 0
    factors, unsure = _factors(shared, progress)
    off = total = 0
    for row in shared:
        for block in blocks(row, progress):
            parts, far = block[1:] * factors[:, None], np.abs(block[1:])
            near = rounded(
                block[0],
                parts.sum(axis=0),
                row[0].dtype,
                size=np.abs(parts).sum(axis=0),
                steps=len(row) - 1,
                slack=unsure @ far,
            )
            off += int((~near).sum())
            total += near.size
    return factors, off, total


def _factors(shared: "Sequence[Row]", progress: Progress) -> "tuple[Factors, Factors]":
    """The weights that bring the sum nearest, and how far off they may be.

    The child was rounded: errors of ε times its numbers, which shift a weight by about
    ε · rms(child) · √(inverse Gram matrix); `_SURE` times that is allowed for.
    """
    import numpy as np

    from lineage.diff.tensors.widen import SIGNIFICAND

    products = np.sum([gram(row, progress) for row in shared], axis=0)
    inverse = np.linalg.pinv(products[1:, 1:], rcond=1e-12, hermitian=True)
    bits = min(SIGNIFICAND[row[0].dtype] for row in shared)
    size = math.sqrt(products[0, 0] / sum(row[0].count for row in shared))
    spread = np.sqrt(np.maximum(np.diag(inverse), 0))
    return inverse @ products[1:, 0], _SURE * 2.0**-bits * size * spread


def _linear(
    edge: Edge, factor: float, total: int, figures: Mapping[str, Any]
) -> Checked:
    more = {**figures, "elements": total, "off": 0, "weight": short(factor, 6)}
    if abs(factor) <= _NOTHING:
        said = f"the others make all of its {total:,} numbers: this one has no weight"
        return Checked(edge, CONTRADICTED, METHOD, said, more)
    said = f"all of its {total:,} numbers are the sum, rounded; weight {factor:.4g}"
    return Checked(edge, VERIFIED, METHOD, said, more)


def _other(edge: Edge, own: "Weights", parent: "Weights", figures: Mapping[str, Any],
           progress: Progress) -> Checked:  # fmt: skip
    """No linear merge: is the child related to this parent at all?"""
    kin = kinship(own, parent, progress)
    more = {**figures, "matrices": len(kin.cosines)}
    said = "no sum of its parents"
    if kin.cosines:
        said += f"; median cosine {kin.cosine:.3f}, Z = {kin.z:.1f}"
        more |= {"cosine": short(kin.cosine), "z": short(kin.z)}
    verdict = CONTRADICTED if kin.related is False else UNDECIDED
    return Checked(edge, verdict, METHOD, said, more)

"""Whether a model is another one in fewer bits: each number is the nearest there is."""

from typing import TYPE_CHECKING

from lineage.evidence.checked import CONTRADICTED, UNDECIDED, VERIFIED, Checked
from lineage.evidence.kinship import kinship
from lineage.evidence.rounding import rounded
from lineage.evidence.tensors import blocks, in_common, tensors
from lineage.registry import Registry
from lineage.store.objects import Edge
from lineage.store.reading import Progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lineage.diff.tensors.stored import Stored

METHOD = "cast"


def check_cast(
    registry: Registry, child: str, edge: Edge, progress: Progress
) -> Checked:
    """Look at the edge of the model `child` to the one that it is in fewer bits.

    Floats in fewer bits are looked at one by one. Packed formats, whose integers mean
    something only with their scales, are not unpacked: no verdict.

    Raises:
        LineageError: when the weights of either cannot be read.
    """
    from lineage.diff.tensors.widen import SIGNIFICAND

    own, claimed = tensors(registry, child), tensors(registry, edge.id)
    pairs = in_common(own, claimed)
    floats = [(x, y) for x, y in pairs if {x.dtype, y.dtype} <= SIGNIFICAND.keys()]
    figures = {"tensors": len(own), "compared": len(floats)}
    if len(floats) < len(own):
        said = f"{len(floats):,} of {len(own):,} tensors are floats of the same shape"
        return Checked(edge, UNDECIDED, METHOD, f"{said}: no verdict", figures)
    off, total = _off(floats, progress)
    figures |= {"elements": total, "off": off}
    if not off:
        said = f"each of {total:,} numbers is the parent's, rounded"
        return Checked(edge, VERIFIED, METHOD, said, figures)
    said = f"{off:,} of {total:,} numbers are not the parent's, rounded"
    kin = kinship(own, claimed, progress)
    verdict = CONTRADICTED if kin.related is False else UNDECIDED
    said += f"; median cosine {kin.cosine:.3f}, Z = {kin.z:.1f}"
    return Checked(edge, verdict, METHOD, said, figures)


def _off(
    pairs: "Sequence[tuple[Stored, Stored]]", progress: Progress
) -> tuple[int, int]:
    """How many numbers are not the other's, rounded; and of how many."""
    import numpy as np

    off = total = 0
    for x, y in pairs:
        for block in blocks([x, y], progress):
            near = rounded(block[0], block[1], x.dtype, size=np.abs(block[1]))
            off += int((~near).sum())
            total += block.shape[1]
    return off, total

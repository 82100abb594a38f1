"""Whether a model was trained from the model that it names, and not from another one.

Related weights (`lineage.evidence.kinship`) show a common beginning, not who was first.
Two more looks tell siblings from children, where the registry has the models for it:

- The parent's own parent. If the child went on from the parent, it still has what the
  parent had learned: of the parent's own change it carries about all, t = 1. If it
  started from the grandparent beside the parent, it carries by chance what two
  trainings have in common. t = <C - G, P - G> / |P - G|².
- Rivals: other models of the same shapes. One that is much nearer than the claimed
  parent, and did not come from the child, may be the one that it started from.
"""

import math
from typing import TYPE_CHECKING, Any

from lineage.descent.roles import WEIGHTS
from lineage.errors import LineageError
from lineage.evidence.checked import (
    CONTRADICTED,
    UNDECIDED,
    VERIFIED,
    Checked,
    short,
)
from lineage.evidence.kinship import Kinship, kinship
from lineage.evidence.tensors import breadth, gram, in_common, tensors
from lineage.registry import Registry
from lineage.store.objects import Edge
from lineage.store.reading import Progress
from lineage.walks import descendants

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lineage.diff.tensors.stored import Stored

    Weights = Mapping[str, Stored]
    Both = tuple[Weights, Weights]

METHOD = "weight kinship"
CARRIED = 0.5  # of the parent's change, at least, by a child
LEFT = 0.25  # by a model beside it, at most
TOLD = 0.25  # of the way from the grandparent, at least, the parent has gone
NEARER = 0.8  # of the distance to the claimed parent: a rival that counts
_RIVALS = 32
_SAMPLE = 1 << 22  # elements that rivals are compared by


def check_start(
    registry: Registry, child: str, edge: Edge, progress: Progress
) -> Checked:
    """Look at the edge of the model `child` to the model that training started from.

    Raises:
        LineageError: when the weights of either cannot be read.
    """
    own, claimed = tensors(registry, child), tensors(registry, edge.id)
    kin = kinship(own, claimed, progress)
    figures = _figures(kin)
    if not kin.cosines:
        said = "the two have no matrix in common, by name and shape"
        return Checked(edge, UNDECIDED, METHOD, said, figures)
    if not kin.related:
        verdict, said = _unrelated(kin)
        return Checked(edge, verdict, METHOD, said, figures)
    said = f"related: {_cosines(kin)}, where chance gives |Z| < 3"
    verdict = VERIFIED
    for look in (_carried, _rivals):
        found = look(registry, child, edge.id, (own, claimed), progress)
        if found is not None:
            verdict, more, what = found
            said, figures = f"{said}; {more}", {**figures, **what}
        if verdict != VERIFIED:
            break
    return Checked(edge, verdict, METHOD, said, figures)


def _unrelated(kin: Kinship) -> tuple[str, str]:
    if kin.related is False:
        return CONTRADICTED, f"no more alike than by chance: {_cosines(kin)}"
    return UNDECIDED, f"neither clearly related nor clearly not: {_cosines(kin)}"


def _cosines(kin: Kinship) -> str:
    count = len(kin.cosines)
    of = f"{count:,} matrices" if count > 1 else "one matrix"
    cosine, z = round(kin.cosine, 3) + 0.0, round(kin.z, 1) + 0.0  # no -0.0
    return f"median cosine {cosine:.3f} over {of}, Z = {z:.1f}"


def _figures(kin: Kinship) -> dict[str, Any]:
    figures: dict[str, Any] = {"matrices": len(kin.cosines)}
    if kin.cosines:
        figures |= {
            "cosine": short(kin.cosine),
            "z": short(kin.z),
            "distance": short(kin.distance),
        }
    return figures


_Found = tuple[str, str, dict[str, Any]] | None


def _carried(
    registry: Registry, child: str, parent: str, both: "Both", progress: Progress
) -> _Found:
    """How much of the parent's own change the child has; None where nobody knows."""
    del child
    origins = registry.load(parent).ids("fine_tuned_from")
    if len(origins) != 1:
        return None
    try:
        base = tensors(registry, origins[0])
    except LineageError:
        return None
    along = moved = whole = 0.0
    for c, p, g in _sample(*both, base):
        (cc, cp, cg), (_, pp, pg), (_, _, gg) = gram([c, p, g], progress).tolist()
        along += cp - cg - pg + gg
        moved += pp - 2 * pg + gg
        whole += cc - 2 * cg + gg
    if not moved:
        return None
    t, part = along / moved, math.sqrt(moved / whole) if whole > 0 else math.inf
    figures = {"carried": short(t), "grandparent": origins[0]}
    if part < TOLD and t > LEFT:
        said = f"the parent is too near to {origins[0][:12]} to tell them apart"
        return UNDECIDED, said, figures
    said = f"of what changed from {origins[0][:12]} to the parent it carries {t:.2f}"
    verdict = VERIFIED if t >= CARRIED else UNDECIDED if t > LEFT else CONTRADICTED
    return verdict, said, figures


def _rivals(
    registry: Registry, child: str, parent: str, both: "Both", progress: Progress
) -> _Found:
    """Whether another model of the same shapes is much nearer than the parent."""
    own, claimed = both
    nearest, name, asked = math.inf, "", 0
    for rival, weights in _others(registry, child, parent, own):
        (to_rival, to_parent) = _distances(own, claimed, weights, progress)
        asked += 1
        if to_parent and to_rival / to_parent < nearest:
            nearest, name = to_rival / to_parent, rival
    if not name:
        return None
    figures = {
        "rivals": asked,
        "nearest": name,
        "nearest_to_parent": short(nearest),
    }
    if nearest >= NEARER:
        others = f"{asked} others" if asked > 1 else "one other"
        return VERIFIED, f"of {others} of its shapes none is nearer", figures
    said = f"{name[:12]} is nearer: {nearest:.2f} of the distance"
    return UNDECIDED, said, figures


def _others(
    registry: Registry, child: str, parent: str, own: "Weights"
) -> "Iterator[tuple[str, Weights]]":
    """Models of the same shapes that did not come from `child`, the latest first."""
    known = descendants(registry, [child], WEIGHTS) | {parent}
    known |= set(registry.load(parent).ids("fine_tuned_from"))
    seen = {_root(registry, id_) for id_ in (child, parent)}
    shapes, left = _shapes(own), _RIVALS
    for id_ in registry.select("kind(model)"):
        root = _root(registry, id_)
        if not left or id_ in known or root in seen or not root:
            continue
        seen.add(root)
        try:
            weights = tensors(registry, id_)
        except LineageError:
            continue
        if _shapes(weights) == shapes:
            left -= 1
            yield id_, weights


def _root(registry: Registry, id_: str) -> str:
    """What all files of a model hash to; empty where they are not kept here."""
    payload = registry.load(id_).stored
    return payload.root if payload else ""


def _shapes(weights: "Weights") -> dict[str, tuple[int, ...]]:
    return {name: tensor.shape for name, tensor in weights.items()}


def _distances(
    own: "Weights", claimed: "Weights", rival: "Weights", progress: Progress
) -> tuple[float, float]:
    """How far the child is from the rival, and from the claimed parent."""
    far = [0.0, 0.0]
    for c, r, p in _sample(own, rival, claimed):
        (cc, cr, cp), (_, rr, _), (_, _, pp) = gram([c, r, p], progress).tolist()
        far[0] += cc - 2 * cr + rr
        far[1] += cc - 2 * cp + pp
    return math.sqrt(max(far[0], 0.0)), math.sqrt(max(far[1], 0.0))


def _sample(*models: "Weights") -> "Iterator[Sequence[Stored]]":
    """Matrices that all of them have, some of each size, up to so many elements."""
    first = models[0]
    pairs = [{x.name: y for x, y in in_common(first, each)} for each in models[1:]]
    names = [n for n in first if all(first[n].name in found for found in pairs)]
    left = _SAMPLE
    for name in sorted(names, key=lambda n: first[n].count):
        tensor = first[name]
        if breadth(tensor) and left > 0:
            left -= tensor.count
            yield [tensor, *(found[tensor.name] for found in pairs)]

"""Changes summed up by layer and kind, and the verdict on all of them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from lineage.diff.tensors.changes import Group, TensorChange, Verdict
from lineage.diff.tensors.modules import KINDS
from lineage.diff.tensors.sums import Sums

_NEARLY = 0.9  # of the tensors: what trains nothing (buffers) is no reason to doubt
_UNLIKE = 0.1  # a cosine: fine-tuning leaves it near 1, another start makes it near 0
_AFTER = ("head", "norm")  # kinds that come after the last layer


def groups(tensors: Iterable[TensorChange]) -> tuple[Group, ...]:
    """All tensors on both sides by kind, and by layers to which the same happened."""
    by_kind = defaultdict[tuple[str, str], list[TensorChange]](list)
    for tensor in tensors:
        by_kind[tensor.place.stack, tensor.place.kind].append(tensor)
    found = [
        group
        for (stack, kind), members in by_kind.items()
        for group in _runs(stack, kind, members)
    ]
    return tuple(sorted(found, key=_order))


def _runs(stack: str, kind: str, members: list[TensorChange]) -> Iterator[Group]:
    by_layer = defaultdict[int, list[TensorChange]](list)
    for tensor in members:
        layer = tensor.place.layer
        by_layer[-1 if layer is None else layer].append(tensor)
    for _, run in groupby(sorted(by_layer), lambda n: (n < 0, _state(by_layer[n]))):
        layers = [*run]
        within = [tensor for layer in layers for tensor in by_layer[layer]]
        moved = [tensor for tensor in within if tensor.changed]
        span = None if layers[0] < 0 else (layers[0], layers[-1])
        yield Group(stack, span, kind, len(within), len(moved), added(moved))


def _state(tensors: Sequence[TensorChange]) -> str:
    moved = sum(tensor.changed for tensor in tensors)
    return "all" if moved == len(tensors) else "some" if moved else "none"


def added(tensors: Iterable[TensorChange]) -> Sums:
    """The sums of several tensors together."""
    total = Sums()
    for tensor in tensors:
        total.add(tensor.sums or Sums())
    return total


def _order(group: Group) -> tuple[bool, str, int, tuple[int, int]]:
    """As data goes through a model: embeddings, layers, what comes after them."""
    known = KINDS.index(group.kind) if group.kind in KINDS else len(KINDS)
    late = group.layers is None and group.kind != "embedding"
    return late, group.stack, known, group.layers or (-1, -1)


def verdict(
    tensors: Sequence[TensorChange], ranks: dict[tuple[str, str], int | None]
) -> Verdict:
    """What sort of change this is, of all tensors that both sides have.

    `ranks` are those of changed matrices by kind and module, None where not low.
    """
    moved = [t for t in tensors if t.changed]
    size = len(moved), len(tensors)
    kinds = {t.place.kind: None for t in tensors}
    touched = {t.place.kind for t in moved}
    frozen = tuple(sorted((k for k in kinds if k not in touched), key=_known))
    dtypes = _dtypes(tensors)
    if not tensors:
        return Verdict("nothing in common", *size)
    if not moved:
        return Verdict("cast" if dtypes else "same values", *size, dtypes)
    if low := _low(moved, ranks):
        rank, modules, beside = low
        return Verdict("low rank", *size, dtypes, _layers(tensors, moved), rank,
                       modules, beside, frozen)  # fmt: skip
    layers = _layers(tensors, moved)
    outside = {t.place.kind for t in moved if t.place.layer is None}
    if layers and outside <= {*_AFTER}:
        beside = tuple(sorted(outside, key=_known))
        return Verdict("last layers", *size, dtypes, layers, beside=beside,
                       frozen=frozen)  # fmt: skip
    whole = len(moved) >= _NEARLY * len(tensors)
    what = ("anew" if _unlike(moved) else "all") if whole else "part"
    return Verdict(what, *size, dtypes, frozen=frozen)


def _dtypes(tensors: Iterable[TensorChange]) -> tuple[str, str] | None:
    """The old and the new dtype of the first tensor that has another one."""
    for tensor in tensors:
        if tensor.change == "retyped" and tensor.a and tensor.b:
            return tensor.a.dtype, tensor.b.dtype
    return None


def _unlike(moved: Sequence[TensorChange]) -> bool:
    """Whether the matrices of all layers together point elsewhere."""
    matrices = [
        t for t in moved if t.place.layer is not None and t.place.kind != "norm"
    ]
    cosine = added(matrices).cosine
    return cosine is not None and cosine < _UNLIKE


def _known(kind: str) -> tuple[int, str]:
    return (KINDS.index(kind) if kind in KINDS else len(KINDS)), kind


def _low(
    moved: Sequence[TensorChange], ranks: dict[tuple[str, str], int | None]
) -> tuple[int, tuple[str, ...], tuple[str, ...]] | None:
    """The greatest rank, the modules, and the kinds of what else has changed."""
    low = {key: rank for key, rank in ranks.items() if rank is not None}
    if not low or len(low) < len(ranks):
        return None
    others = [t for t in moved if (t.place.kind, t.place.module) not in low]
    beside = sorted({t.place.kind for t in others}, key=_known)
    modules = dict.fromkeys(module for _, module in sorted(low))
    return max(low.values()), tuple(modules), tuple(beside)


def _layers(
    tensors: Sequence[TensorChange], moved: Sequence[TensorChange]
) -> tuple[int, int] | None:
    """How many of the last layers changed, of how many; None if others did, too."""
    stacks = {t.place.stack for t in moved if t.place.layer is not None}
    if len(stacks) != 1:
        return None
    [stack] = stacks
    every = sorted({_layer(t) for t in tensors if t.place.stack == stack})
    touched = sorted({_layer(t) for t in moved if t.place.stack == stack})
    whole = len(touched) == len(every)
    if whole or touched != every[-len(touched) :]:
        return None
    return len(touched), len(every)


def _layer(tensor: TensorChange) -> int:
    layer = tensor.place.layer
    return -1 if layer is None else layer

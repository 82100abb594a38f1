"""What is said of each tensor: its sums, the rank of its change, what is no number."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from lineage.diff.tensors.changes import Form, TensorChange
from lineage.diff.tensors.stored import Stored
from lineage.store.reading import Progress

_LOOKED_AT = 3  # matrices of a module: the first, the middle one, the last
_NOT_JUDGED = frozenset({"embedding", "head"})  # few rows of them may be trained at all

_Pairs = Mapping[str, tuple[Stored, Stored]]


def measured(
    names: Sequence[tuple[str, str]], pairs: _Pairs, progress: Progress
) -> list[TensorChange]:
    """Every tensor that both sides have, changed or not."""
    from lineage.diff.tensors.comparing import compare, rows

    sums_of = compare([pairs[new] for _, new in names], progress)
    found = []
    for (old, new), sums in zip(names, sums_of, strict=True):
        a, b = pairs[new]
        found.append(
            TensorChange(
                new,
                _form(a),
                _form(b),
                was=old if old != new else None,
                sums=sums if sums and sums.count else None,
                rows=None if a.shape == b.shape else rows(a, b),
                same=sums is None,
            )
        )
    return found


def _form(tensor: Stored) -> Form:
    return Form(tensor.dtype, tensor.shape)


def alone(
    side: Mapping[str, Stored], names: list[str], twins: Mapping[str, str], where: str
) -> Iterator[TensorChange]:
    """Tensors that only one side has."""
    for name in names:
        form = _form(side[name])
        a, b = (form, None) if where == "a" else (None, form)
        yield TensorChange(name, a, b, twin=twins.get(name))


def low_ranks(
    tensors: Sequence[TensorChange], pairs: _Pairs
) -> dict[tuple[str, str], int | None]:
    """The rank of the change of each module that has matrices; None where not low.

    Some matrices of a module stand for all; the greatest rank among them counts.
    """
    from lineage.diff.tensors.comparing import threads
    from lineage.diff.tensors.ranks import is_matrix, low_rank

    modules = defaultdict[tuple[str, str], list[str]](list)
    for tensor in tensors:
        kind, module = tensor.place.kind, tensor.place.module
        judged = kind not in _NOT_JUDGED and is_matrix(*pairs[tensor.name])
        if judged and tensor.changed:
            modules[kind, module].append(tensor.name)
    chosen = [(key, name) for key, names in modules.items() for name in _spread(names)]
    found: dict[tuple[str, str], int | None] = {}
    with threads() as pool:
        ranks = pool.map(lambda pick: low_rank(*pairs[pick[1]]), chosen)
        for (key, _), rank in zip(chosen, ranks, strict=True):
            before = found.get(key, 0)
            low = rank is not None and before is not None
            found[key] = max(rank or 0, before or 0) if low else None
    return found


def _spread(names: Sequence[str]) -> list[str]:
    """The first, the middle one and the last."""
    last = len(names) - 1
    places = sorted({round(last * i / (_LOOKED_AT - 1)) for i in range(_LOOKED_AT)})
    return [names[place] for place in places]


def ranked(tensors: Sequence[TensorChange], pairs: _Pairs) -> list[TensorChange]:
    from lineage.diff.tensors.ranks import rank

    return [
        replace(tensor, rank=rank(*pairs[tensor.name])) if tensor.moved else tensor
        for tensor in tensors
    ]


def wild(tensors: Sequence[TensorChange]) -> Iterator[str]:
    """Name the tensors that hold what is no number, on either side."""
    for side, which in enumerate(("old", "new")):
        names = [
            tensor.name
            for tensor in tensors
            if tensor.sums and tensor.sums.nan[side] + tensor.sums.inf[side]
        ]
        if names:
            more = f" and {len(names) - 1} more" if len(names) > 1 else ""
            yield (f"{names[0]}{more} of the {which} side has NaN or infinities, "
                   "which are left out of all sums")  # fmt: skip


def most(tensor: TensorChange) -> tuple[int, float, str]:
    """Those with other values first, by how far they moved."""
    if not tensor.moved:
        sorts = ("added", "removed")
        order = sorts.index(tensor.change) if tensor.change in sorts else len(sorts)
        return 2 + order, 0.0, tensor.name
    sums = tensor.sums
    if sums is None:
        return 1, 0.0, tensor.name
    distance = float("inf") if sums.relative is None else sums.relative
    return 0, -distance, tensor.name

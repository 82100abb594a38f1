"""The tensors of models, read in parts: inner products are all that is kept."""

from typing import TYPE_CHECKING

from lineage.errors import LineageError
from lineage.registry import Registry
from lineage.store.reading import Progress

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np

    from lineage.diff.tensors.stored import Stored

    Doubles = np.ndarray[tuple[int, int], np.dtype[np.float64]]

_CHUNK = 1 << 19  # elements
_FEW = 16  # values: what has no more of them is a mask or a table


def tensors(registry: Registry, id_: str) -> "Mapping[str, Stored]":
    """The tensors of the model `id_` by name.

    Raises:
        LineageError: when it has none, or not all of them can be read.
    """
    from lineage.diff.tensors.weights import read

    notes: list[str] = []
    files = {e.path: e for e in registry.files(id_) if not e.is_directory}
    found = read(registry, files, notes, "")
    if not found.whole:
        raise LineageError(f"the weights of {id_[:12]} cannot be read: {notes[0]}")
    if not found.tensors:
        raise LineageError(f"{id_[:12]} has no weights here that can be read")
    return found.tensors


def in_common(
    a: "Mapping[str, Stored]", b: "Mapping[str, Stored]"
) -> "list[tuple[Stored, Stored]]":
    """The tensors that both have, by name and shape, and in a number format.

    A beginning that all names of one side have (``model.``) does not matter.
    """
    from lineage.diff.tensors.widen import NUMERIC

    pairs = ((a[name], b[other]) for name, other in _names(a, b))
    return [
        (x, y)
        for x, y in pairs
        if x.shape == y.shape and {x.dtype, y.dtype} <= NUMERIC and x.count
    ]


def _names(
    a: "Mapping[str, Stored]", b: "Mapping[str, Stored]"
) -> list[tuple[str, str]]:
    from lineage.diff.tensors.matching import match

    return sorted(match(a, b).pairs)


def breadth(tensor: "Stored") -> int:
    """The smaller side of a matrix; 0 of what is none: a norm, a bias, a mask."""
    from lineage.store.safetensors import BITS

    if len(tensor.shape) < 2 or tensor.dtype[0] not in "FB" or tensor.dtype == "BOOL":
        return 0
    some = min(tensor.count, _CHUNK)
    raw = tensor.read(0, some * BITS[tensor.dtype] // 8)
    if len(set(_doubles(tensor.dtype, raw[: 8 * 4096], 4096).tolist())) <= _FEW:
        return 0
    rows = tensor.shape[0]
    return min(rows, tensor.count // rows)


def blocks(
    same: "Sequence[Stored]", progress: Progress, *, rows: int = 1
) -> "Iterator[Doubles]":
    """Tensors of one shape side by side, (tensors, elements), a block at a time.

    A block has whole groups of `rows` elements.
    """
    import numpy as np

    from lineage.store.safetensors import BITS

    step = max(_CHUNK // rows, 1) * rows
    for start in range(0, same[0].count, step):
        stop = min(start + step, same[0].count)
        block = np.empty((len(same), stop - start))
        for number, tensor in enumerate(same):
            ends = [place * BITS[tensor.dtype] // 8 for place in (start, stop)]
            block[number] = _doubles(tensor.dtype, tensor.read(*ends), stop - start)
            tensor.release(*ends)
            progress(ends[1] - ends[0])
        yield block


def _doubles(
    dtype: str, raw: "np.ndarray[tuple[int], np.dtype[np.uint8]]", most: int
) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    import numpy as np

    from lineage.diff.tensors.widen import widen
    from lineage.store.safetensors import BITS

    out = np.empty(min(len(raw) * 8 // BITS[dtype], most))
    widen(dtype, raw[: len(out) * BITS[dtype] // 8], out)
    return out


def gram(same: "Sequence[Stored]", progress: Progress) -> "Doubles":
    """All inner products of tensors of one shape.

    Raises:
        LineageError: when they hold what is no number.
    """
    import numpy as np

    total = np.zeros((len(same), len(same)))
    for block in blocks(same, progress):
        total += block @ block.T
    if not np.isfinite(total).all():
        raise LineageError(f"{same[0].name} holds NaN or infinities")
    return total


def whole(tensor: "Stored") -> "Doubles":
    """A small matrix, all of it."""
    import numpy as np

    parts = [block[0] for block in blocks([tensor], lambda _: None)]
    return np.concatenate(parts).reshape(tensor.shape)

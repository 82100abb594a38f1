"""Whether a model is its base with a LoRA adapter merged in: W + scale · B A.

Hu et al., "LoRA" (2021), as PEFT stores it: ``adapter_config.json`` has r and
``lora_alpha``, scale = alpha / r (rsLoRA: alpha / √r), and a module's A (r, in) and
B (out, r) stand beside each other by its name.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lineage.errors import LineageError
from lineage.evidence.checked import (
    CONTRADICTED,
    UNDECIDED,
    VERIFIED,
    Checked,
    short,
)
from lineage.evidence.merges import rows_in_common
from lineage.evidence.rounding import rounded
from lineage.evidence.tensors import blocks, tensors, whole
from lineage.records import place
from lineage.registry import Registry
from lineage.store.objects import Edge
from lineage.store.reading import Progress
from lineage.wording import in_percent

if TYPE_CHECKING:
    import numpy as np

    from lineage.diff.tensors.stored import Stored

    Matrix = np.ndarray[tuple[int, int], np.dtype[np.float64]]

METHOD = "LoRA merge"
CONFIG = "adapter_config.json"
_PREFIX, _A, _B = "base_model.model.", ".lora_A.weight", ".lora_B.weight"
_OTHERWISE = ("use_dora", "lora_bias", "rank_pattern", "alpha_pattern")
_EXPLAINED = 0.5  # of the change, by the adapter, or it is another one


@dataclass(frozen=True)
class Adapter:
    """What is added to which module: scale · B A, turned where `across`."""

    scale: float
    across: bool
    modules: "Mapping[str, tuple[Stored, Stored]]"


@dataclass
class _Tally:
    """Numbers looked at, and off; the change that was made, and what is left of it."""

    total: int = 0
    off: int = 0
    changed: float = 0.0
    left: float = 0.0


def is_adapter(registry: Registry, id_: str) -> bool:
    """Whether a commit holds a PEFT adapter and no whole model."""
    return any(entry.path == CONFIG for entry in registry.files(id_))


def check_adapter(
    registry: Registry, child: str, edges: Sequence[Edge], progress: Progress
) -> Iterator[Checked]:
    """Look at the edges of the model `child` to its base and to the adapter in it.

    Raises:
        LineageError: when one of them cannot be read, or it is no plain LoRA.
    """
    [base] = [e for e in edges if not is_adapter(registry, e.id)]
    [added] = [e for e in edges if is_adapter(registry, e.id)]
    adapter = _read(registry, added.id)
    own = tensors(registry, child)
    shared = rows_in_common(own, [tensors(registry, base.id)])
    tally = _compare(shared, adapter, progress)
    if len(shared) < len(own):
        tally.off += 1  # something of the child is not in the base
    for edge in (base, added):
        yield _judge(edge, tally, adapter, is_base=edge is base)


def _read(registry: Registry, id_: str) -> Adapter:
    entry = next(e for e in registry.files(id_) if e.path == CONFIG)
    try:
        config = json.loads(place(registry, entry).read_bytes())
        rank, alpha = int(config["r"]), float(config["lora_alpha"])
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise LineageError(f"{CONFIG} of {id_[:12]} is malformed: {error}") from None
    if kinds := [name for name in _OTHERWISE if config.get(name)]:
        raise LineageError(f"{id_[:12]} is no plain LoRA: it has {kinds[0]}")
    return Adapter(
        alpha / (math.sqrt(rank) if config.get("use_rslora") else rank),
        bool(config.get("fan_in_fan_out")),
        _modules(id_, tensors(registry, id_)),
    )


def _modules(id_: str, found: "Mapping[str, Stored]") -> "dict[str, Any]":
    """A and B by the name of the module that they are added to."""
    modules = {
        name.removeprefix(_PREFIX).removesuffix(_A): (tensor, found[other])
        for name, tensor in found.items()
        if name.endswith(_A) and (other := name.removesuffix(_A) + _B) in found
    }
    if 2 * len(modules) != len(found):
        raise LineageError(f"{id_[:12]} is no plain LoRA: it holds other tensors, too")
    return modules


def _compare(
    shared: "Sequence[Sequence[Stored]]", adapter: Adapter, progress: Progress
) -> _Tally:
    """Make the merge again, tensor by tensor."""
    tally, left = _Tally(), dict(adapter.modules)
    for own, base in shared:
        name = next((m for m in left if _is_of(own.name, m)), None)
        pair = left.pop(name) if name is not None else None
        _compare_one(own, base, pair and _factors(pair, adapter, own), tally, progress)
    if left:
        raise LineageError(f"the base has no module {min(left)}")
    return tally


def _is_of(name: str, module: str) -> bool:
    return f".{name}".endswith(f".{module}.weight")


def _factors(
    pair: "tuple[Stored, Stored]", adapter: Adapter, own: "Stored"
) -> "tuple[Matrix, Matrix]":
    """Two matrices whose product is added, in the shape of the tensor."""
    a, b = (whole(tensor) for tensor in pair)
    left, right = (a.T, b.T) if adapter.across else (b, a)
    if (len(left), right.shape[1]) != own.shape:
        raise LineageError(f"the adapter does not fit {own.name}")
    return adapter.scale * left, right


def _compare_one(own: "Stored", base: "Stored", factors: "tuple[Matrix, Matrix] | None",
                 tally: _Tally, progress: Progress) -> None:  # fmt: skip
    import numpy as np

    columns, start = (own.shape[-1] if factors else 1), 0
    for now, before in blocks([own, base], progress, rows=columns):
        added, size = np.zeros(1), np.abs(before)
        if factors:
            stop = start + len(now) // columns
            left, right = factors[0][start:stop], factors[1]
            added = (left @ right).reshape(-1)
            size = size + (np.abs(left) @ np.abs(right)).reshape(-1)
            start = stop
        wanted = before + added
        steps = 3 if factors else int(own.dtype != base.dtype)  # roundings
        near = rounded(now, wanted, own.dtype, size=size, steps=steps)
        tally.total += now.size
        tally.off += int((~near).sum())
        tally.changed += float(((now - before) ** 2).sum())
        tally.left += float(((now - wanted) ** 2).sum())


def _judge(edge: Edge, tally: _Tally, adapter: Adapter, *, is_base: bool) -> Checked:
    explained = 1 - tally.left / tally.changed if tally.changed else 0.0
    figures = {
        "elements": tally.total,
        "off": tally.off,
        "modules": len(adapter.modules),
        "explained": short(explained),
    }
    if not tally.off:
        said = f"all of its {tally.total:,} numbers are the base with the adapter added"
        return Checked(edge, VERIFIED, METHOD, said, figures)
    part = in_percent(max(explained, 0), 0)
    said = f"the adapter explains {part} of what changed from the base"
    foreign = explained < _EXPLAINED and not is_base
    verdict = CONTRADICTED if foreign else UNDECIDED
    return Checked(edge, verdict, METHOD, said, figures)

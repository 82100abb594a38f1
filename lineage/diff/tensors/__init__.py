"""Models tensor by tensor: added, renamed, reshaped, retyped, and how far values moved.

Tensors are read where they lie, without torch; of a file that is the same on both
sides only the header is. docs/diff-tensors.md defines every figure.
"""

from collections.abc import Iterator

from lineage.diff.comparison import Comparison, files
from lineage.diff.parts import Pair
from lineage.diff.settings import Change
from lineage.diff.settings import changes as settings
from lineage.diff.tensors.changes import (
    Form,
    Group,
    TensorChange,
    TensorChanges,
    Verdict,
)
from lineage.diff.tensors.groups import groups, verdict
from lineage.diff.tensors.measuring import (
    alone,
    low_ranks,
    measured,
    most,
    ranked,
    wild,
)
from lineage.diff.tensors.weights import Weights, read, weight_files

__all__ = ["Form", "Group", "TensorChange", "TensorChanges", "Verdict", "compare"]

_GGUF = "a GGUF file names and packs tensors in a way of its own: not compared"


def compare(what: Comparison) -> tuple[TensorChanges, ...]:
    """The models whose tensors differ; notes say what could not be compared."""
    return tuple(
        found
        for pair in what.pairs
        if pair.kind == "model" and pair.whole and (pair.part or not pair.label)
        if (found := _of_pair(what, pair))
    )


def _of_pair(what: Comparison, pair: Pair) -> TensorChanges | None:
    old, new = (files(what.registry, side) for side in (pair.a, pair.b))
    sides = [
        {path: entry.sha256 for path, entry in weight_files(side).items()}
        for side in (old, new)
    ]
    if sides[0] == sides[1]:
        return None
    if not _has_numpy():
        then = "install it: pip install 'lineage-vcs[diff]'"
        what.notes.append(f"tensors are not compared: that needs numpy; {then}")
        return None
    prefix = f"{pair.label}/" if pair.label else ""
    a, b = (read(what.registry, side, what.notes, prefix) for side in (old, new))
    found = _of_weights(what, pair.label, a, b)
    if found is not None and not found and a.whole and b.whole:
        what.alike.append(("tensors", pair.label))
    return found


def _has_numpy() -> bool:
    try:
        import numpy as np  # noqa: F401
    except ImportError:
        return False
    return True


def _of_weights(
    what: Comparison, label: str, a: Weights, b: Weights
) -> TensorChanges | None:
    from lineage.diff.tensors.matching import match

    if not a.tensors or not b.tensors:
        return None
    if ({*a.facts} == {".gguf"}) != ({*b.facts} == {".gguf"}):
        what.notes.append(_of(label, _GGUF))
        return None
    matches = match(a.tensors, b.tensors)
    pairs = {new: (a.tensors[old], b.tensors[new]) for old, new in matches.pairs}
    tensors = measured(matches.pairs, pairs, what.options.progress)
    low = low_ranks(tensors, pairs)
    if what.options.rank:
        tensors = ranked(tensors, pairs)
    what.notes.extend(_of(label, note) for note in wild(tensors))
    listed = [tensor for tensor in tensors if tensor.change != "same"]
    if b.whole:
        listed += alone(a.tensors, matches.removed, matches.twins, "a")
    if a.whole:
        listed += alone(b.tensors, matches.added, matches.twins, "b")
    return TensorChanges(
        label,
        tuple(sorted(listed, key=most)),
        groups(tensors),
        verdict(tensors, low),
        tuple(_facts(a, b)),
    )


def _of(label: str, note: str) -> str:
    return f"{label}: {note}" if label else note


def _facts(a: Weights, b: Weights) -> Iterator[Change]:
    """What files of the same format say differently beside their tensors."""
    for format_ in sorted(a.facts.keys() & b.facts.keys()):
        yield from settings("", a.facts[format_], b.facts[format_])

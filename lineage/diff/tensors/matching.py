"""Which tensor of one side is which of the other: by name, by prefix, by bytes.

Names may have got or lost a common beginning (``module.``, ``base_model.model.``,
``bert.``). What is then left over is the same tensor under another name where dtype,
shape and every byte are the same.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial

from lineage.diff.tensors.comparing import same
from lineage.diff.tensors.stored import Stored

_END = 64  # bytes at either end that tell most tensors apart
_Names = tuple[str, str]


@dataclass
class Matches:
    """Pairs of names, old and new, and the names without partner.

    `twins` are of those that another tensor of their side has the bytes of: weights
    that are tied, and stored once or twice.
    """

    pairs: list[_Names] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    added: list[str] = field(default_factory=list)
    twins: dict[str, str] = field(default_factory=dict)


def match(a: Mapping[str, Stored], b: Mapping[str, Stored]) -> Matches:
    """Pair the tensors of two sides, given by their names."""
    found = Matches([(name, name) for name in a if name in b])
    for find in (_by_prefix, _by_bytes):
        found.pairs += find(*_rest(found, a, b))
    old, new = _rest(found, a, b)
    found.removed, found.added = [*old], [*new]
    found.twins = _twins(a, found.removed) | _twins(b, found.added)
    return found


def _rest(
    found: Matches, a: Mapping[str, Stored], b: Mapping[str, Stored]
) -> tuple[dict[str, Stored], dict[str, Stored]]:
    """What no pair has."""
    left, right = ({pair[side] for pair in found.pairs} for side in (0, 1))
    return (
        {name: tensor for name, tensor in a.items() if name not in left},
        {name: tensor for name, tensor in b.items() if name not in right},
    )


def _by_prefix(old: Mapping[str, Stored], new: Mapping[str, Stored]) -> list[_Names]:
    """Pairs of names that differ in one beginning, the one that fits most."""
    got, gains = _beginning(old, new)
    lost, losses = _beginning(new, old)
    if gains >= losses:
        pairs = [(name, got + name) for name in old if gains]
    else:
        pairs = [(lost + name, name) for name in new]
    return [(x, y) for x, y in pairs if _alike_shaped(old.get(x), new.get(y))]


def _alike_shaped(a: Stored | None, b: Stored | None) -> bool:
    return a is not None and b is not None and a.shape == b.shape


def _beginning(short: Iterable[str], long: Iterable[str]) -> tuple[str, int]:
    """What most of the names in `long` have before a name in `short`; and how many."""
    known, counts = set(short), Counter[str]()
    for name in long:
        parts = name.split(".")
        for i in range(1, len(parts)):
            if ".".join(parts[i:]) in known:
                counts[".".join([*parts[:i], ""])] += 1
                break
    return counts.most_common(1)[0] if counts else ("", 0)


def _by_bytes(old: Mapping[str, Stored], new: Mapping[str, Stored]) -> list[_Names]:
    """Pairs of the same bytes; between several, those that are called most alike."""
    found = []
    forms = defaultdict[object, list[str]](list)
    for name, tensor in new.items():
        forms[_form(tensor)].append(name)
    for name, tensor in old.items():
        candidates = forms[_form(tensor)]
        candidates.sort(key=partial(_alike, name), reverse=True)
        partner = next((c for c in candidates if same(tensor, new[c])), None)
        if partner is not None:
            candidates.remove(partner)
            found.append((name, partner))
    return found


def _form(tensor: Stored) -> object:
    """What tensors of the same bytes have in common, found without reading them."""
    ends = [tensor.read(0, _END), tensor.read(max(tensor.size - _END, 0), tensor.size)]
    seen = tensor.dtype, tensor.shape, *(end.tobytes() for end in ends)
    tensor.release(0, tensor.size)
    return seen


def _alike(one: str, other: str) -> int:
    """How many components of two names are the same, from the end."""
    pairs = zip(reversed(one.split(".")), reversed(other.split(".")), strict=False)
    return sum(a == b for a, b in pairs)


def _twins(side: Mapping[str, Stored], names: list[str]) -> dict[str, str]:
    """Of each matrix of `names` another one of its side with the same bytes."""
    found = {}
    for name in names:
        one = side[name]
        if len(one.shape) < 2 or not one.size:
            continue
        others = (n for n, t in side.items() if n != name and _tied(one, t))
        if twin := next(others, None):
            found[name] = twin
    return found


def _tied(a: Stored, b: Stored) -> bool:
    return (a.dtype, a.shape) == (b.dtype, b.shape) and same(a, b)

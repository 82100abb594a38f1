"""How taints go from parents to a commit, along edges of `REACHING`.

A tainted commit marks all that came of it. Tainted records mark a dataset that is
derived from theirs as long as nobody has seen that it has none of them; what was
trained on them, or written by such a model, is marked whatever records it has.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from lineage.descent.roles import REACHING

REACHED, HOLDS = 0, 1
"""A taint reached a commit; or it may have reached it, as records among its own."""

Reach: TypeAlias = Mapping[str, int]
"""The taints that reached a commit, by their events."""

NOBODY: Reach = {}


def spread(
    kind: str,
    above: Iterable[tuple[str, Reach]],
    clean: Callable[[str], bool],
) -> dict[str, int]:
    """The taints that a commit has from its parents.

    Args:
        kind: of the commit.
        above: for each edge its role, and what reached the parent.
        clean: whether the commit is known to have none of a taint's records.
    """
    found: dict[str, int] = {}
    for role, reach in above:
        if reach and role in REACHING:
            derived = kind == "dataset" and role == "derived_from"
            for event, how in reach.items():
                found[event] = min(found.get(event, HOLDS), how if derived else REACHED)
    return {e: how for e, how in found.items() if how == REACHED or not clean(e)}

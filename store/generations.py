"""How many machine-written turns lie behind a commit."""

from collections.abc import Callable, Iterable

from lineage.store.objects import Edge

# Roles that do not say where a thing comes from, and those that are a turn.
_NOT_ORIGIN = frozenset({"evaluated_on", "configured_by", "revises"})
MACHINE_TURN = frozenset({"generated_by", "distilled_from"})


def generation(edges: Iterable[Edge], of: Callable[[str], int]) -> int:
    """A commit's generation from its edges and the generations `of` its parents.

    The greatest of its parents', plus one along generated_by and distilled_from: a
    seed model is generation 0, what it writes, and the model trained on that, are 1.
    """
    origins = (edge for edge in edges if edge.role not in _NOT_ORIGIN)
    return max((of(e.id) + (e.role in MACHINE_TURN) for e in origins), default=0)

"""What stays reachable in git when names move: nobody's word is taken for it.

A commit that nothing reaches is removed by git one day, and the log with it. Whoever
moves a name may say that the old commit is ``kept``; here that is seen to.
"""

from collections.abc import Iterable, Mapping, Sequence

from lineage.registry import Registry
from lineage.store import names
from lineage.store.arrivals import Arrived
from lineage.store.objects import Commit
from lineage.store.views import Move


def judged(
    registry: Registry, moves: Sequence[Move], came: Mapping[str, Commit]
) -> list[Move]:
    """The moves, each `kept` only where something else reaches its `before`."""
    reached = {move.after.id for move in moves if move.after}
    for id_ in list(reached):
        reached.update((came.get(id_) or registry.load(id_)).ids())
    gone = {names.ref(move.ref) for move in moves}
    return [
        move._replace(
            kept=move.before is None
            or move.before.id in reached
            or (move.kept and _is_named(registry, move.before.git, gone))
        )
        for move in moves
    ]


def _is_named(registry: Registry, oid: str, but: set[str]) -> bool:
    """Whether a name other than those reaches a git commit."""
    told = ("--contains", oid, "--format=%(refname)", f"{names.ROOT}*")
    found = registry.git.run("for-each-ref", *told).decode().split()
    return bool(set(found) - but - {names.EVENTS})


def alone(moves: Iterable[Move], came: Sequence[Arrived]) -> list[str]:
    """The git oids of those of the commits that came that nothing else may reach."""
    reached = {move.after.id for move in moves if move.after}
    reached.update(id_ for made in came for id_ in made.commit.ids())
    return [made.git for made in came if made.commit.id not in reached]

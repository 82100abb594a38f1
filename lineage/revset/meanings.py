"""What the functions of revsets mean, but those that the index answers in a search.

Each takes the registry and its arguments: sets as ids, one commit as its id.
"""

from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from typing import TypeAlias

from lineage import walks
from lineage.releases import live_in
from lineage.repository import Repository
from lineage.revisions import newest_first
from lineage.revset.parser import ANY_ROLE
from lineage.search import children
from lineage.store.objects import BACK
from lineage.taints.marks import marks

Ids: TypeAlias = set[str]

# asked before others
NEAR = ("none", "branches", "tagged", "released", "parents", "merge_base")


def everything(registry: Repository) -> Ids:
    """All commits of the registry."""
    return {record.id for record in registry.ids}


def _chosen(roles: Iterable[str]) -> walks.Roles:
    """Roles as walks take them: None is any."""
    named = set(roles)
    return None if ANY_ROLE in named or not named else named


def _merge_base(registry: Repository, a: str, b: str, *roles: str) -> Ids:
    chosen = _chosen(roles) if roles else BACK
    return set(walks.merge_base(registry, a, b, chosen))


def _parents(registry: Repository, ids: Ids, *roles: str) -> Ids:
    wanted = _chosen(roles)
    edges = (edge for id_ in ids for edge in registry.load(id_).edges)
    found = {edge.id for edge in edges if wanted is None or edge.role in wanted}
    return {id_ for id_ in found if id_ in registry.ids}


def _children(registry: Repository, ids: Ids, *roles: str) -> Ids:
    return children(registry, ids, _chosen(roles))


def _named(registry: Repository, space: str, glob: str) -> Ids:
    names = registry.names(space).items()
    return {target.id for name, target in names if fnmatchcase(name, glob)}


def _released(registry: Repository, glob: str) -> Ids:
    places = live_in(registry).items()
    return {id_ for id_, where in places if any(fnmatchcase(w, glob) for w in where)}


MEANINGS: dict[str, Callable[..., Ids]] = {
    "all": everything,
    "none": lambda _: set(),
    "ancestors": lambda r, ids, *roles: walks.ancestors(r, ids, _chosen(roles)),
    "descendants": lambda r, ids, *roles: walks.descendants(r, ids, _chosen(roles)),
    "parents": _parents,
    "children": _children,
    "heads": walks.heads,
    "roots": walks.roots,
    "latest": lambda r, ids, count=1: set(newest_first(r, ids)[:count]),
    "merge_base": _merge_base,
    "role": lambda r, role, ids: _children(r, ids, role),
    "branches": lambda r, glob="*": _named(r, "heads", glob),
    "tagged": lambda r, glob="*": _named(r, "tags", glob),
    "released": lambda r, glob="*": _released(r, glob),
    "tainted": lambda r: set(marks(r).ids()),
}

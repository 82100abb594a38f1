"""A commit and everything that it came from, read once.

What a registry holds never changes, and an edge can only name a commit whose hash is
known: no commit can come from itself. So in the order of recording parents stand
before children, and one pass through it answers what a walk along paths could not
end with.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial

from lineage.descent.roles import CHOICE, FLOW
from lineage.evidence import grade
from lineage.registry import Registry
from lineage.store.objects import Commit, Edge

_LOOKED_ALONG = FLOW | CHOICE

Grade = Callable[[str, Edge], str]


def _as_recorded(_child: str, edge: Edge) -> str:
    return edge.evidence


@dataclass(frozen=True)
class Ancestry:
    """`commits` by id, parents before children; the last one is the subject.

    `absent` are commits that edges name and nobody has here. `grade` says how well
    an edge of a commit is known.
    """

    commits: Mapping[str, Commit]
    absent: frozenset[str] = frozenset()
    grade: Grade = field(default=_as_recorded, compare=False)

    @cached_property
    def order(self) -> tuple[str, ...]:
        """The ids, parents before children."""
        return tuple(self.commits)

    @property
    def subject(self) -> str:
        return self.order[-1]


def gather(registry: Registry, id_: str) -> Ancestry:
    """The commit `id_` with all that came along its edges, and who chose it.

    Raises:
        NotFound: when it is no commit of this registry.
    """
    found = {id_: registry.load(id_)}
    absent: set[str] = set()
    ahead = [id_]
    while ahead:
        named = {
            edge.id
            for child in ahead
            for edge in found[child].edges
            if edge.role in _LOOKED_ALONG
        }
        ahead = []
        for parent in named - found.keys() - absent:
            if registry.ids.find(parent):
                found[parent] = registry.load(parent)
                ahead.append(parent)
            else:
                absent.add(parent)
    number = {each: registry.ids.get(each).number for each in found}
    ordered = {each: found[each] for each in sorted(found, key=number.__getitem__)}
    return Ancestry(ordered, frozenset(absent), partial(grade, registry))

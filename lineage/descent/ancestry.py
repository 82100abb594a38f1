"""A commit and everything that it came from, read once.

What a registry holds never changes, and an edge can only name a commit whose hash is
known: no commit can come from itself. So in the order of recording parents stand
before children, and one pass through it answers what a walk along paths could not
end with.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from lineage.descent.roles import CHOICE, FLOW
from lineage.evidence import grade
from lineage.evidence.grades import EVIDENCE
from lineage.registry import Registry
from lineage.statements import subjects
from lineage.store.canonical import digest
from lineage.store.lookup import Record
from lineage.store.objects import Commit, Edge
from lineage.walks import ancestors

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
        StoreError: when it is a long way, and the index cannot be used.
    """
    met = ancestors(registry, [id_], _LOOKED_ALONG)
    records = sorted((registry.ids.get(each) for each in met), key=_number)
    commits = dict(loaded(registry, records))
    named = (edge for commit in commits.values() for edge in commit.edges)
    along = {edge.id for edge in named if edge.role in _LOOKED_ALONG}
    return Ancestry(commits, frozenset(along - commits.keys()), _grades(registry))


def _number(record: Record) -> int:
    return record.number


def loaded(
    registry: Registry, records: Sequence[Record]
) -> Iterator[tuple[str, Commit]]:
    """Many commits, with few waits for git; what is damaged says so by itself."""
    names = (f"{record.git}:lineage.json" for record in records)
    for record, found in zip(records, registry.git.read_many(names), strict=True):
        if found and digest(found[1].data) == record.id:
            yield record.id, Commit.parse(found[1].data)
        else:
            yield record.id, registry.load(record.id)


def _grades(registry: Registry) -> Grade:
    said = subjects(registry, EVIDENCE)

    def graded(child: str, edge: Edge) -> str:
        return grade(registry, child, edge) if child in said else edge.evidence

    return graded

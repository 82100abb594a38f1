"""The part of the graph that a commit may have reached, and the doses in it."""

from typing import TYPE_CHECKING, NamedTuple

from lineage.descent.dose import Dose, doses, is_exceeded, measured
from lineage.descent.roles import CONTAINS, RECORDS, WRITING
from lineage.errors import NotFound
from lineage.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lineage.descent.dose import Row
    from lineage.store.index import Index
    from lineage.store.index_asking import Ask
    from lineage.store.index_graph import Flow


class Lacking(NamedTuple):
    """Why doses begin to be ranges: roles without a share, or shares of too much."""

    roles: tuple[str, ...]
    excess: bool


class Reach(NamedTuple):
    """What `source` reached, by the numbers of commits in the index.

    `doses` are in the order of recording and have the source too; `measured` is what
    was only measured on it, or on what it reached.
    """

    source: int
    graph: "Flow"
    doses: dict[int, Dose]
    measured: list[int]

    def id(self, number: int) -> str:
        return self.graph.commits[number].id

    def kind(self, number: int) -> str:
        return self.graph.commits[number].kind

    @property
    def ranges(self) -> dict[int, Lacking]:
        """Where doses begin to be ranges, and why."""
        unsure = {n for n, dose in self.doses.items() if _is_range(dose)}
        if not unsure:
            return {}
        known = unsure - {
            child for child, role, parent, *_ in self.graph.edges
            if parent in unsure and role in RECORDS | CONTAINS
        }  # fmt: skip
        edges: dict[int, list[Row]] = {number: [] for number in sorted(known)}
        for row in self.graph.edges:
            if row[0] in known and row[1] in RECORDS | WRITING:
                edges[row[0]].append(row)
        found = {number: _lacking(rows) for number, rows in edges.items()}
        return {number: why for number, why in found.items() if any(why)}

    @property
    def numbers(self) -> list[int]:
        """Everything that it reached, without the source."""
        return [number for number in self.doses if number != self.source]


def reach(registry: Registry, index: "Index", id_: str, unit: str) -> Reach:
    """What the commit `id_` reached, counted in records or in tokens.

    Raises:
        NotFound: when it is not in the index; what is damaged is left out there.
        StoreError: when the index cannot be used.
    """
    from lineage.store.index_asking import numbers
    from lineage.store.index_graph import flow

    def question(ask: "Ask") -> "tuple[int, Flow] | None":
        found = numbers(ask, [id_])
        return (found[0], flow(ask, found[0], unit)) if found else None

    found = index.read(question)
    if found is None:
        registry.load(id_)  # which says why the index has left it out
        raise NotFound(f"the index does not have {id_[:12]}", hint="`lineage verify`")
    source, graph = found
    if registry.events_log.at:  # the rows are of now
        graph = _then(registry, graph)
    reached = doses(
        source,
        lambda n: graph.commits[n].kind,
        graph.edges,
        {n: node.origin for n, node in graph.commits.items() if node.origin},
    )
    return Reach(source, graph, reached, sorted(measured(graph.edges, reached)))


def _lacking(edges: "Iterable[Row]") -> Lacking:
    counted = [row for row in edges if row[4]]
    roles = dict.fromkeys(role for _, role, _, _, whole in edges if not whole)
    return Lacking(tuple(roles), is_exceeded(counted))


def _is_range(dose: Dose) -> bool:
    return any(s and s.low is not s.high and s.low != s.high for s in dose[:2])


def _then(registry: Registry, graph: "Flow") -> "Flow":
    """The graph with those commits alone that there were."""
    known = {record.id for record in registry.ids}
    commits = {n: fields for n, fields in graph.commits.items() if fields.id in known}
    return graph._replace(
        commits=commits, edges=[row for row in graph.edges if row[0] in commits]
    )

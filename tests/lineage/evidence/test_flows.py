"""Whether records fit their shares: against networkx's maximum flow."""

from __future__ import annotations

from itertools import pairwise

import networkx as nx
from hypothesis import given, settings
from hypothesis import strategies as st

from lineage.evidence.flows import fits

SIZE = 5
GROUPS = st.dictionaries(
    st.frozensets(st.integers(0, SIZE - 1), min_size=1), st.integers(1, 9), max_size=8
)


def wanted(groups: dict[frozenset[int], int], takes: list[int]) -> bool:
    graph = nx.DiGraph()
    graph.add_nodes_from(["in", "out"])
    for group, count in groups.items():
        graph.add_edge("in", group, capacity=count)
        for source in group:
            graph.add_edge(group, source)
    for source, count in enumerate(takes):
        graph.add_edge(source, "out", capacity=count)
    total: int = nx.maximum_flow_value(graph, "in", "out")
    return total == sum(groups.values()) == sum(takes)


@settings(max_examples=300)
@given(GROUPS, st.data())
def test_it_fits_when_a_maximum_flow_says_so(
    groups: dict[frozenset[int], int], data: st.DataObject
) -> None:
    """For sums that agree, where nothing else is easy; and for any others."""
    total = sum(groups.values())
    cuts = sorted(data.draw(st.lists(st.integers(0, total), min_size=4, max_size=4)))
    ends = [0, *cuts, total]
    takes = [b - a for a, b in pairwise(ends)]
    assert fits(groups, takes) == wanted(groups, takes)


@given(GROUPS, st.lists(st.integers(0, 20), min_size=SIZE, max_size=SIZE))
def test_other_sums_never_fit(
    groups: dict[frozenset[int], int], takes: list[int]
) -> None:
    """As many are taken as there are."""
    assert fits(groups, takes) == wanted(groups, takes)


def test_a_group_gives_way_to_another() -> None:
    """What went to one source moves on when only that source can take the rest."""
    groups = {frozenset({0, 1}): 5, frozenset({0}): 5, frozenset({1, 2}): 5}
    assert fits(groups, [5, 5, 5])
    assert not fits(groups, [4, 5, 6])
    assert fits({frozenset({n, n + 1}): 1 for n in range(40)}, [0, *[1] * 40])

"""Exact shares, distances and trails, against an enumeration of all paths."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING

import networkx as nx
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lineage.descent.ancestry import Ancestry
from lineage.descent.dose import doses
from lineage.descent.gaps import gaps
from lineage.descent.parcels import Share, Source
from lineage.descent.paths import distances, source_trails
from lineage.descent.shares import Shares
from lineage.evidence import GRADES
from lineage.store.canonical import digest
from lineage.store.objects import Commit, Edge
from tests.lineage.descent.graphs import UNITS, World, worlds

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.lineage.descent.graphs import Leaf

_CHOICES = 200  # ways to mix that are tried one by one
NONE = Fraction(0)


@settings(max_examples=120)
@given(worlds())
def test_shares_are_the_sums_over_all_paths(world: World) -> None:
    """Ends of a range are the least and the most that any way of mixing gives."""
    ancestry = world.ancestry()
    start = len(world.nodes) - 1
    for unit in UNITS:
        assume(sum(1 for _ in world.choices(start, unit)) <= _CHOICES)
        every = world.shares(start, unit)
        shares = Shares(ancestry, unit)
        found = shares.sources(world.id(start))
        leaves = {leaf for each in every for leaf in each}
        expected = {
            Source(leaf[0], world.id(leaf[1])): Share(
                min(each.get(leaf, NONE) for each in every),
                max(each.get(leaf, NONE) for each in every),
            )
            for leaf in leaves
        }

        assert found == {s: share for s, share in expected.items() if share.high}
        if world.nodes[start].options[unit]:
            composition = shares.compositions[world.id(start)]
            assert composition.human == min(_of("human", each) for each in every)
            assert composition.machine == min(_of("machine", each) for each in every)
        else:
            assert world.id(start) not in shares.compositions


def _of(origin: str, shares: dict[Leaf, Fraction]) -> Fraction:
    return sum((share for leaf, share in shares.items() if leaf[0] == origin), NONE)


@settings(max_examples=120)
@given(worlds())
def test_distances_are_those_of_all_paths(world: World) -> None:
    """The shortest and the longest of all paths to human data, or none."""
    ancestry = world.ancestry()
    found = distances(ancestry, Shares(ancestry, "records"))
    for number in range(len(world.nodes)):
        turns = world.turns(number)
        expected = (min(turns), max(turns), world.is_sure(number)) if turns else None

        assert found.get(world.id(number)) == expected


@settings(max_examples=60)
@given(worlds())
def test_the_best_known_path_to_every_source(world: World) -> None:
    """Its weakest link is the best of the weakest links of all paths to that source."""
    ancestry = replace(world.ancestry(), grade=_grade)
    shares = Shares(ancestry, "records")
    start = world.id(len(world.nodes) - 1)
    graph = nx.MultiDiGraph()
    graph.add_node(start)
    for id_, step in shares.parcels.items():
        for parcel in step:
            end = shares.end(parcel) or parcel.parent
            grade = _grade(id_, parcel.edge) if parcel.edge else GRADES[-1]
            graph.add_edge(id_, end, rank=GRADES.index(grade))

    found = source_trails(ancestry, shares, start)

    assert found.keys() == shares.sources(start).keys()
    for source, trail in found.items():
        paths = list(nx.all_simple_edge_paths(graph, start, source))
        ranks = [min(graph.edges[edge]["rank"] for edge in path) for path in paths]
        weakest = trail.weakest.grade if trail else GRADES[-1]
        assert GRADES.index(weakest) == max(ranks)
        assert trail is None or weakest in [link.grade for link in trail.links()]


def _grade(child: str, edge: Edge) -> str:
    """Any grade, and always the same for an edge."""
    return GRADES[int(digest(f"{child}{edge.role}{edge.id}".encode())[0], 16) % 4]


@given(worlds(), worlds(most=3))
def test_what_is_beside_an_ancestry_changes_nothing(world: World, other: World) -> None:
    """Commits that it did not come from have no say in it."""
    alone, known = world.ancestry(), world.ancestry().commits
    beside = other.ancestry().commits
    together = Ancestry({**known, **{i: beside[i] for i in beside if i not in known}})
    start = alone.subject
    for unit in UNITS:
        one, both = Shares(alone, unit), Shares(together, unit)

        assert one.sources(start) == both.sources(start)
        assert one.compositions.get(start) == both.compositions.get(start)
        assert distances(alone, one).get(start) == distances(together, both).get(start)


@given(st.integers(1, 20), st.integers(1, 20), st.integers(0, 20))
def test_a_dataset_in_two_halves_is_the_same(one: int, two: int, more: int) -> None:
    """Splitting a dataset in two with counted shares changes no share."""
    human = Commit("dataset", "human", origin={"type": "human"})
    other = Commit("dataset", "other", origin={"type": "mixed"})
    whole = one + two + more

    def mixed(*parts: tuple[Commit, int]) -> dict[str, Commit]:
        edges = [
            Edge("derived_from", part.id, share={"records": [count, whole]})
            for part, count in (*parts, (other, more))
        ]
        made = Commit("dataset", "mixed", tuple(edges))
        return {c.id: c for c in (*(part for part, _ in parts), other, made)}

    halves = [
        Commit("dataset", name, (Edge("derived_from", human.id),)) for name in "ab"
    ]
    first = Ancestry(mixed((human, one + two)))
    second = Ancestry(
        {human.id: human, **mixed((halves[0], one), (halves[1], two))},
    )

    found = [Shares(each, "records").sources(each.subject) for each in (first, second)]
    assert found[0] == found[1]
    assert sum(share.low for share in found[0].values()) == 1


def _chain(length: int, parents: Callable[[list[Commit]], list[Edge]]) -> Ancestry:
    made = [Commit("dataset", "root", origin={"type": "human"})]
    for number in range(length):
        made.append(Commit("dataset", "d", tuple(parents(made)), params={"n": number}))
    return Ancestry({commit.id: commit for commit in made})


def test_a_long_chain() -> None:
    """No walk recurses, and no step costs more than its edges."""

    def parents(made: list[Commit]) -> list[Edge]:
        count = len(made)
        return [
            Edge("derived_from", made[-1].id, share={"records": [count, count + 1]})
        ]

    ancestry = _chain(3_000, parents)
    shares = Shares(ancestry, "records")
    root = Source("human", ancestry.order[0])

    assert shares.sources(ancestry.subject)[root].low == Fraction(1, 3_001)
    assert shares.compositions[ancestry.subject].human == Fraction(1, 3_001)
    assert distances(ancestry, shares)[ancestry.subject] == (0, 0, True)
    [*_, trail] = source_trails(ancestry, shares, ancestry.subject).values()
    assert trail is not None
    assert len(trail.links()) == 3_000


def test_a_tower_of_diamonds() -> None:
    """Two hundred diamonds have 2^200 paths, and one pass through their edges."""

    def parents(made: list[Commit]) -> list[Edge]:
        if len(made) % 3:
            return [Edge("derived_from", made[-(len(made) % 3)].id)]
        shares = ([1, 3], [2, 3])
        return [
            Edge("derived_from", parent.id, share={"records": share})
            for parent, share in zip(made[-2:], shares, strict=True)
        ]

    ancestry = _chain(600, parents)
    shares = Shares(ancestry, "records")

    assert shares.sources(ancestry.subject) == {
        Source("human", ancestry.order[0]): Share(Fraction(1), Fraction(1))
    }


def test_a_hub_of_many_parents() -> None:
    """Three thousand sources of one record each, with and without a count."""
    roots = [
        Commit("dataset", "r", origin={"type": "human"}, params={"n": n})
        for n in range(3_000)
    ]
    for share in ({"records": [1, 3_000]}, None):
        edges = tuple(Edge("derived_from", root.id, share=share) for root in roots)
        mixed = Commit("dataset", "mixed", edges)
        ancestry = Ancestry({commit.id: commit for commit in (*roots, mixed)})
        shares = Shares(ancestry, "records")
        low = Fraction(1, 3_000) if share else Fraction(0)
        high = low or Fraction(1)

        assert set(shares.sources(mixed.id).values()) == {Share(low, high)}
        assert shares.compositions[mixed.id].human == 1


@pytest.mark.parametrize("left", [0, 2])
def test_tokens_that_only_some_edges_count(left: int) -> None:
    """The others share the rest, and with them what no edge speaks of, if any is."""
    one, two, three = (
        Commit("dataset", name, origin={"type": "human"}) for name in ("a", "b", "c")
    )
    records = {"records": [1, 3 + left]}
    edges = (
        Edge("derived_from", one.id, share={**records, "tokens": [30, 100]}),
        Edge("derived_from", two.id, share=records),
        Edge("derived_from", three.id, share=records),
    )
    mixed = Commit("dataset", "mixed", edges)
    ancestry = Ancestry({commit.id: commit for commit in (one, two, three, mixed)})

    found = Shares(ancestry, "tokens").sources(mixed.id)

    rest = Share(NONE, Fraction(7, 10))
    unknown = {Source("unknown", mixed.id): rest} if left else {}
    assert found == {
        Source("human", one.id): Share(Fraction(3, 10), Fraction(3, 10)),
        Source("human", two.id): rest,
        Source("human", three.id): rest,
        **unknown,
    }


@settings(max_examples=60)
@given(worlds())
def test_upwards_and_downwards_say_the_same(world: World) -> None:
    """What a commit is made of and how far a source reached are one number.

    Only who calls derived data machine-written is believed upwards alone: a recall
    goes on to what may be in there.
    """
    commits = [node.commit for node in world.nodes]
    stated = {n: str(c.origin["type"]) for n, c in enumerate(commits) if c.origin}
    believed = any(commits[n].edges for n in stated if stated[n] == "machine")
    ancestry = world.ancestry()
    numbers = {id_: number for number, id_ in enumerate(ancestry.order)}
    rows = [
        (number, edge.role, numbers[edge.id], *_counts(edge))
        for number, node in enumerate(world.nodes)
        for edge in node.commit.edges
    ]
    kinds = [commit.kind for commit in commits]
    shares = Shares(ancestry, "records")
    for source, node in enumerate(world.nodes):
        if node.commit.kind == "dataset" and node.commit.edges:
            continue
        for number, dose in doses(source, kinds.__getitem__, rows, stated).items():
            found = shares.sources(world.id(number))
            same = (s for s in found if s.id == world.id(source))
            known = [
                found[s]
                for s in same
                if (kinds[source] != "model") or s.origin == "machine"
            ]
            if number != source and dose.records is not None:
                low, high = dose.records
                [made] = known or [Share(NONE, NONE)]
                if believed:
                    assert low <= made.low
                    assert made.high <= high
                else:
                    assert (low, high) == made


def _counts(edge: Edge) -> tuple[int | None, int | None]:
    part, whole = (edge.share or {}).get("records", (None, None))
    return part, whole


def test_a_commit_that_is_not_here_is_unknown() -> None:
    """What an edge names and nobody has is where a trail ends, and a gap."""
    lost = "ab" * 32
    human = Commit("dataset", "a", origin={"type": "human"})
    edges = [
        Edge("derived_from", id_, share={"records": [1, 2]}) for id_ in (human.id, lost)
    ]
    mixed = Commit("dataset", "mixed", tuple(edges))
    ancestry = Ancestry({c.id: c for c in (human, mixed)}, frozenset({lost}))
    shares = Shares(ancestry, "records")
    half = Share(Fraction(1, 2), Fraction(1, 2))

    assert shares.sources(mixed.id) == {
        Source("human", human.id): half,
        Source("unknown", lost): half,
    }
    assert distances(ancestry, shares)[mixed.id] == (0, 0, True)
    assert source_trails(ancestry, shares, mixed.id)[Source("unknown", lost)]
    assert (
        gaps(ancestry, [shares])[0].what == "1 of the commits that it names: not here"
    )

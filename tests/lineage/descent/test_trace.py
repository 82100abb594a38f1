"""What a commit is made of, in a registry."""

from __future__ import annotations

from contextlib import closing
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import networkx as nx
import pytest
from hypothesis import Phase, given, settings

import lineage
from lineage.bulk import Draft, import_commits
from lineage.descent.parcels import Source
from lineage.descent.shares import Composition, Shares
from lineage.descent.trace import Made, Trace, trace
from lineage.errors import NotFound
from lineage.store.objects import Commit, Edge
from tests.lineage.descent.graphs import World, worlds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lineage.registry import Registry

HUMAN = {"type": "human", "source": "a book", "licence": "CC0", "by": "Ada"}


class Maker:
    """Makes small commits by name; edges are (role, name of the parent, a, b)."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self.ids: dict[str, str] = {}

    def make(self, kind: str, name: str, *edges: tuple[Any, ...], **more: Any) -> str:
        made = self.registry.commit(
            kind,
            name,
            edges=[
                Edge(
                    role,
                    self.ids[parent],
                    share={"records": counts} if counts else None,
                )
                for role, parent, *counts in edges
            ],
            params={"name": name},
            branch=name,
            revise=False,
            **more,
        )
        self.ids[name] = made.id
        return made.id

    def trace(self, name: str) -> Trace:
        return trace(self.registry, self.ids[name])

    def name(self, id_: str) -> str:
        return next(name for name, known in self.ids.items() if known == id_)

    def sources(self, made: Made) -> dict[str, tuple[str, str, str]]:
        """Give origin, least and most by the name of the source."""
        names = {id_: name for name, id_ in self.ids.items()}
        return {
            names[part.id]: (
                part.origin,
                str(part.shares["records"].low),
                str(part.shares["records"].high),
            )
            for part in made.parts
        }


@pytest.fixture
def maker(repo: Registry) -> Maker:
    return Maker(repo)


def composed(found: Trace) -> tuple[str, str, str]:
    """Give the shares of human, machine and unknown of the first records told."""
    made_of = found.made[0].amounts[0].made_of
    return str(made_of.human), str(made_of.machine), str(made_of.unknown)


def told(found: Trace) -> dict[str, list[str]]:
    """Give the gaps and the commits that have them."""
    return {gap.what: list(gap.where) for gap in found.gaps}


def test_a_loop_that_accumulates(maker: Maker) -> None:
    """Machine shares grow by turn, each model counts for what it wrote itself."""
    maker.make("dataset", "book", origin=HUMAN)
    maker.make("model", "m0", ("trained_on", "book", 8, 8))
    maker.make("dataset", "s1", ("generated_by", "m0"), ("derived_from", "book"))
    maker.make(
        "dataset", "x1", ("derived_from", "book", 8, 16), ("derived_from", "s1", 8, 16)
    )
    maker.make("model", "m1", ("trained_on", "x1", 16, 16))
    maker.make("dataset", "s2", ("generated_by", "m1"), ("derived_from", "book"))
    maker.make(
        "dataset",
        "x2",
        *(("derived_from", name, 8, 24) for name in ("book", "s1", "s2")),
    )
    maker.make("model", "m2", ("trained_on", "x2", 24, 24))

    found = maker.trace("m2")

    assert composed(found) == ("1/3", "2/3", "0")
    assert maker.sources(found.made[0]) == {
        "book": ("human", "1/3", "1/3"),
        "m0": ("machine", "1/3", "1/3"),
        "m1": ("machine", "1/3", "1/3"),
    }
    assert (found.distance, found.generation) == ((0, 2, True), 2)
    assert found.made[0].amounts[0].count == 24
    assert found.gaps == ()


def test_data_that_nobody_counted(maker: Maker) -> None:
    """Of two parents without shares nothing is certain but what both have."""
    maker.make("dataset", "book", origin=HUMAN)
    maker.make("model", "m0", ("trained_on", "book"))
    maker.make("dataset", "s1", ("generated_by", "m0"))
    maker.make(
        "dataset", "half", ("derived_from", "book", 1, 2), ("derived_from", "s1", 1, 2)
    )
    maker.make("dataset", "x", ("derived_from", "half"), ("derived_from", "s1"))

    found = maker.trace("x")

    assert composed(found) == ("0", "1/2", "1/2")
    assert maker.sources(found.made[0]) == {
        "book": ("human", "0", "1/2"),
        "m0": ("machine", "1/2", "1"),
    }
    assert told(found) == {
        "how many records came from each source: not provided": [maker.ids["x"]]
    }


def test_inherited_weights_are_told_apart(maker: Maker) -> None:
    """What base models were trained on is no part of a model's own training data."""
    maker.make("dataset", "book", origin=HUMAN)
    maker.make("model", "base", ("trained_on", "book", 30, 30))
    maker.make("dataset", "s", ("generated_by", "base"))
    maker.make(
        "model", "tuned", ("trained_on", "s", 10, 10), ("fine_tuned_from", "base")
    )
    maker.make("model", "merged", ("merged_from", "tuned"), ("merged_from", "base"))
    maker.make("model", "small", ("quantized_from", "merged"))

    found = maker.trace("small")

    assert found.made[0].amounts == ()
    assert [
        (maker.name(each.id), each.trail.last.role) for each in found.inherited
    ] == [
        ("merged", "quantized_from"),
        ("base", "merged_from"),
        ("tuned", "merged_from"),
    ]
    assert found.inherited[0].amount is None
    assert found.together is not None
    assert found.together.count == 40
    assert found.together.made_of == Composition(Fraction(3, 4), Fraction(1, 4))


def test_the_sum_of_weights_is_missing_where_a_count_is(maker: Maker) -> None:
    """One model from elsewhere is enough not to know all that the weights hold."""
    maker.make("model", "hub", external={"uri": "hf://org/hub"})
    maker.make("dataset", "book", origin=HUMAN)
    maker.make(
        "model", "base", ("trained_on", "book", 5, 5), ("fine_tuned_from", "hub")
    )
    maker.make(
        "model", "tuned", ("trained_on", "book", 5, 5), ("fine_tuned_from", "base")
    )

    found = maker.trace("tuned")

    assert [maker.name(each.id) for each in found.inherited] == ["base", "hub"]
    assert found.together is None
    assert told(found) == {
        "what the model was trained on: not provided": [maker.ids["hub"]]
    }


def test_a_generation_is_what_its_parts_are(maker: Maker) -> None:
    """Its models first, then its datasets; where it has no model, the data alone."""
    maker.make("dataset", "book", origin=HUMAN)
    maker.make("model", "m0", ("trained_on", "book", 4, 4))
    maker.make("dataset", "s1", ("generated_by", "m0"))
    maker.make("model", "m1", ("trained_on", "s1", 4, 4))
    maker.make("generation", "g1", ("includes", "m1"), ("includes", "s1"))
    maker.make("generation", "g2", ("includes", "s1"), ("follows", "g1"))

    one, two = maker.trace("g1"), maker.trace("g2")

    assert [maker.name(made.id) for made in one.made] == ["m1", "s1"]
    assert [maker.name(made.id) for made in two.made] == ["s1"]
    assert one.distance == two.distance == (1, 1, True)


def test_a_statement_against_an_edge(maker: Maker) -> None:
    """Data that a model wrote and somebody calls human are neither for certain."""
    maker.make("model", "m0")
    maker.make("dataset", "s", ("generated_by", "m0"), origin=HUMAN)

    found = maker.trace("s")

    assert composed(found) == ("0", "0", "1")
    assert "whether a model wrote it: an edge and its stated origin disagree" in told(
        found
    )


def test_a_model_holds_no_records(maker: Maker) -> None:
    """Data that name a model as if it were data are of unknown origin."""
    maker.make("dataset", "book", origin=HUMAN)
    model = maker.make("model", "m", ("trained_on", "book"))
    data = maker.make("dataset", "x", ("derived_from", "m"))

    found = maker.trace("x")

    assert composed(found) == ("0", "0", "1")
    assert [(part.origin, part.id) for part in found.made[0].parts] == [
        ("unknown", model)
    ]
    what = "what came from a model, which holds no records: not provided"
    assert told(found)[what] == [data]


def test_data_inherit_no_weights(maker: Maker) -> None:
    """What a teacher wrote is written by it, and that is all."""
    maker.make("model", "teacher", external={"uri": "hf://org/teacher"})
    maker.make("dataset", "x", ("distilled_from", "teacher"))

    found = maker.trace("x")

    assert composed(found) == ("0", "1", "0")
    assert found.inherited == ()


def test_gaps_have_their_commits(maker: Maker) -> None:
    """What is not recorded is named, with every commit that lacks it."""
    maker.make("dataset", "bought", origin={"type": "unknown", "source": "a shop"})
    maker.make("dataset", "found")
    maker.make(
        "dataset", "both", origin={"type": "mixed", "source": "x", "licence": "y"}
    )
    maker.make(
        "dataset",
        "x",
        *(("derived_from", n, 2, 10) for n in ("bought", "found", "both")),
    )
    maker.make("dataset", "more", ("derived_from", "x", 5, 5))
    maker.make(
        "dataset",
        "over",
        ("derived_from", "bought", 4, 5),
        ("derived_from", "found", 4, 5),
    )
    maker.make("model", "m", ("trained_on", "more", 5, 9), ("trained_on", "over", 4, 9))

    found = told(maker.trace("m"))

    assert found == {
        "the shares of its records add up to more than all of them": [
            maker.ids["over"]
        ],
        "which records of a mixed dataset it took: not provided, taken as even": [
            maker.ids["m"],
            maker.ids["more"],
        ],
        "4 of 10 records: no source recorded": [maker.ids["x"]],
        "origin: stated as mixed, and nobody counted": [maker.ids["both"]],
        "origin: unknown, nobody said": [maker.ids["found"]],
        "origin: stated as unknown": [maker.ids["bought"]],
        "licence: not provided": [maker.ids["bought"]],
    }


def test_evidence_that_came_later_counts(maker: Maker) -> None:
    """The weakest edge is the one that bytes contradict, and the event is obeyed."""
    book = maker.make("dataset", "book", origin=HUMAN)
    model = maker.make("model", "m", ("trained_on", "book"))
    edge = {"role": "trained_on", "id": book, "grade": "contradicted", "method": "x"}
    maker.registry.attest("evidence", subject=model, data={"edges": [edge]})

    found = maker.trace("m")

    assert found.weakest == (model, "trained_on", book, "contradicted")
    [part] = found.made[0].parts
    assert part.trail is not None
    assert part.trail.weakest.grade == "contradicted"


def test_the_past_knows_only_what_was_said_then(maker: Maker) -> None:
    """A registry as of an earlier event grades edges as they were known then."""
    book = maker.make("dataset", "book", origin=HUMAN)
    model = maker.make("model", "m", ("trained_on", "book"))
    then = maker.registry.events_log.tip()
    edge = {"role": "trained_on", "id": book, "grade": "verified", "method": "x"}
    maker.registry.attest("evidence", subject=model, data={"edges": [edge]})

    with lineage.open(maker.registry.root, at=then) as past:
        weakest = trace(past, model).weakest

    assert weakest is not None
    assert weakest.grade == "declared"


def test_a_commit_cannot_come_from_itself(maker: Maker) -> None:
    """An edge names a hash, which is not known before what it is the hash of."""
    book = maker.make("dataset", "book")
    itself = Commit("dataset", "book", (Edge("derived_from", book),))

    assert itself.id != book
    with pytest.raises(NotFound):
        maker.registry.commit("dataset", "x", edges=[Edge("derived_from", itself.id)])


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """Make a registry for all random worlds: their commits do not meet."""
    with closing(lineage.init(tmp_path_factory.mktemp("worlds"))) as registry:
        yield registry


@settings(max_examples=15, phases=[Phase.generate])
@given(world=worlds(most=14))
def test_a_registry_says_what_its_commits_do(registry: Registry, world: World) -> None:
    """Ancestors, generation and shares are those of a graph of the same commits."""
    commits = [node.commit for node in world.nodes]
    drafts = [Draft(commit, branch="", revise=False) for commit in commits]
    for _ in import_commits(registry, drafts):
        pass
    graph = nx.MultiDiGraph()
    for commit in commits:
        graph.add_node(commit.id)
        for edge in commit.edges:
            turn = edge.role in ("generated_by", "distilled_from")
            graph.add_edge(commit.id, edge.id, turn=turn)
    subject = commits[-1].id

    found = trace(registry, subject)

    assert set(found.ancestry.order) == nx.ancestors(graph.reverse(), subject) | {
        subject
    }
    assert found.generation == _longest(graph, subject)
    known = Shares(world.ancestry(), "records").sources(subject)
    assert {
        Source(p.origin, p.id): p.shares["records"] for p in found.made[0].parts
    } == known


def _longest(graph: Any, start: str) -> int:
    """Give the most machine turns on any path."""
    turns = [0]
    for end in nx.descendants(graph, start):
        paths = nx.all_simple_edge_paths(graph, start, end)
        turns += [sum(graph.edges[edge]["turn"] for edge in path) for path in paths]
    return max(turns)

"""Random ancestries, each commit with a plain account of what it is made of.

What a commit's records may be is written down while its edges are made up: a list of
`options`, each a list of (weight, where from). Nothing here asks the code under test.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise, product
from typing import TYPE_CHECKING, Any, TypeAlias

import networkx as nx
from hypothesis import strategies as st

from lineage.descent.ancestry import Ancestry
from lineage.store.objects import Commit, Edge

if TYPE_CHECKING:
    from collections.abc import Iterator

UNITS = ("records", "tokens")
WHOLE = Fraction(1)
_TURNS = ("generated_by", "distilled_from")

Leaf: TypeAlias = tuple[str, int]  # human, machine or unknown; the number of a commit
Mix: TypeAlias = list[tuple[Fraction, "int | Leaf"]]


@dataclass
class Node:
    """A commit, and by unit all the mixes that its records may be."""

    commit: Commit
    options: dict[str, list[Mix]]
    flows: list[tuple[int, bool]] = field(default_factory=list)  # parent, is a turn


@dataclass
class World:
    """Commits in the order in which they were made."""

    nodes: list[Node] = field(default_factory=list)

    def of_kind(self, kind: str) -> list[int]:
        return [i for i, node in enumerate(self.nodes) if node.commit.kind == kind]

    def id(self, number: int) -> str:
        return self.nodes[number].commit.id

    def ancestry(self) -> Ancestry:
        """Give all commits up to the last, whether it came from them or not."""
        return Ancestry({node.commit.id: node.commit for node in self.nodes})

    def choices(self, start: int, unit: str) -> Iterator[dict[int, Mix]]:
        """Each way in which everybody who did not count may have mixed."""
        reached, ahead = {start}, [start]
        while ahead:
            for mix in self.nodes[ahead.pop()].options[unit]:
                new = {to for _, to in mix if isinstance(to, int)} - reached
                reached |= new
                ahead += new
        for chosen in product(*(self.nodes[i].options[unit] for i in sorted(reached))):
            yield dict(zip(sorted(reached), chosen, strict=True))

    def shares(self, start: int, unit: str) -> list[dict[Leaf, Fraction]]:
        """Give the sums over all paths to each leaf, for each of the choices."""
        found = []
        for chosen in self.choices(start, unit):
            graph = nx.DiGraph()
            graph.add_node(start)
            for number, mix in chosen.items():
                for weight, to in mix:
                    before = graph.get_edge_data(number, to, {"weight": 0})["weight"]
                    graph.add_edge(number, to, weight=before + weight)
            leaves = [node for node in graph if isinstance(node, tuple)]
            found.append({leaf: _along(graph, start, leaf) for leaf in leaves})
        return found

    def is_sure(self, number: int) -> bool:
        """Whether a path leads to human data, however all that is open is mixed."""
        node = self.nodes[number]
        mixes = node.options["records"]
        gave = {end for mix in mixes for weight, end in mix if weight}
        weights = [p for p, _ in node.flows if not gave & {p, ("machine", p)}]
        return any(map(self.is_sure, weights)) or (
            bool(mixes)
            and all(any(w and self._is_sure(end) for w, end in mix) for mix in mixes)
        )

    def _is_sure(self, end: int | Leaf) -> bool:
        if isinstance(end, int):
            return self.is_sure(end)
        return end[0] == "human" or (end[0] == "machine" and self._wrote(end[1]))

    def _wrote(self, writer: int) -> bool:
        """Whether what wrote is known to be a model, and leads to human data."""
        return self.nodes[writer].commit.kind == "model" and self.is_sure(writer)

    def turns(self, start: int) -> set[int]:
        """Give the machine turns on every path from a commit to human data."""
        graph = nx.MultiDiGraph()
        graph.add_nodes_from(range(len(self.nodes)))
        for number, node in enumerate(self.nodes):
            for parent, is_turn in node.flows:
                graph.add_edge(number, parent, turn=is_turn)
        human = {
            to[1]
            for node in self.nodes
            for mix in node.options["records"]
            for weight, to in mix
            if isinstance(to, tuple) and to[0] == "human" and weight
        }
        found = {0} if start in human else set()
        for end in human - {start}:
            for path in nx.all_simple_edge_paths(graph, start, end):
                found.add(sum(graph.edges[edge]["turn"] for edge in path))
        return found


def _along(graph: Any, start: int, leaf: Leaf) -> Fraction:
    total = Fraction(0)
    for path in nx.all_simple_paths(graph, start, leaf):
        part = WHOLE
        for step in pairwise(path):
            part *= graph.edges[step]["weight"]
        total += part
    return total


@st.composite
def worlds(draw: st.DrawFn, most: int = 9) -> World:
    """Make a random world; the last commit is a dataset or a model."""
    world = World()
    for number in range(draw(st.integers(1, most))):
        made = [_root, _outside]
        if world.of_kind("dataset"):
            made += [_counted, _uncounted, _trained, _trained]
        if world.of_kind("model"):
            made += [_written, _written, _pupil, _merged]
        if world.of_kind("dataset") and world.of_kind("model"):
            made += [_partly]
        world.nodes.append(draw(st.sampled_from(made))(draw, world, number))
    return world


def _node(  # noqa: PLR0917
    kind: str,
    number: int,
    edges: list[Edge],
    options: dict[str, list[Mix]],
    flows: list[tuple[int, bool]],
    origin: str | None = None,
) -> Node:
    said = {"type": origin} if origin else None
    commit = Commit(kind, f"n{number}", tuple(edges), origin=said, params={"n": number})
    return Node(commit, options, flows)


def _both(options: list[Mix]) -> dict[str, list[Mix]]:
    return dict.fromkeys(UNITS, options)


def _leaf(origin: str | None, number: int) -> Leaf:
    return (origin if origin in ("human", "machine") else "unknown", number)


_ORIGINS = st.sampled_from([None, "human", "machine", "mixed", "unknown"])


def _some(draw: st.DrawFn, among: list[int], most: int = 3) -> list[int]:
    chosen = st.lists(st.sampled_from(among), min_size=1, max_size=most, unique=True)
    numbers: list[int] = draw(chosen)
    return numbers


def _root(draw: st.DrawFn, _: World, number: int) -> Node:
    """Make a dataset that came from nothing here."""
    origin = draw(_ORIGINS)
    own: Mix = [(WHOLE, _leaf(origin, number))]
    return _node("dataset", number, [], _both([own]), [], origin)


def _outside(_: st.DrawFn, __: World, number: int) -> Node:
    """Make a model that nobody says anything of."""
    return _node("model", number, [], _both([[(WHOLE, ("unknown", number))]]), [])


def _shared(
    draw: st.DrawFn, world: World, number: int, role: str, origin: str | None
) -> tuple[list[Edge], dict[str, list[Mix]], list[tuple[int, bool]]]:
    """Count the records that came from some datasets, and the tokens of a few."""
    parents = _some(draw, world.of_kind("dataset"))
    places: list[int | Leaf] = [*parents, _leaf(origin, number)]
    records = [draw(st.integers(0, 5)) for _ in places]
    records[0] += not sum(records)
    tokens = [draw(st.integers(1, 50)) if count else 0 for count in records]
    told = [draw(st.booleans()) for _ in parents]
    edges = []
    for parent, count, part, known in zip(parents, records, tokens, told, strict=False):
        share = {"records": [count, sum(records)]}
        share |= {"tokens": [part, sum(tokens)]} if known else {}
        edges.append(Edge(role, world.id(parent), share=share))
    counted = _exact(places, records)
    flows = [(to, False) for weight, to in counted if weight and isinstance(to, int)]
    open_ = [to for to, known in zip(places, [*told, False], strict=True) if not known]
    options = {"records": [counted], "tokens": _split(places, records, tokens, open_)}
    return edges, options, flows


def _exact(places: list[int | Leaf], counts: list[int]) -> Mix:
    pairs = zip(places, counts, strict=True)
    return [(Fraction(count, sum(counts)), to) for to, count in pairs]


def _split(
    places: list[int | Leaf],
    records: list[int],
    tokens: list[int],
    open_: list[int | Leaf],
) -> list[Mix]:
    """Give the ways in which tokens that were not told fall to those that gave some."""
    fixed = [m for m in _exact(places, tokens) if m[1] not in open_]
    rest = WHOLE - sum((weight for weight, _ in fixed), Fraction(0))
    given = [to for to, n in zip(places, records, strict=True) if n and to in open_]
    return [[*fixed, (rest, to)] for to in given] or [fixed]


def _counted(draw: st.DrawFn, world: World, number: int) -> Node:
    origin = draw(_ORIGINS)
    made = _shared(draw, world, number, "derived_from", origin)
    return _node("dataset", number, *made, origin)


def _uncounted(draw: st.DrawFn, world: World, number: int) -> Node:
    """Derive from several datasets without a count; perhaps say an origin."""
    parents, origin = _some(draw, world.of_kind("dataset")), draw(_ORIGINS)
    edges = [Edge("derived_from", world.id(parent)) for parent in parents]
    options: list[Mix] = [[(WHOLE, parent)] for parent in parents]
    own: Mix = [(WHOLE, _leaf(origin, number))]
    flows = [(parent, False) for parent in parents]
    if origin == "machine":
        options, flows = [own], []
    elif origin:
        options.append(own)
    return _node("dataset", number, edges, _both(options), flows, origin)


def _written(draw: st.DrawFn, world: World, number: int) -> Node:
    """Let one model or several write, with prompts from other data."""
    models, origin = _some(draw, world.of_kind("model"), 2), draw(_ORIGINS)
    role = draw(st.sampled_from(_TURNS))
    edges = [Edge(role, world.id(model)) for model in models]
    if draw(st.booleans()) and world.of_kind("dataset"):
        prompts = _some(draw, world.of_kind("dataset"), 2)
        edges += [Edge("derived_from", world.id(prompt)) for prompt in prompts]
    options: list[Mix] = [[(WHOLE, ("machine", model))] for model in models]
    if origin in ("human", "mixed"):
        options.append([(WHOLE, _leaf(origin, number))])
    flows = [(model, True) for model in models]
    return _node("dataset", number, edges, _both(options), flows, origin)


def _partly(draw: st.DrawFn, world: World, number: int) -> Node:
    """Count what some gave and leave the rest to others."""
    [data], [model] = (_some(draw, world.of_kind(k), 1) for k in ("dataset", "model"))
    wrote = draw(st.booleans())
    part, whole = draw(st.integers(1, 5)), draw(st.integers(6, 9))
    counted = {"records": [part, whole], "tokens": [part * 7, whole * 8]}
    edges = [
        Edge("generated_by", world.id(model), share=None if wrote else counted),
        Edge("derived_from", world.id(data), share=counted if wrote else None),
    ]
    options: dict[str, list[Mix]] = {}
    for unit, pair in counted.items():
        known = Fraction(*pair)
        rest = WHOLE - known
        weights = (rest, known) if wrote else (known, rest)
        options[unit] = [[(weights[0], ("machine", model)), (weights[1], data)]]
    return _node("dataset", number, edges, options, [(model, True), (data, False)])


def _trained(draw: st.DrawFn, world: World, number: int) -> Node:
    """Train a model on some data, counted or not, and perhaps on weights of others."""
    if draw(st.booleans()):
        edges, options, flows = _shared(draw, world, number, "trained_on", None)
    else:
        parents = _some(draw, world.of_kind("dataset"))
        edges = [Edge("trained_on", world.id(parent)) for parent in parents]
        options = _both([[(WHOLE, parent)] for parent in parents])
        flows = [(parent, False) for parent in parents]
    if draw(st.booleans()) and world.of_kind("model"):
        role = draw(st.sampled_from(["fine_tuned_from", "distilled_from"]))
        for base in _some(draw, world.of_kind("model"), 2):
            edges.append(Edge(role, world.id(base)))
            flows.append((base, role in _TURNS))
    return _node("model", number, edges, options, flows)


def _pupil(draw: st.DrawFn, world: World, number: int) -> Node:
    """Train a model on nothing but what another one wrote."""
    [teacher] = _some(draw, world.of_kind("model"), 1)
    edges = [Edge("distilled_from", world.id(teacher))]
    options = _both([[(WHOLE, ("machine", teacher))]])
    return _node("model", number, edges, options, [(teacher, True)])


def _merged(draw: st.DrawFn, world: World, number: int) -> Node:
    """Put models together without training."""
    models = _some(draw, world.of_kind("model"))
    edges = [Edge("merged_from", world.id(model)) for model in models]
    flows = [(model, False) for model in models]
    return _node("model", number, edges, _both([]), flows)

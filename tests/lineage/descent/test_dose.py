"""Doses, against every completion of what was not counted, path by path."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

import networkx as nx
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from lineage.descent.dose import Dose, Row, doses, measured

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NONE, ALL = Fraction(0), Fraction(1)
WHOLE = 12  # records that every share is of
ROLES = {
    ("dataset", "dataset"): ("derived_from", "derived_from", "revises"),
    ("dataset", "model"): ("generated_by", "generated_by", "selected_by"),
    ("dataset", "config"): ("configured_by",),
    ("model", "dataset"): ("trained_on", "trained_on", "evaluated_on"),
    ("model", "model"): ("fine_tuned_from", "distilled_from", "rewarded_by"),
    ("model", "config"): ("configured_by",),
    ("generation", "dataset"): ("includes", "evaluated_on"),
    ("generation", "model"): ("includes",),
    ("generation", "config"): ("includes",),
    ("generation", "generation"): ("follows",),
}
STILL = ("follows", "revises", "evaluated_on")
WRITES = ("generated_by", "distilled_from")
BRINGS = {
    "dataset": ("derived_from", "generated_by"),
    "model": ("trained_on",),
    "generation": (),
    "config": (),
}


class Graph(NamedTuple):
    """Kinds of commits by number, and their edges sorted by child."""

    kinds: list[str]
    rows: list[Row]

    def of(self, child: int, *roles: str) -> list[Row]:
        return [row for row in self.rows if row[0] == child and row[1] in roles]

    def bring(self, child: int, source: int) -> list[Row]:
        """Edges that may bring records: without the prompts of what a model wrote.

        What a model wrote is told by its own edges, not by a raw form of the same.
        """
        rows = self.of(child, *BRINGS[self.kinds[child]])
        told = self.beside if self.kinds[source] == "model" else self.is_prompt
        return [row for row in rows if not told(row)]

    def beside(self, row: Row) -> bool:
        """Whether an edge has no share, and models wrote all that has none."""
        child, role, _, _, whole = row
        if role != "derived_from" or whole or self.kinds[child] != "dataset":
            return False
        return any(not r[4] for r in self.of(child, "generated_by"))

    def is_prompt(self, row: Row) -> bool:
        """Whether it is beside, and no raw form: none of its writers wrote all that."""
        wrote = {r[2] for r in self.of(row[0], "generated_by") if not r[4]}
        above = self.of(row[2], *BRINGS["dataset"])
        counted = any(r[4] for r in above)
        raw = {r[2] for r in above if r[1] == "generated_by" and not counted}
        return self.beside(row) and not wrote & raw


@st.composite
def graphs(draw: Callable[[Any], Any]) -> Graph:
    """Small graphs in which the first commits are parents of many."""
    kinds = ["dataset", "model"]
    kinds += draw(st.lists(st.sampled_from(sorted(BRINGS)), min_size=2, max_size=7))
    rows: list[Row] = []
    for child, kind in enumerate(kinds):
        left = WHOLE
        hubs = draw(st.booleans())
        for parent in range(child):
            roles = ROLES.get((kind, kinds[parent]))
            if not roles or not (draw(st.booleans()) or (hubs and parent < 2)):
                continue
            role = draw(st.sampled_from(roles))
            part = whole = None
            if role in BRINGS[kind] and draw(st.booleans()):
                part, whole = draw(st.integers(0, left)), WHOLE
                left -= part
            rows.append((child, role, parent, part, whole))
    return Graph(kinds, sorted(rows, key=lambda row: row[:3]))


def completions(graph: Graph, source: int) -> Iterator[dict[Row, Fraction]]:
    """Every way in which one parent gave what was not counted, and an even one."""
    fixed: dict[Row, Fraction] = {}
    open_: list[tuple[Fraction, list[Row]]] = []
    for child in range(len(graph.kinds)):
        rows = graph.bring(child, source)
        fixed |= {row: Fraction(row[3] or 0, row[4]) for row in rows if row[4]}
        unknown = [row for row in rows if row[3] is None]
        if unknown:
            left = 1 - sum((fixed[r] for r in rows if r in fixed), Fraction(0))
            open_.append((left, unknown))
    assume(prod(len(rows) for _, rows in open_) <= 60)
    for chosen in product(*(rows for _, rows in open_)):
        split = {row: Fraction(0) for _, rows in open_ for row in rows}
        yield (
            fixed
            | split
            | {r: left for r, (left, _) in zip(chosen, open_, strict=True)}
        )
    yield fixed | {row: left / len(rows) for left, rows in open_ for row in rows}


def flow(graph: Graph) -> nx.MultiDiGraph:
    """What reaches what, weighted by machine turns."""
    made = nx.MultiDiGraph()
    made.add_nodes_from(range(len(graph.kinds)))
    for row in graph.rows:
        if row[1] not in STILL:
            turn = row[1] in WRITES or graph.is_prompt(row)
            made.add_edge(row[2], row[0], turn=int(turn))
    return made


def brought(
    graph: Graph, source: int, reached: set[int], shares: dict[Row, Fraction]
) -> dict[int, tuple[Fraction, Fraction]]:
    """Own and written records of every commit, summed over all paths up from it."""

    def along(child: int, weight: Fraction) -> tuple[Fraction, Fraction]:
        if child == source and graph.kinds[source] != "model":
            return weight, Fraction(0)
        own = written = Fraction(0)
        for row in graph.bring(child, source):
            more = weight * shares[row]
            if row[1] == "generated_by":
                own += more if row[2] == source else 0
                written += more if row[2] in reached and row[2] != source else 0
            else:
                above = along(row[2], more)
                own, written = own + above[0], written + above[1]
        return own, written

    return {n: along(n, Fraction(1)) for n in range(len(graph.kinds))}


@settings(max_examples=150)
@given(graphs(), st.data())
def test_doses_are_what_all_paths_bring(graph: Graph, data: st.DataObject) -> None:
    """Bounds are the least and the most over every split of what was not counted."""
    source = data.draw(st.integers(0, len(graph.kinds) - 1), "source")
    found = doses(source, graph.kinds.__getitem__, graph.rows)
    network = flow(graph)
    turns = nx.single_source_dijkstra_path_length(network, source, weight="turn")

    assert {n: dose.turns for n, dose in found.items()} == turns
    assert measured(graph.rows, found) == {
        row[0]
        for row in graph.rows
        if row[1] == "evaluated_on" and row[2] in turns and row[0] not in turns
    }
    ways = [brought(graph, source, {*turns}, c) for c in completions(graph, source)]
    for number, dose in found.items():
        kind = graph.kinds[number]
        if number == source or kind in ("config", "generation"):
            continue
        if kind == "model" and not graph.of(number, "trained_on"):
            assert dose.records is dose.written is None
            continue
        for place, bounds in enumerate((dose.records, dose.written)):
            if place == 0 and graph.kinds[source] == "config":
                assert bounds is None, "a config has no records"
                continue
            assert bounds is not None
            every = [way[number][place] for way in ways]
            assert (bounds.low, bounds.high) == (min(every), max(every))
        assert dose.weights == any(
            row[2] in turns
            for row in graph.of(number, "fine_tuned_from", "distilled_from")
        )


def _dose(kinds: str, rows: list[Row], of: int, source: int = 0) -> Dose:
    names = {"d": "dataset", "m": "model", "g": "generation", "c": "config"}
    return doses(source, lambda n: names[kinds[n]], rows)[of]


def test_a_generation_is_what_its_model_is() -> None:
    """Its dose is that of the model, and of the data only where there is no model."""
    rows: list[Row] = [
        (1, "derived_from", 0, 1, 4),
        (2, "trained_on", 1, 200, 400),
        (3, "includes", 1, None, None),
        (3, "includes", 2, None, None),
        (4, "includes", 1, None, None),
    ]

    whole = _dose("ddmgg", rows, 3)
    alone = _dose("ddmgg", rows, 4)
    assert whole.records == (Fraction(1, 8), Fraction(1, 8))
    assert whole.whole == 400
    assert alone.records == (Fraction(1, 4), Fraction(1, 4))
    assert alone.whole == 4


def test_what_only_shapes_a_commit_has_no_dose() -> None:
    """A config has no records; what it shaped writes, and that is counted."""
    rows: list[Row] = [
        (1, "configured_by", 0, None, None),
        (2, "selected_by", 1, None, None),
        (3, "trained_on", 2, None, None),
        (4, "generated_by", 3, None, None),
    ]

    judged, trained, written = (_dose("cmdmd", rows, n) for n in (2, 3, 4))
    assert (judged.records, judged.written) == (None, (NONE, NONE))
    assert (trained.records, trained.written) == (None, (NONE, NONE))
    assert (written.records, written.written) == (None, (ALL, ALL))
    assert (trained.turns, written.turns) == (0, 1)


def test_a_generation_has_the_weights_of_the_model_in_it() -> None:
    """Also where that model is the source itself."""
    rows: list[Row] = [(1, "includes", 0, None, None)]
    assert _dose("mg", rows, 1).weights
    assert not _dose("dg", rows, 1).weights


def test_long_chains_of_shares_stay_exact() -> None:
    """A thousand mixes of mixes are a fraction, not a float."""
    rows: list[Row] = [(n, "derived_from", n - 1, 2, 3) for n in range(1, 1001)]

    found = _dose("d" * 1001, rows, 1000)
    assert found.records == (Fraction(2, 3) ** 1000,) * 2

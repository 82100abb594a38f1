"""Drawings: what is in them, how much, and that they stay small."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from lineage.audit.bars import Bar, bars
from lineage.audit.curves import MOST_POINTS, curve, thinned, ticks
from lineage.audit.graph import graph
from lineage.audit.model import MadeOf, Measure, Point, Portion, Report
from lineage.audit.report import from_facts, report
from lineage.audit.rows import MOST_ROWS, Row, rows
from lineage.store.objects import Edge

if TYPE_CHECKING:
    from lineage.registry import Registry


def parse(drawing: str) -> ET.Element:
    return ET.fromstring(drawing)  # noqa: S314 - our own


def shown(drawing: str) -> list[str]:
    return ["".join(text.itertext()) for text in parse(drawing).iter("text")]


def rows_of(made: Report) -> list[Row]:
    return rows(made, made.loops[0] if made.loops else None)


def graph_of(made: Report) -> str:
    return graph("g", made, made.loops[0] if made.loops else None)


def test_a_loop_as_rows(told: Any) -> None:
    """A row per generation, data to the left of the model that learned from them."""
    made = rows_of(report(told.registry, "loop/tutor"))
    names = [
        [n.artifact.name for n in sorted(row.nodes, key=lambda n: -n.column)]
        for row in made
    ]

    assert [row.label for row in made] == [f"generation {n}" for n in (0, 1, 2, 2)]
    assert [row.rejected for row in made] == [False, False, False, True]
    assert names[0] == ["tutor-human", "tutor-model"]
    assert names[1] == ["tutor-synthetic", "tutor-mixed", "tutor-model"]


def test_arrows_and_counts_of_what_is_further_back(told: Any) -> None:
    """An arrow comes from the same row or the one above; the rest is counted."""
    made = rows_of(report(told.registry, "loop/tutor"))
    mixed = {
        node.artifact.id: node
        for row in made
        for node in row.nodes
        if node.artifact.name == "tutor-mixed"
    }
    node = mixed[told.ids["mixed-2"]]

    assert set(node.drawn) == {told.ids["synthetic-1"], told.ids["synthetic-2"]}
    assert node.others == 1  # the human data


def test_the_drawing_names_everything(told: Any) -> None:
    """Names without the loop's, short ids, who is rejected."""
    words = shown(graph_of(report(told.registry, "loop/tutor")))

    assert "…synthetic" in words
    assert told.ids["model-2"][:12] in words
    assert words.count("rejected") == 1
    assert "+ 1 earlier source" in words


def test_sources_side_by_side(repo: Registry) -> None:
    """Five columns at most; nothing made from another stands to its left."""
    ids = [repo.commit("dataset", f"d{i}", params={"n": i}).id for i in range(9)]
    edges = [Edge("trained_on", id_) for id_ in ids]
    repo.commit("model", "m", params={"n": 1}, edges=edges)
    [row] = rows_of(report(repo, "model/m"))
    columns = {node.artifact.name: node.column for node in row.nodes}

    assert columns.pop("m") == 0
    assert set(columns.values()) == {1, 2, 3, 4}
    assert graph_of(report(repo, "model/m")).count("marker-end") == 9


def test_a_single_commit_is_not_drawn(repo: Registry) -> None:
    """One box alone says nothing."""
    repo.commit("dataset", "d", params={"n": 1})

    assert graph_of(report(repo, "dataset/d")) == ""


def test_long_loops_are_folded(long_loop: Any) -> None:
    """1,000 generations are drawn as the first and the last, and it is said."""
    made = from_facts(long_loop(1000))
    drawn = rows_of(made)
    nodes = [node for row in drawn for node in row.nodes]
    drawings = [
        graph_of(made),
        *(curve("c", found) for found in made.loops[0].measures),
    ]

    assert len(drawn) == MOST_ROWS
    assert len(nodes) <= 200
    assert max(map(len, drawings)) < 40_000
    assert "generations 5 to 993 are in the table, not in this drawing" in shown(
        graph_of(made)
    )


def test_many_parts_are_folded(repo: Registry) -> None:
    """A row with too many nodes keeps those next to its product."""
    ids = [repo.commit("dataset", f"d{i}", params={"n": i}).id for i in range(30)]
    edges = [Edge("derived_from", id_) for id_ in ids]
    repo.commit("dataset", "all", params={"n": 99}, edges=edges)
    made = report(repo, "dataset/all")
    [row] = rows_of(made)

    assert (len(row.nodes), row.more) == (12, 19)
    assert "all" in [node.artifact.name for node in row.nodes]
    assert "and 19 more" in shown(graph_of(made))


def measure(values: list[float]) -> Measure:
    points = tuple(Point("", i, v, None, None) for i, v in enumerate(values))
    return Measure("loss", "loss", 1, "lower", None, None, points)


def test_a_curve_has_its_values() -> None:
    """A dot per generation, the last value in words, all of it inside the frame."""
    drawing = parse(curve("c", measure([3.0, 2.0, 2.5])))
    dots = [
        (float(d.attrib["cx"]), float(d.attrib["cy"])) for d in drawing.iter("circle")
    ]

    assert [x for x, _ in dots] == sorted(x for x, _ in dots)
    assert dots[1][1] > dots[2][1] > dots[0][1]  # y grows downwards
    assert "2.5" in ["".join(text.itertext()) for text in drawing.iter("text")]
    assert all(0 < x < 260 and 0 < y < 150 for x, y in dots)


def test_intervals_are_drawn_where_they_are_known() -> None:
    """And the axis makes room for them."""
    plain = measure([3.0, 2.0])
    points = (replace(plain.points[0], interval=[0.5, 9.0]), plain.points[1])
    drawing = curve("c", replace(plain, points=points))

    assert drawing.count('class="interval"') == 1
    assert "10" in shown(drawing)


def test_one_value_is_a_curve_too() -> None:
    """Equal values, zeros and single ones have an axis."""
    for values in ([0.0], [5.0, 5.0], [-2.0]):
        assert parse(curve("c", measure(values))).attrib["role"] == "img"


def test_thinning_keeps_the_extremes() -> None:
    """At most 200 points, with every spike."""
    values = [0.0] * 5000
    values[2345], values[4321] = 9.0, -9.0
    kept = thinned(measure(values).points)

    assert len(kept) <= MOST_POINTS
    assert {p.number for p in kept} >= {0, 2345, 4321, 4999}


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (60, 110, [60, 80, 100, 120]),
        (0, 0, [0, 0.25, 0.5, 0.75, 1]),
        (0.0345, 0.036, [0.0345, 0.035, 0.0355, 0.036]),
        (-3, 5, [-4, -2, 0, 2, 4, 6]),
    ],
)
def test_ticks(low: float, high: float, expected: list[float]) -> None:
    """Round numbers around the values."""
    assert ticks(low, high) == expected


@pytest.mark.parametrize("scale", [1e-12, 1e-3, 1, 7, 1e9])
def test_ticks_of_any_size(scale: float) -> None:
    """Few, evenly spaced, and on both sides of the values."""
    found = ticks(1.23 * scale, 9.87 * scale)
    steps = [b - a for a, b in pairwise(found)]

    assert 3 <= len(found) <= 7
    assert found[0] <= 1.23 * scale
    assert found[-1] >= 9.87 * scale
    assert max(steps) == pytest.approx(min(steps))


def made_of(human: float, machine: float, unknown: float = 0.0) -> MadeOf:
    one, two, three = (Portion(share, None) for share in (human, machine, unknown))
    return MadeOf("m", "records", 100, one, two, three, hops=None)


def test_bars_add_up() -> None:
    """Parts fill the bar; what nobody counted is a part of its own."""
    drawing = bars("o", [Bar(0, made_of(0.25, 0.5, 0.25))])
    widths = {
        r.attrib["class"]: float(r.attrib["width"])
        for r in parse(drawing).iter("rect")
        if r.attrib.get("class", "plate")[:5] != "plate"
        and float(r.attrib["width"]) > 10
    }

    assert widths["o-machine"] == pytest.approx(2 * widths["o-human"], abs=0.2)
    assert widths["o-unknown"] == pytest.approx(widths["o-human"], abs=0.2)
    assert "generation 0: 25\xa0% human, 50\xa0% machine, 25\xa0%" in drawing
    assert {"25\xa0%", "50\xa0%"} <= set(shown(drawing))


def test_bars_differ_without_colour() -> None:
    """What machines wrote is hatched, in the bars and in the legend."""
    drawing = bars("o", [Bar(0, made_of(0.5, 0.5))])

    assert drawing.count('fill="url(#o-hatch)"') == 2
    assert drawing.count('id="o-hatch"') == 1


def test_many_bars_are_columns() -> None:
    """A thousand generations fit, the first and the last among them."""
    many = [Bar(n, made_of(1 - n / 1000, n / 1000)) for n in range(1000)]
    drawing = bars("o", many)

    assert len(drawing) < 40_000
    assert {"0", "999"} <= set(shown(drawing))
    assert "988 between these are in the table" in drawing


def test_a_line_shows_where_it_began() -> None:
    """The value at generation 0 is drawn all along the curve."""
    assert curve("c", measure([3.0, 2.0]), 3.0).count('class="level"') == 1
    assert curve("c", measure([3.0, 2.0])).count('class="level"') == 0

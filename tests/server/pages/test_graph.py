"""The drawing of a neighbourhood: where boxes stand, what it says, where it leads."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineage.neighbourhood import neighbourhood
from lineage.server.pages.graph import graph
from lineage.server.pages.layers import GAP, WIDTH, Layers, layers, settled
from lineage.server.pages.site import Site
from lineage.store.objects import Edge

if TYPE_CHECKING:
    from lineage.registry import Registry

NODES = 10
few = settings(max_examples=50)


@st.composite
def drawings(draw: st.DrawFn) -> tuple[Layers, list[tuple[str, str]], dict[str, float]]:
    """Lay out a connected graph of commits around one of them."""
    count = draw(st.integers(1, NODES))
    pairs = {(draw(st.integers(0, n - 1)), n) for n in range(1, count)}
    ends = st.tuples(st.integers(0, count - 1), st.integers(0, count - 1))
    more = draw(st.lists(ends, max_size=15))
    pairs |= {(min(pair), max(pair)) for pair in more if pair[0] != pair[1]}
    heights = {str(n): draw(st.sampled_from([46.0, 65.0, 97.0])) for n in range(count)}
    arrows = [(str(a), str(b)) for a, b in sorted(pairs)]
    center = draw(st.sampled_from(sorted(heights)))
    return layers(heights, arrows, center), arrows, heights


@few
@given(drawings())
def test_arrows_lead_right_and_boxes_are_apart(
    drawn: tuple[Layers, list[tuple[str, str]], dict[str, float]],
) -> None:
    """Arrows go from left to right; no two boxes overlap; all is in the frame."""
    made, arrows, heights = drawn
    for start, end in arrows:
        assert made.spots[start].x + WIDTH + GAP <= made.spots[end].x
    spots = sorted(made.spots.values())
    for one, two in pairwise(spots):
        assert one.x != two.x or one.y + one.height <= two.y - 1
    for id_, spot in made.spots.items():
        assert spot.height == heights[id_]
        assert spot.y >= -1e-6
        assert spot.y + spot.height <= made.size[1] + 1e-6
        assert 0 <= spot.x <= made.size[0] - WIDTH


@few
@given(drawings())
def test_no_arrow_runs_through_a_box(
    drawn: tuple[Layers, list[tuple[str, str]], dict[str, float]],
) -> None:
    """In each column that it passes an arrow is beside all boxes of the column."""
    made, arrows, _ = drawn
    for ends in arrows:
        for x, y in made.routes[ends][1:-1]:
            for id_, spot in made.spots.items():
                inside = spot.x < x < spot.x + WIDTH or x in (spot.x, spot.x + WIDTH)
                if inside and id_ not in ends:
                    assert not spot.y < y < spot.y + spot.height


@few
@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=9), st.floats(1, 99))
def test_settled_keeps_its_distance(wanted: list[float], apart: float) -> None:
    """Values come no nearer than they may, and stay where they can."""
    found = settled(wanted, [apart] * (len(wanted) - 1))
    gaps = [b - a for a, b in pairwise(found)]
    assert all(gap >= apart - 1e-6 for gap in gaps)
    assert sum(found) == pytest.approx(sum(wanted), abs=1e-6)
    assert settled(found, [apart] * (len(wanted) - 1)) == pytest.approx(found)


SITE = Site("registry")


def test_each_box_leads_to_its_commit(repo: Registry) -> None:
    """The drawing is well formed; its links are those of its commits and searches."""
    seed = repo.commit("dataset", "seed", params={"a": 1}).id
    config = repo.commit("config", "settings", params={"b": 1}).id
    edges = [Edge("trained_on", seed), Edge("configured_by", config)]
    model = repo.commit("model", "m", edges=edges).id
    text = graph(neighbourhood(repo, model), SITE, tainted={seed})
    root = ET.fromstring(text)  # noqa: S314 - our own
    links = [link.get("href") for link in root.iter("a")]
    assert links == [f"/commits/{seed}", f"/commits/{model}", f"/commits/{config}"]
    assert "tainted" in text
    assert root.get("role") == "group"
    assert "model m: trained on dataset seed" in text


def test_names_are_text(repo: Registry) -> None:
    """A name that looks like markup stays text, in boxes, titles and descriptions."""
    name = "<script>alert(1)</script>&\"'"
    seed = repo.commit("dataset", name, params={"a": 1}).id
    model = repo.commit("model", name, edges=[Edge("trained_on", seed)]).id
    text = graph(neighbourhood(repo, model), SITE)
    assert "<script" not in text
    assert ET.fromstring(text) is not None  # noqa: S314 - our own


def test_alone_is_no_drawing(repo: Registry) -> None:
    """A commit that nothing came of, and that came from nothing, is not drawn."""
    id_ = repo.commit("dataset", "seed", params={"a": 1}).id
    assert graph(neighbourhood(repo, id_), SITE) == ""


def test_arrows_that_others_tell_are_left_out(repo: Registry) -> None:
    """Data that were filtered have one arrow from their writer, not two."""
    model = repo.commit("model", "m", params={"a": 1}).id
    by = Edge("generated_by", model)
    raw = repo.commit("dataset", "raw", edges=[by]).id
    repo.commit("dataset", "kept", edges=[by, Edge("derived_from", raw)])
    text = graph(neighbourhood(repo, model), SITE)
    assert len(re.findall("<path[^>]*data-from", text)) == 2

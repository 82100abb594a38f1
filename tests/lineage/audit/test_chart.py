"""A metric along branches as a drawing of its own."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from itertools import pairwise
from typing import TYPE_CHECKING

from lineage.audit.chart import page, svg
from lineage.metric_history import Course, course
from lineage.store.objects import Metric

if TYPE_CHECKING:
    from lineage.registry import Registry

SVG = "{http://www.w3.org/2000/svg}"


def drawn(repo: Registry, name: str, *values: Metric | None) -> Course:
    """A branch of models with these values of ``loss``."""
    for n, value in enumerate(values):
        metrics = {"loss": value} if value else {}
        made = repo.commit("model", name, params={"n": n}, metrics=metrics)
    return course(repo, made.id, "loss", f"model/{name}")


def parse(drawing: str) -> ET.Element:
    return ET.fromstring(drawing)  # noqa: S314 - our own


def of_class(root: ET.Element, class_: str) -> list[ET.Element]:
    return [found for found in root.iter() if found.get("class") == class_]


def test_lines_end_at_gaps_and_intervals_are_drawn(repo: Registry) -> None:
    """Every value has its mark, every interval its bar, every stretch its line."""
    one = Metric(2.0, "loss", 1, "lower", 10, [1.5, 2.5])
    found = drawn(repo, "m", one, one, None, Metric(3.0, "loss", 1, "lower"))
    root = parse(svg([found]))

    assert len(of_class(root, "interval")) == 2
    assert len(of_class(root, "curve")) == 2 + 1  # and one in the legend
    assert len(of_class(root, "dot")) == 3 + 1
    assert "loss v1, lower is better" in "".join(root.itertext())


def test_definitions_have_axes_of_their_own(repo: Registry) -> None:
    """Values that cannot be compared never share an axis."""
    found = drawn(repo, "m", Metric(1.0, "loss", 1), Metric(1000.0, "loss", 2))
    root = parse(svg([found]))

    assert [e.text for e in of_class(root, "name")] == ["loss v2", "loss v1"]


def test_the_drawing_says_what_it_shows_and_needs_nothing(repo: Registry) -> None:
    """Title and description are there; no script, no link, nothing from elsewhere."""
    lines = [drawn(repo, f"m{n}", Metric(1.0), Metric(2.0 + n)) for n in range(3)]
    text = svg(lines)
    root = parse(text)

    assert root.tag == f"{SVG}svg"
    assert root.findtext(f"{SVG}title") == "loss along model/m0, model/m1 and model/m2"
    assert "model/m2: 1 at commit 0, 4 at commit 1" in (
        root.findtext(f"{SVG}desc") or ""
    )
    assert "prefers-color-scheme: dark" in text
    assert not re.search(r"<script|href|url\(|@import", text + page(lines))


def test_values_at_the_ends_do_not_cover_each_other(repo: Registry) -> None:
    """Lines that end in one place have their last values below each other."""
    lines = [drawn(repo, f"m{n}", Metric(1.0), Metric(2.0 + n / 100)) for n in range(5)]
    heights = sorted(
        float(e.get("y", "")) for e in of_class(parse(svg(lines)), "value")
    )

    assert all(b - a >= 11.9 for a, b in pairwise(heights))


def test_a_page_has_every_value_as_text(repo: Registry) -> None:
    """Who cannot see the drawing reads a table; names cannot break out of it."""
    made = [
        repo.commit("model", "<b>m</b>", params={"n": n}, metrics={"loss": n / 7}).id
        for n in range(1, 4)
    ]
    found = course(repo, made[-1], "loss", "<script>")
    text = page([found])

    assert "0.142857" in text
    assert "<b>m" not in text
    assert "<script>" not in text

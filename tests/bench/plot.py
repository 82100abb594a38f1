"""Draw kept results over time: every ratio that has a goal, a small chart each.

    python tests/bench/plot.py      # writes tests/bench/results/plot.svg

The dashed line is the goal, the bars are from the lowest to the highest of the rounds.
Runs of other machines stand beside each other: look at ratios, not at steps.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[2]))

from lineage.audit.curves import Plot
from lineage.audit.model import Point
from lineage.audit.svg import drawing, element, label, path
from tests.bench.results import HERE, load
from tests.bench.tables import Ratio, read

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_CHART, _ACROSS = (330, 150), 2
_SIDES = (40, 60)
_HEAD = 40  # two lines of words above a chart
_LEVEL = ".level { stroke: var(--soft); stroke-dasharray: 3 3; fill: none }\n"


class Kept(NamedTuple):
    """A ratio of one run: which run it is, when, what, and its goal."""

    run: int
    date: str
    ratio: Ratio
    goal: float


def main() -> None:
    results = sorted(map(load, HERE.glob("*.json")), key=lambda one: one["time"])
    (HERE / "plot.svg").write_text(svg(results), encoding="utf-8")


def svg(results: Sequence[Mapping[str, object]]) -> str:
    """The drawing as a file: a chart for each ratio, in the order of the tables."""
    charts = [_chart(*name, kept) for name, kept in collected(results).items()]
    width, height = _CHART[0], _CHART[1] + _HEAD
    places = [(n % _ACROSS * width, n // _ACROSS * height) for n in range(len(charts))]
    content = [
        element("g", *chart, transform=f"translate({x} {y})")
        for chart, (x, y) in zip(charts, places, strict=True)
    ]
    size = (_ACROSS * width, height * -(-len(charts) // _ACROSS))
    title = "What lineage takes beside its peers, run by run"
    said = "Ratios of time; below the dashed line the goal is met."
    style = files("lineage.audit").joinpath("templates/chart.css").read_text("utf-8")
    drawn = element("style", escape(style + _LEVEL, quote=False))
    content.insert(0, drawn)
    return drawing("bench", size, title, said, *content, alone=True, class_="s0") + "\n"


def collected(
    results: Sequence[Mapping[str, object]],
) -> dict[tuple[str, str], list[Kept]]:
    """Ratios with a goal by table and name, the oldest run first."""
    found: dict[tuple[str, str], list[Kept]] = defaultdict(list)
    for run, result in enumerate(results, start=1):
        areas: Mapping[str, Mapping[str, Sequence[Mapping[str, object]]]]
        areas, date = result["areas"], str(result["time"])[:10]  # type: ignore[assignment]
        for area in areas.values():
            for table in map(read, area["tables"]):
                for name, ratio, goal in table.figures():
                    found[table.title, name].append(Kept(run, date, ratio, goal))
    return found


class _Runs(Plot):
    """A chart whose ends have dates."""

    def __init__(self, kept: Sequence[Kept]) -> None:
        self._dates = {one.run: one.date for one in kept}
        goal = Point("", kept[0].run, kept[-1].goal, None, None)
        super().__init__([*map(_point, kept), goal], _CHART, _SIDES)

    def called(self, generation: int) -> str:
        ends = (self.first, self.final)
        return self._dates[generation] if generation in ends else ""


def _point(one: Kept) -> Point:
    low_high = [one.ratio.low, one.ratio.high]
    return Point("", one.run, one.ratio.middle, None, low_high)


def _chart(title: str, pair: str, kept: Sequence[Kept]) -> Iterator[str]:
    plot, points = _Runs(kept), [_point(one) for one in kept]
    yield label(0, 8, pair, class_="name")
    yield label(0, 24, title, class_="tick")
    inner = [
        *plot.axes(),
        plot.level(kept[-1].goal),
        *map(plot.interval, points),
        path((plot.at(p.number, p.value) for p in points), class_="curve"),
        *map(plot.dot, points),
        plot.last(points[-1]),
    ]
    yield element("g", *inner, transform=f"translate(0 {_HEAD - 10})")


if __name__ == "__main__":
    main()

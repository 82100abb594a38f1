"""Curves of measures over generations."""

import math
from collections.abc import Iterable, Iterator, Sequence

from lineage.audit.model import Measure, Point
from lineage.audit.svg import drawing, element, label, path
from lineage.audit.text import number

MOST_POINTS = 200
_SMALL = (290, 150)
_SIDES = (46, 56)  # for the ticks on the left, the last value on the right
_TOP, _BOTTOM = 14, 24


def curve(id_: str, measure: Measure, start: float | None = None) -> str:
    """One measure over the generations, with its intervals where they are known.

    Where `start`, its value at generation 0, is given, a line shows it all along.
    """
    points = thinned(measure.points)
    plot = Plot(points, _SMALL)
    marks = len(points) <= 40
    content = [
        *plot.axes(),
        *([plot.level(start)] if start is not None else []),
        *(plot.interval(point) for point in points if point.interval),
        path((plot.at(p.number, p.value) for p in points), class_="curve"),
        *(plot.dot(point) for point in points if marks),
        plot.last(points[-1]),
    ]
    title = f"{measure.name} by generation"
    said = "; ".join(f"generation {p.number}: {number(p.value)}" for p in _few(points))
    return drawing(id_, _SMALL, title, said, *content)


def _few(points: Sequence[Point]) -> Sequence[Point]:
    return points if len(points) <= 12 else (*points[:6], *points[-6:])


def thinned(points: Sequence[Point]) -> list[Point]:
    """At most `MOST_POINTS` of the points: both extremes of each stretch, the ends."""
    stretch = math.ceil(2 * len(points) / (MOST_POINTS - 2))
    if len(points) <= MOST_POINTS:
        return list(points)
    kept = {0, len(points) - 1}
    for start in range(0, len(points), stretch):
        part = range(start, min(start + stretch, len(points)))
        kept.add(min(part, key=lambda i: points[i].value))
        kept.add(max(part, key=lambda i: points[i].value))
    return [points[i] for i in sorted(kept)]


class Plot:
    """Where values stand on one chart of a size in the drawing's units."""

    def __init__(
        self,
        points: Sequence[Point],
        size: tuple[float, float],
        sides: tuple[float, float] = _SIDES,
    ) -> None:
        values = [v for p in points for v in (p.value, *(p.interval or ()))]
        self.ticks = ticks(min(values), max(values))
        self.low, self.high = self.ticks[0], self.ticks[-1]
        numbers = [point.number for point in points]
        self.first, self.final = min(numbers), max(numbers)
        self.width, self.height = size
        self.left, self.right = sides

    def at(self, generation: float, value: float) -> tuple[float, float]:
        across = (generation - self.first) / ((self.final - self.first) or 1)
        up = (value - self.low) / (self.high - self.low)
        return (
            self.left + 6 + across * (self.width - self.left - self.right - 12),
            self.height - _BOTTOM - up * (self.height - _TOP - _BOTTOM),
        )

    def axes(self) -> Iterator[str]:
        for tick in self.ticks:
            y = self.at(0, tick)[1]
            yield path([(self.left, y), (self.width - self.right, y)], class_="grid")
            x = self.left - 6
            yield label(x, y, number(tick), class_="tick", text_anchor="end")
        for generation in sorted({self.first, *self._between(), self.final}):
            x = self.at(generation, self.low)[0]
            y = self.height - _BOTTOM + 12
            name = self.called(generation)
            yield label(x, y, name, class_="tick", text_anchor="middle")

    def called(self, generation: int) -> str:
        """What stands below a generation."""
        return str(generation)

    def _between(self) -> Iterable[int]:
        """Generations to write between the first and the last, without crowding."""
        span = self.final - self.first
        step = max(1, math.ceil(span / 6))
        return range(self.first, self.final - step // 2, step)

    def level(self, value: float) -> str:
        """A value as a dashed line from the first generation to the last."""
        ends = (self.at(self.first, value), self.at(self.final, value))
        return path(ends, class_="level")

    def interval(self, point: Point) -> str:
        low, high = point.interval or (point.value, point.value)
        ends = (self.at(point.number, low), self.at(point.number, high))
        return path(ends, class_="interval")

    def dot(self, point: Point) -> str:
        x, y = self.at(point.number, point.value)
        return element("circle", cx=x, cy=y, r=2.5, class_="dot")

    def last(self, point: Point) -> str:
        x, y = self.at(point.number, point.value)
        return label(x + 7, y, number(point.value, 4), class_="value")


def ticks(low: float, high: float) -> list[float]:
    """Three to six round numbers that span from `low` to `high`."""
    if low == high:
        low, high = (low - abs(low) / 2, high + abs(high) / 2) if low else (0, 1)
    rough = (high - low) / 4
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(s * power for s in (1, 2, 2.5, 5, 10) if s * power >= rough * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [float(f"{i * step:.10g}") for i in range(first, last + 1)]

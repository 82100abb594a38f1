"""A metric along branches as a drawing of its own: an SVG, or a page around it.

Values of different definitions never share an axis. Lines end where the metric is
missing. Branches are told apart by their marks and dashes, not by colour alone.
"""

from collections.abc import Iterator, Sequence
from html import escape
from importlib.resources import files

from lineage.audit.curves import Plot, thinned
from lineage.audit.model import Point
from lineage.audit.svg import drawing, element, label, path
from lineage.audit.text import number, visible
from lineage.metric_history import Course, Step, definitions, meaning
from lineage.store.objects import Metric
from lineage.wording import listed

_WIDTH, _HEIGHT = 640, 300
_SIDES = (76, 80)  # for the longest numbers
_HEAD = 26  # above a chart, for what it shows
_LINE = 18  # of the legend
_LOOKS = 6  # classes of lines: s0 to s5
_DOTTED = 60  # points; of more only the lines are drawn
_APART = 12  # between the values at the ends of two lines


def svg(courses: Sequence[Course]) -> str:
    """The drawing as a file; there must be a value to draw."""
    return _drawn(courses, alone=True) + "\n"


def page(courses: Sequence[Course]) -> str:
    """A page with the drawing, and all values as tables."""
    title = escape(visible(_title(courses)))
    tables = "".join(map(_table, courses))
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{_style()}</style></head>\n"
        f"<body><h1>{title}</h1>\n<figure>{_drawn(courses)}</figure>\n{tables}"
        f"</body></html>\n"
    )


def _title(courses: Sequence[Course]) -> str:
    return f"{courses[0].name} along {listed(course.label for course in courses)}"


def _style() -> str:
    return files("lineage.audit").joinpath("templates/chart.css").read_text("utf-8")


def _drawn(courses: Sequence[Course], *, alone: bool = False) -> str:
    """A chart for each definition, below each other, and what is which."""
    content, height = [], 0.0
    for meant in definitions(courses):
        chart = element(
            "g", *_chart(courses, meant), transform=f"translate(0 {height:g})"
        )
        content.append(chart)
        height += _HEAD + _HEIGHT
    content += _legend(courses, height)
    size = (_WIDTH, height + _LINE * len(courses))
    title = _title(courses)
    said = "; ".join(map(_said, courses))
    style = [element("style", _style())] if alone else []
    return drawing("chart", size, title, said, *style, *content, alone=alone)


def _said(course: Course) -> str:
    """The first and the last value of a branch in words."""
    steps = [step for step in course.steps if step.measured]
    if not steps:
        return f"{course.label}: nothing"
    first, last = (_point(step) for step in (steps[-1], steps[0]))
    return (
        f"{course.label}: {number(first.value)} at commit {first.number}, "
        f"{number(last.value)} at commit {last.number}"
    )


def _chart(courses: Sequence[Course], meant: Metric) -> Iterator[str]:
    """Axes, intervals, lines and values of one definition."""
    lines = [[*_stretches(course, meant)] for course in courses]
    points = [point for line in lines for stretch in line for point in stretch]
    plot = Plot(points, (_WIDTH, _HEIGHT), _SIDES)
    yield label(0, 8, meaning(courses[0].name, meant), class_="name")
    inside = [*plot.axes()]
    for index, line in enumerate(lines):
        dotted = sum(map(len, line)) <= _DOTTED
        drawn = _line(plot, line, index, dotted=dotted)
        inside.append(element("g", *drawn, class_=f"s{index % _LOOKS}"))
    inside += _ends(plot, lines)
    yield element("g", *inside, transform=f"translate(0 {_HEAD})")


def _stretches(course: Course, meant: Metric) -> Iterator[list[Point]]:
    for steps in course.stretches():
        points = [_point(step) for step in steps if _metric(step).comparable(meant)]
        if points:
            yield thinned(points)


def _metric(step: Step) -> Metric:
    assert step.measured is not None
    return step.measured.metric


def _point(step: Step) -> Point:
    found = _metric(step)
    return Point(step.entry.id, step.number, found.value, found.n, found.interval)


def _line(
    plot: Plot, stretches: Sequence[Sequence[Point]], look: int, *, dotted: bool
) -> Iterator[str]:
    for points in stretches:
        yield from (plot.interval(point) for point in points if point.interval)
        yield path((plot.at(p.number, p.value) for p in points), class_="curve")
        if dotted or len(points) == 1:
            yield from (_mark(*plot.at(p.number, p.value), look) for p in points)


def _mark(x: float, y: float, look: int) -> str:
    """A disc, square, diamond or triangle."""
    corners = {
        1: [(-3, -3), (3, -3), (3, 3), (-3, 3)],
        2: [(0, -4), (4, 0), (0, 4), (-4, 0)],
        3: [(0, -4), (4, 3), (-4, 3)],
    }.get(look % 4)
    if corners is None:
        return element("circle", cx=x, cy=y, r=3.0, class_="dot")
    return path([(x + dx, y + dy) for dx, dy in corners], class_="dot")


def _ends(plot: Plot, lines: Sequence[Sequence[Sequence[Point]]]) -> Iterator[str]:
    """The last value of each line beside it, the lowest first, none on another."""
    last = [line[-1][-1] for line in lines if line]
    free = float("inf")
    for x, y, text in sorted(
        ((*plot.at(p.number, p.value), number(p.value, 4)) for p in last),
        key=lambda end: -end[1],
    ):
        free = min(y, free)
        yield label(x + 8, free, text, class_="value")
        free -= _APART


def _legend(courses: Sequence[Course], top: float) -> Iterator[str]:
    for index, course in enumerate(courses):
        y = top + _LINE * (index + 0.5)
        line = path([(0, y), (28, y)], class_="curve")
        yield element("g", line, _mark(14, y, index), class_=f"s{index % _LOOKS}")
        yield label(36, y, course.label, longest=90)


def _table(course: Course) -> str:
    """All steps of a branch with what is known of each, for those who do not look."""
    rows = "".join(map(_row, course.steps))
    heads = "".join(
        f'<th scope="col">{head}</th>'
        for head in ("commit", "name", "value", "interval", "definition")
    )
    caption = escape(visible(f"{course.name} along {course.label}, newest first"))
    return (
        f"<table><caption>{caption}</caption><thead><tr>{heads}</tr></thead>"
        f"<tbody>{rows}</tbody></table>\n"
    )


def _row(step: Step) -> str:
    commit = step.entry.commit
    cells = [step.entry.id[:12], f"{commit.kind} {commit.name}, commit {step.number}"]
    if step.measured is None:
        cells += ["not measured", "", ""]
    else:
        found = step.measured.metric
        interval = ", ".join(map(number, found.interval or ()))
        version = "" if found.version is None else f" v{found.version}"
        cells += [number(found.value), interval, f"{found.definition or ''}{version}"]
    return f"<tr>{''.join(f'<td>{escape(visible(cell))}</td>' for cell in cells)}</tr>"

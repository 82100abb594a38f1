"""`log --metric NAME`: a metric along branches, as a table, a plot, a drawing."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lineage.cli.command import App
from lineage.cli.diff.metrics import verdict
from lineage.cli.names import short, title
from lineage.cli.plots import Dot, Line, plot
from lineage.cli.render import (
    Column,
    Record,
    Section,
    markdown_sections,
    sections,
    write_as,
)
from lineage.cli.terminal import Span
from lineage.cli.text import interval
from lineage.cli.writing import write_file
from lineage.errors import NotFound, UsageError
from lineage.metric_history import along, definitions, meaning, tips
from lineage.shapes.metric_history import history, step_of
from lineage.wording import change, number

if TYPE_CHECKING:
    from lineage.metric_history import Course, Step
    from lineage.registry import Registry
    from lineage.store.objects import Metric


def show(
    app: App,
    name: str,
    revisions: Sequence[str],
    *,
    everything: bool,
    limit: int | None,
    format_: str,
    drawing: Path | None,
) -> None:
    """Print the metric `name` along each branch, and draw it into a file."""
    found = _courses(app, name, revisions, everything=everything)
    courses = [course.newest(limit) for course in found]
    if drawing:
        _draw(app, courses, drawing)
    write_as(
        app.terminal,
        format_,
        data=lambda: history(name, courses),
        lines=lambda: (
            step_of(course, step) for course in courses for step in course.steps
        ),
        markdown=lambda: markdown_sections(_tables(app.registry, courses)),
        human=lambda: _human(app, courses),
    )


def _courses(
    app: App, name: str, revisions: Sequence[str], *, everything: bool
) -> list["Course"]:
    """The metric along each branch that has it.

    Raises:
        NotFound: when none has it.
    """
    registry = app.registry
    ends = dict(tips(registry, revisions, everything=everything))
    called = (
        (short(registry, id_) if id_ == label else label, id_)
        for label, id_ in ends.items()
    )
    found, lacking = along(registry, name, called)
    if everything and not found:
        hint = "`lineage show` lists the metrics of a commit"
        raise NotFound(f"no branch has a metric {name}", hint=hint)
    if lacking and not found:
        raise lacking[0]
    for each in lacking if not everything else ():
        app.terminal.note(str(each))
    return found


def _human(app: App, courses: Sequence["Course"]) -> Iterator[str]:
    """A plot for each definition, and a table for each branch."""
    for index, meant in enumerate(definitions(courses)):
        if index:
            yield ""
        yield app.terminal.paint([(meaning(courses[0].name, meant), "title")])
        yield from plot(app.terminal, [_line(course, meant) for course in courses])
    yield from sections(app.terminal, _tables(app.registry, courses))


def _line(course: "Course", meant: "Metric") -> Line:
    """The values of one definition along a branch."""
    dots = [
        Dot(step.number, step.measured.metric.value, step.measured.metric.interval)
        for step in course.steps
        if step.measured and step.measured.metric.comparable(meant)
    ]
    return Line(course.label, dots)


def _tables(registry: "Registry", courses: Sequence["Course"]) -> Iterator[Section]:
    for course in courses:
        records = [
            {
                "step": step,
                "what": _what(step, course),
                "id": short(registry, step.entry.id),
            }
            for step in course.steps
        ]
        yield Section(course.label, records, _COLUMNS)


def _what(step: "Step", course: "Course") -> str:
    """``generation 3``; with a name where that is not the branch's."""
    commit = step.entry.commit
    if commit.kind != "generation":
        return f"{commit.kind} {commit.name}"
    whole = title(commit, step.entry.generation)[0][0]
    own = commit.name == course.steps[0].entry.commit.name
    return whole.removesuffix(f" of {commit.name}") if own else whole


def _value(record: Record) -> Span | str:
    found = record["step"].measured
    return number(found.metric.value) if found else ("-", "dim")


def _interval(record: Record) -> str:
    found = record["step"].measured
    return interval(found.metric.interval) if found else ""


def _delta(record: Record) -> str:
    moved = record["step"].change
    return "" if moved is None or moved.delta is None else change(moved.delta)


def _verdict(record: Record) -> Span | str:
    step: Step = record["step"]
    if step.measured is None:
        return "not measured", "dim"
    return verdict(step.change) if step.change else ""


def _besides(record: Record) -> str:
    """Whose value it is, and who said it, where that is not the commit itself."""
    found, id_ = record["step"].measured, record["step"].entry.id
    said = [f"of its part {found.of[:8]}"] if found and found.of != id_ else []
    said += [f"attested in event {found.event[:8]}"] if found and found.event else []
    return ", ".join(said)


_COLUMNS = (
    Column("commit", lambda r: (r["id"], "id")),
    Column("", lambda r: r["what"], flexible=True),
    Column("value", _value, right=True),
    Column("interval", _interval, right=True),
    Column("change", _delta, right=True),
    Column("", _verdict, flexible=True),
    Column("", _besides, below=True),
)


def _draw(app: App, courses: Sequence["Course"], path: Path) -> None:
    """Write a drawing as SVG or as a page around it, whichever the name says."""
    from lineage.audit.chart import page, svg

    if not definitions(courses):
        raise UsageError("there is nothing to draw", hint="take more with -n")
    writers = {".svg": svg, ".html": page}
    if path.suffix.lower() not in writers:
        raise UsageError(f"{path} names no drawing", hint="name it .svg or .html")
    drawn = writers[path.suffix.lower()](courses)
    write_file(app, path, drawn.encode(), "drawing")
    app.terminal.say(f"drawn in {path}")

"""The history of a metric along branches as JSON has it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lineage.shapes import Json, metric_

if TYPE_CHECKING:
    from lineage.metric_history import Course, Step

_UNMEASURED = dict.fromkeys(
    ("value", "definition", "version", "direction", "n", "interval")
)


def history(name: str, courses: Sequence["Course"]) -> Json:
    """All branches."""
    branches = [
        {"branch": each.label, "steps": [_step(step) for step in each.steps]}
        for each in courses
    ]
    return {"metric": name, "branches": branches}


def step_of(course: "Course", step: "Step") -> Json:
    """One step with the branch that it is on."""
    return {"branch": course.label, "metric": course.name, **_step(step)}


def _step(step: "Step") -> Json:
    """One commit of a branch; what is not measured is null."""
    found, moved = step.measured, step.change
    return {
        "id": step.entry.id,
        "git": step.entry.git,
        "kind": step.entry.commit.kind,
        "name": step.entry.commit.name,
        "number": step.number,
        "time": step.entry.time,
        **(metric_(found.metric) if found else _UNMEASURED),
        "of": found and found.of,
        "event": found and found.event,
        "since": step.since,
        "delta": moved and moved.delta,
        "verdict": moved and moved.verdict,
    }

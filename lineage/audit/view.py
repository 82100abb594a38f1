"""What the page of a report shows that the model does not say in so many words."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from lineage.audit import text
from lineage.audit.curves import curve, origins
from lineage.audit.graph import graph
from lineage.audit.model import (
    STATUSES,
    Artifact,
    Gap,
    Generation,
    Measure,
    Report,
    Statement,
)
from lineage.audit.words import FEW

COUNTS = ("generated", "rejected", "kept")


def view(report: Report) -> dict[str, Any]:
    """All that the page's template uses."""
    artifacts = {made.id: made for made in report.artifacts}
    training = {model.model: model for model in report.training}
    turns = report.turns
    environments = _environments(report.artifacts)
    return {
        "report": report,
        "statuses": STATUSES,
        "artifacts": artifacts,
        "subject": artifacts[report.subjects[0]],
        "title": _title([artifacts[id_] for id_ in report.subjects], turns),
        "training": training,
        "written": {dataset.dataset: dataset for dataset in report.written},
        "graph": graph("lineage", report),
        "loops": [
            {
                "told": loop,
                "origins": _origins(number, loop.generations, training),
                "curves": list(_curves(number, loop.measures)),
            }
            for number, loop in enumerate(report.loops, 1)
        ],
        "environments": environments,
        "environment_of": _named(report.artifacts, environments),
        "gaps": [(gap.what, *_places(gap, artifacts, turns)) for gap in report.gaps],
        **_turns(turns),
        **_events(report.statements),
    }


def _turns(turns: tuple[Generation, ...]) -> dict[str, Any]:
    """Generations, rejected ones last, and what is counted of them."""
    return {
        "turns": turns,
        "refused": [turn for turn in turns if turn.status == "rejected"],
        "reviewed": [t for t in turns if any(s.type == "review" for s in t.statements)],
        "gates": [gate for turn in turns for gate in turn.gates],
    }


def _events(statements: Iterable[Statement]) -> dict[str, list[Statement]]:
    """Statements by what they are about."""
    found: dict[str, list[Statement]] = {"reviews": [], "failures": [], "others": []}
    for said in statements:
        failed = "failures" if said.type.startswith("failed") else "others"
        found["reviews" if said.type == "review" else failed].append(said)
    overrides = [said for said in found["reviews"] if said.data.get("override")]
    return {**found, "overrides": overrides}


def _curves(loop: int, measures: Iterable[Measure]) -> Iterator[tuple[Measure, str]]:
    """The measures that have a course, but counts of records, which the table has."""
    for number, measure in enumerate(measures, 1):
        if measure.name not in COUNTS and len(measure.points) > 1:
            yield measure, curve(f"measure-{loop}-{number}", measure)


def _title(subjects: Sequence[Artifact], turns: Iterable[Generation]) -> str:
    if len(subjects) > 1:
        return text.plural(len(subjects), "commit")
    [subject] = subjects
    if subject.kind == "generation":
        [turn] = (turn for turn in turns if turn.id == subject.id)
        rejected = ", rejected" if turn.status == "rejected" else ""
        return f"Generation {turn.number} of {subject.name}{rejected}"
    return f"{subject.kind.capitalize()} {subject.name}"


def _origins(
    loop: int, generations: Iterable[Generation], training: Mapping[str, Any]
) -> str:
    """The bars of what each generation's model learned from; empty without counts."""
    rows = [
        (turn.number, model.records, model.counts)
        for turn in generations
        for part in turn.parts
        if (model := training.get(part.id)) and model.counts
    ]
    return origins(f"origins-{loop}", rows) if rows else ""


def _environments(artifacts: Iterable[Artifact]) -> list[Mapping[str, Any]]:
    """The different environments that steps ran in, in order of appearance."""
    found: dict[str, Mapping[str, Any]] = {}
    for made in artifacts:
        if environment := _environment_of(made):
            found.setdefault(json.dumps(environment, sort_keys=True), environment)
    return list(found.values())


def _environment_of(made: Artifact) -> Mapping[str, Any]:
    said = made.circumstances.value if made.circumstances else None
    environment = (said or {}).get("environment")
    return environment if isinstance(environment, dict) else {}


def _named(
    artifacts: Iterable[Artifact], environments: list[Mapping[str, Any]]
) -> dict[str, int]:
    return {
        made.id: environments.index(environment) + 1
        for made in artifacts
        if (environment := _environment_of(made))
    }


def _places(
    gap: Gap, artifacts: Mapping[str, Artifact], turns: Iterable[Generation]
) -> tuple[str, list[Artifact], int]:
    """Where a gap is: generations by number; other commits, a few; how many more."""
    numbers = {turn.id: turn.number for turn in turns}
    found = [numbers[id_] for id_ in gap.where if id_ in numbers]
    others = [artifacts[id_] for id_ in gap.where if id_ not in numbers]
    label = f"generation{'s' if len(found) > 1 else ''} {text.ranges(found)}"
    return label if found else "", others[:FEW], max(0, len(others) - FEW)

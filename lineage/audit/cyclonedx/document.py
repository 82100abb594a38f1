"""The whole bill of materials."""

import uuid
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from typing import Any

from lineage.audit.audiences import EVERYTHING
from lineage.audit.chosen import URN, event_urn, subjects, title, turns, urn, with_parts
from lineage.audit.cyclonedx import claims, making
from lineage.audit.cyclonedx.components import Components, properties
from lineage.audit.given import Given
from lineage.audit.lines import lines
from lineage.audit.model import Artifact, Report


def render(report: Report, given: Given) -> bytes:
    """The bill of materials in JSON, in ASCII."""
    return lines(document(report, given))


def document(report: Report, given: Given) -> dict[str, Any]:
    """The bill of materials as plain data."""
    listed = with_parts(report) if report.audience == EVERYTHING else []
    files = {made.id: given.registry.files(made.id) for made in listed}
    components = Components(report, files)
    about = subjects(report)
    alone = about[0] if len(about) == 1 else None
    others = [made for made in report.artifacts if made is not alone]
    main = components.of(alone) if alone else _several(about)
    checked = turns(report)
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": _serial(report),
        "version": 1,
        "metadata": {
            "timestamp": report.as_of.time,
            "tools": {"components": [_tool()]},
            "component": main,
            "properties": properties(
                {"audience": report.audience, "as-of": event_urn(report.as_of.event)}
            ),
        },
        "components": [components.of(made) for made in others],
        "dependencies": [*_dependencies(report, main["bom-ref"], about)],
        "formulation": [making.formula(report)],
        "declarations": claims.declarations(report, checked),
        "definitions": {"standards": claims.standards(checked, components.known)},
    }


def _serial(report: Report) -> str:
    """A UUID that follows from what the report is on, as of which event, for whom."""
    words = " ".join((report.as_of.event, report.audience, *report.subjects))
    return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, URN + words)}"


def _tool() -> dict[str, Any]:
    name = "lineage-vcs"
    return {"type": "application", "name": name, "version": version(name)}


def _several(about: Sequence[Artifact]) -> dict[str, Any]:
    """What stands for several subjects in the one place that there is."""
    return {
        "type": "application",
        "bom-ref": f"{URN}subjects",
        "name": f"{len(about)} commits",
        "description": ", ".join(map(title, about)),
    }


def _dependencies(
    report: Report, main: str, about: Sequence[Artifact]
) -> Iterator[dict[str, Any]]:
    """What every commit came from, without the roles: those stand in the tasks."""
    if len(about) != 1:
        yield {"ref": main, "dependsOn": [urn(made.id) for made in about]}
    for made in report.artifacts:
        sources = dict.fromkeys(urn(edge.id) for edge in made.sources)
        yield {"ref": urn(made.id), "dependsOn": list(sources)}

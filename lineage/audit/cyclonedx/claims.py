"""What was checked and by whom: gates and reviews as claims with their evidence."""

import json
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any

from lineage.audit.chosen import URN, event_urn, title, urn
from lineage.audit.model import Artifact, Gate, Generation, Report, Statement

_GATES = f"{URN}agent:gates"


def declarations(report: Report, checked: Sequence[Generation]) -> dict[str, Any]:
    """Every verdict of a gate, and every review."""
    known = {made.id: made for made in report.artifacts}
    reviews = [
        said
        for said in report.statements
        if said.type == "review" and said.subject in known
    ]
    gates = [
        (turn, n, gate) for turn in checked for n, gate in enumerate(turn.gates, 1)
    ]
    attested = [_gated(turn, known) for turn in checked if turn.gates]
    return {
        "assessors": [*_assessors(reviews, gated=bool(gates))],
        "attestations": [*attested, *(_reviewed(said, known) for said in reviews)],
        "claims": [*(_claim(*each) for each in gates), *map(_opinion, reviews)],
        "evidence": [
            *(_evidence(known, *each) for each in gates),
            *map(_words, reviews),
        ],
    }


def standards(
    checked: Sequence[Generation], known: Mapping[str, Artifact]
) -> list[dict[str, Any]]:
    """What was required: the gates of each loop by id, type and bounds."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for turn in checked:
        for gate in turn.gates:
            name = known[turn.id].name
            ref = _requirement(name, gate)
            found.setdefault(name, {})[ref] = {
                "bom-ref": ref,
                "identifier": gate.id or "",
                "title": _required(gate),
            }
    return [
        {
            "bom-ref": f"{URN}standard:{_short(name)}",
            "name": f"the gates of the loop {name}",
            "requirements": list(requirements.values()),
        }
        for name, requirements in found.items()
    ]


def _required(gate: Gate) -> str:
    bounds = json.dumps(gate.bounds, sort_keys=True) if gate.bounds else ""
    return " ".join(filter(None, (gate.type, "on", gate.on, bounds)))


def _requirement(name: str, gate: Gate) -> str:
    """The reference of a requirement, which follows from what it says."""
    return f"{URN}requirement:{_short(json.dumps([name, gate.id, _required(gate)]))}"


def _short(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:16]


def _person(by: str) -> str:
    return f"{URN}agent:{_short(by)}"


def _assessors(
    reviews: Sequence[Statement], *, gated: bool
) -> Iterator[dict[str, Any]]:
    if gated:
        yield {"bom-ref": _GATES, "organization": {"name": "the gates of the loop"}}
    for by in dict.fromkeys(said.by for said in reviews):
        yield {"bom-ref": _person(by), "organization": {"name": by}}


def _gated(turn: Generation, known: Mapping[str, Artifact]) -> dict[str, Any]:
    """What the gates found of a generation, each against what it requires."""
    name = known[turn.id].name
    found = []
    for number, gate in enumerate(turn.gates, 1):
        passed = gate.verdict == "pass"
        score = {"score": 1 if passed else 0, "rationale": gate.sentence or ""}
        claim = "claims" if passed else "counterClaims"
        found.append(
            {
                "requirement": _requirement(name, gate),
                claim: [f"{URN}claim:{turn.id}-{number}"],
                "conformance": score,
            }
        )
    summary = f"the gates of {title(known[turn.id])}"
    return {"summary": summary, "assessor": _GATES, "map": found}


def _claim(turn: Generation, number: int, gate: Gate) -> dict[str, Any]:
    said = "passes" if gate.verdict == "pass" else "does not pass"
    return {
        "bom-ref": f"{URN}claim:{turn.id}-{number}",
        "target": urn(turn.id),
        "predicate": f"{said} the gate {gate.id or gate.type or number}",
        "evidence": [f"{URN}evidence:{turn.id}-{number}"],
    }


def _evidence(
    known: Mapping[str, Artifact], turn: Generation, number: int, gate: Gate
) -> dict[str, Any]:
    """What a gate measured; `created` is when its generation was recorded."""
    measured = {"verdict": gate.verdict, "value": gate.value, **gate.bounds}
    measured |= {"rejected": gate.rejected, "action": gate.action}
    return {
        "bom-ref": f"{URN}evidence:{turn.id}-{number}",
        "propertyName": f"lineage:gate:{gate.type or ''}",
        "description": gate.sentence or "",
        "created": known[turn.id].time,
        "data": [_attached("verdict", measured)],
    }


def _attached(name: str, data: Mapping[str, Any]) -> dict[str, Any]:
    content = json.dumps(dict(data), sort_keys=True)
    attachment = {"contentType": "application/json", "content": content}
    return {"name": name, "contents": {"attachment": attachment}}


def _reviewed(said: Statement, known: Mapping[str, Artifact]) -> dict[str, Any]:
    summary = f"a review of {title(known[said.subject or ''])}"
    claims = [{"claims": [f"{event_urn(said.event)}:claim"]}]
    return {"summary": summary, "assessor": _person(said.by), "map": claims}


def _opinion(said: Statement) -> dict[str, Any]:
    return {
        "bom-ref": f"{event_urn(said.event)}:claim",
        "target": urn(said.subject or ""),
        "predicate": f"reviewed: {said.data.get('verdict', 'no verdict')}",
        "reasoning": str(said.data.get("note") or said.message),
        "evidence": [event_urn(said.event)],
    }


def _words(said: Statement) -> dict[str, Any]:
    """The event of a review, and whether it is signed."""
    told = {"signature": said.signature.state, **said.data}
    return {
        "bom-ref": event_urn(said.event),
        "propertyName": "lineage:review",
        "description": said.message,
        "created": said.time,
        "data": [_attached("review", told)],
    }

"""A report as PROV-JSON: the whole graph in the words of W3C PROV.

https://www.w3.org/submissions/prov-json. Every commit is an entity and, but for
generations, came out of an activity that recorded it; every edge is a ``used`` of that
activity, and what something is made of a ``wasDerivedFrom`` as well. Every event that
speaks of a commit is an activity that used it. docs/formats.md has the mapping.
"""

import json
import re
from collections import defaultdict
from collections.abc import Container, Iterator, Mapping
from hashlib import sha256
from typing import Any, TypeAlias
from urllib.parse import quote

from lineage.audit.chosen import URN, made_of, title, turns
from lineage.audit.lines import lines
from lineage.audit.model import Artifact, Gate, Report, Source, Statement
from lineage.descent.roles import CONTAINS, FLOW
from lineage.store.objects import BACK

PREFIXES = {
    "agent": f"{URN}agent:",
    "commit": URN,
    "event": f"{URN}event:",
    "gate": f"{URN}gate:",
    "lin": f"{URN}term:",
    "made-of": f"{URN}made-of:",
    "making": f"{URN}making:",
    "metric": f"{URN}metric:",
    "origin": f"{URN}origin:",
    "stated": f"{URN}stated:",
    "went": f"{URN}went:",
}
_HELD = ("state", "root", "files", "count", "size", "uri", "digest", "told")
_ODD_ENDS = re.compile(r"^[.-]|[.]$")

Relations: TypeAlias = dict[str, list[dict[str, Any]]]


def render(report: Report) -> bytes:
    """The document, in ASCII, members in the order of recording."""
    return lines(document(report))


def document(report: Report) -> dict[str, Any]:
    """The document as plain data."""
    known = {made.id for made in report.artifacts}
    relations: Relations = defaultdict(list)
    shares = made_of(report)
    entities = {
        f"commit:{made.id}": _entity(made, shares.get(made.id, {}))
        for made in report.artifacts
    }
    activities = {f"making:{made.id}": _making(made) for made in report.artifacts}
    activities |= {f"event:{said.event}": _said(said) for said in report.statements}
    for made in report.artifacts:
        _relate(made, relations)
    for said in report.statements:
        _speak(said, known, relations)
    for name, gate in _gates(report):
        activities[name] = _gate(gate)
        used = {"prov:activity": name, "prov:entity": f"commit:{gate.commit}"}
        relations["used"].append(used)
    return {
        "prefix": PREFIXES,
        "entity": entities,
        "activity": activities,
        "agent": _agents(report),
        **{kind: _numbered(kind, relations[kind]) for kind in sorted(relations)},
    }


def _agents(report: Report) -> dict[str, Any]:
    """Whoever recorded a commit or said something."""
    people = [made.by for made in report.artifacts]
    people += [said.by for said in report.statements]
    return {_agent(by): {"prov:label": by} for by in people}


def _numbered(kind: str, found: list[dict[str, Any]]) -> dict[str, Any]:
    """Relations have no names of their own: blank ones, by number."""
    return {f"_:{kind}{number}": each for number, each in enumerate(found, 1)}


def _entity(made: Artifact, shares: Mapping[str, Any]) -> dict[str, Any]:
    """A commit: its kind, what its bytes are, what was said and measured of it."""
    types = [_name(f"lin:{made.kind.capitalize()}")]
    if made.kind == "generation":
        types.append(_name("prov:Collection"))
    held = made.bytes.value or {}
    origin = {key: said.value for key, said in made.origin.items() if said.value}
    return {
        "prov:label": title(made),
        "prov:type": types if len(types) > 1 else types[0],
        "lin:name": made.name,
        "lin:generation": made.generation,
        "lin:git": made.git,
        **_attributes("lin", {key: held[key] for key in _HELD if key in held}),
        **_attributes("made-of", shares),
        **_attributes("origin", origin),
        **_attributes("stated", {key: f.value for key, f in made.stated.items()}),
        **_attributes("metric", {m.name: m.value for m in made.metrics}),
    }


def _making(made: Artifact) -> dict[str, Any]:
    """What recorded a commit: the event, and what it says of how that went."""
    message = made.message.value if made.message else None
    went = made.circumstances.value if made.circumstances else None
    flat = {
        key: value
        for key, value in (went or {}).items()
        if isinstance(value, str | int | float)
    }
    return {
        "lin:event": made.event,
        **({"lin:message": message} if message else {}),
        **_attributes("went", flat),
    }


def _relate(made: Artifact, relations: Relations) -> None:
    """Who recorded a commit, when, and what it came from."""
    entity, activity = f"commit:{made.id}", f"making:{made.id}"
    came = {"prov:entity": entity, "prov:activity": activity, "prov:time": made.time}
    relations["wasGeneratedBy"].append(came)
    _associate(activity, made.by, relations)
    for edge in made.sources:
        _edge(entity, activity, edge, relations)


def _associate(activity: str, by: str, relations: Relations) -> None:
    who = {"prov:activity": activity, "prov:agent": _agent(by)}
    relations["wasAssociatedWith"].append(who)


def _edge(entity: str, activity: str, edge: Source, relations: Relations) -> None:
    """The relations that say one edge: `used` or, of a revision, `wasDerivedFrom`."""
    source, share = f"commit:{edge.id}", edge.share.value if edge.share else None
    said: dict[str, Any] = {"lin:evidence": edge.evidence.value}
    for unit, (part, whole) in (share or {}).items():
        said |= {f"lin:{local(unit)}": part, f"lin:{local(unit)}-of": whole}
    if edge.role not in BACK:
        used: dict[str, Any] = {"prov:activity": activity, "prov:entity": source}
        relations["used"].append(
            {**used, "prov:role": _name(f"lin:{edge.role}"), **said}
        )
    if edge.role in CONTAINS:
        relations["hadMember"].append(
            {"prov:collection": entity, "prov:entity": source}
        )
    elif edge.role in FLOW.union(BACK):
        type_ = "prov:Revision" if edge.role in BACK else f"lin:{edge.role}"
        derived: dict[str, Any] = {
            "prov:generatedEntity": entity,
            "prov:usedEntity": source,
        }
        derived |= {"prov:type": _name(type_)}
        if edge.role in BACK:
            derived |= {"lin:role": _name(f"lin:{edge.role}"), **said}
        relations["wasDerivedFrom"].append(derived)


def _speak(said: Statement, known: Container[str], relations: Relations) -> None:
    """Who said something, and of what."""
    activity = f"event:{said.event}"
    _associate(activity, said.by, relations)
    if said.subject in known:
        used = {"prov:activity": activity, "prov:entity": f"commit:{said.subject}"}
        relations["used"].append(used)


def _said(said: Statement) -> dict[str, Any]:
    """An event that speaks of a commit, as an activity at one moment."""
    found: dict[str, Any] = {
        "prov:startTime": said.time,
        "prov:endTime": said.time,
        "lin:event-type": said.type,
    }
    if said.message:
        found["lin:message"] = said.message
    verdict = said.data.get("verdict")
    return {**found, "lin:verdict": verdict} if isinstance(verdict, str) else found


def _gates(report: Report) -> Iterator[tuple[str, Gate]]:
    for turn in turns(report):
        for number, gate in enumerate(turn.gates, 1):
            yield f"gate:{turn.id}-{number}", gate


def _gate(gate: Gate) -> dict[str, Any]:
    """A check of a generation with its verdict."""
    said = {
        "id": gate.id,
        "check": gate.type,
        "on": gate.on,
        "verdict": gate.verdict,
        "action": gate.action,
        "value": gate.value,
        **gate.bounds,
    }
    type_ = {"prov:type": _name("lin:Gate")}
    known = {key: value for key, value in said.items() if value is not None}
    return {**type_, **_attributes("lin", known)}


def _attributes(prefix: str, given: Mapping[str, Any]) -> dict[str, Any]:
    return {f"{prefix}:{local(key)}": _literal(given[key]) for key in given}


def _literal(value: Any) -> Any:
    """Text, a number or a truth as it is; anything else as JSON in a text."""
    plain = isinstance(value, str | int | float)
    return value if plain else json.dumps(value, sort_keys=True)


def _name(qualified: str) -> dict[str, str]:
    return {"$": qualified, "type": "prov:QUALIFIED_NAME"}


def _agent(by: str) -> str:
    return f"agent:{sha256(by.encode()).hexdigest()[:16]}"


def local(name: str) -> str:
    """Any text as the local part of a qualified name, with ``%XX`` where needed."""
    quoted = quote(name, safe="")
    return _ODD_ENDS.sub(lambda found: f"%{ord(found[0]):02X}", quoted)

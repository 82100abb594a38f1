"""Does report.json say what the manifests and the events say?

Whatever it calls recorded or stated is looked for where it says it has it from; every
artifact is held to its manifest field by field, and nothing may be left out. Who
re-signs a report with the real key can so not change what was signed before.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lineage.bundle_check.archive import Bundle, Refused
from lineage.bundle_check.artifacts import artifact_faults, measurement_faults
from lineage.bundle_check.looked import Looked
from lineage.bundle_check.signed import signature_faults, signer_faults
from lineage.bundle_check.source import Source, person
from lineage.bundle_check.turns import turn_faults
from lineage.bundle_check.values import items, mapping, objects, occurs, read, same
from lineage.store.objects import Event

NAME = "data/report.json"
_FIELD = {"status", "value", "commit", "event", "by", "time", "signature"}
_MEASUREMENT = {"name", "value", "definition", "version", "commit"}
_STATEMENT, _ABSENT = "statement", "not provided"
_CHAPTERS = {"taint": "taints", "release": "releases", "erase": "erasures"}
"""By type of the events: the part of the report that has them all."""
_MADE_AGAIN = "commit"  # moving nothing, such an event says nothing of the commit
_AUDIENCE = "authority"


def check_report(
    bundle: Bundle, source: Source, info: Mapping[str, str], looked: Looked
) -> frozenset[str]:
    """Hold every statement of the report to what it rests on; the artifacts' ids."""
    if NAME not in bundle.sizes:
        looked.found("report", NAME, "is missing")
        return frozenset()
    try:
        report = read(bundle.read(NAME))
    except (Refused, ValueError, RecursionError) as error:
        looked.found("report", NAME, f"cannot be read: {error}")
        return frozenset()
    for where, what in _faults(mapping(report), source, info, looked):
        looked.found("report", f"{NAME}: {where}" if where else NAME, what)
    artifacts = items(mapping(report).get("artifacts"))
    return frozenset(str(one.get("id")) for one in artifacts)


def _faults(
    report: dict[str, Any], source: Source, info: Mapping[str, str], looked: Looked
) -> Iterator[tuple[str, str]]:
    yield from _head_faults(report, source, info)
    artifacts = items(report.get("artifacts"))
    looked.at("report", count=len(artifacts))
    for number, artifact in enumerate(artifacts):
        for what in artifact_faults(artifact, source):
            yield f"artifacts[{number}]", what
    yield from _left_out(report, {str(one.get("id")) for one in artifacts}, source)
    yield from turn_faults(report, source)
    yield from signer_faults(report, source)
    for where, value in objects(report):
        looked.at("report")
        told = where.startswith("obligations.")
        found = _answer_faults if told else _object_faults
        if not where.endswith(".bytes"):  # held to the manifest with its artifact
            yield from ((where, what) for what in found(value, source))


def _head_faults(
    report: dict[str, Any], source: Source, info: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    newest = source.log.newest
    as_of = {"event": newest.id, "time": newest.time, "type": newest.type}
    if not same(report.get("as_of"), as_of):
        yield "as_of", f"is not the newest event, {newest.id}"
    if report.get("audience") != _AUDIENCE:
        yield "audience", f"is not {_AUDIENCE}, for whom all bundles are"
    subjects = report.get("subjects") or []
    if not isinstance(subjects, list) or " ".join(map(str, subjects)) != info.get(
        "External-Identifier"
    ):
        yield "subjects", "are not those of bag-info.txt"
    known = {str(one.get("id")) for one in items(report.get("artifacts"))}
    for id_ in subjects:
        if id_ not in known:
            yield "subjects", f"{id_} is none of the artifacts"


def _left_out(
    report: dict[str, Any], known: set[str], source: Source
) -> Iterator[tuple[str, str]]:
    """Nothing that an artifact came from, or that was said of one, may be missing."""
    for id_ in sorted(known & source.commits.keys()):
        for parent in source.commits[id_].ids():
            if parent not in known:
                yield "artifacts", f"{parent} is missing, which {id_} came from"
    told = {str(value.get("event")) for _, value in objects(report)}
    named = {
        type_: {str(one.get("event")) for one in items(report.get(key))}
        for type_, key in _CHAPTERS.items()
    }
    loops = items(report.get("loops"))
    branches = [name for loop in loops for name in loop.get("branches") or ()]
    for event in source.events.values():
        loop = event.data.get("loop")
        apart = loop is not None and branches and f"loop/{loop}" not in branches
        says = not event.refs and event.type != _MADE_AGAIN
        due = event.subject in known and says and not apart
        ends = event.data.get("live") is False  # which may end nothing, if twice said
        if due and event.id not in (told if ends else named.get(event.type, told)):
            where = _CHAPTERS.get(event.type, "statements")
            yield where, f"the {event.type} event {event.id} is left out"


def _answer_faults(value: dict[str, Any], source: Source) -> Iterator[str]:
    """An answer to a template: stated word for word, or told from what is here.

    What is told is in words of its own; only who makes the report again can hold it.
    """
    if "status" not in value or value.keys() - _FIELD:
        return
    said = source.event(value.get("event"))
    if said and said.type == _STATEMENT:
        yield from _field_faults(value, source)
        return
    here = said is not None or value.get("commit") in source.commits
    if value["status"] != _ABSENT and not here:
        yield "does not name a commit or event that is here"


def _object_faults(value: dict[str, Any], source: Source) -> Iterator[str]:
    """One object, by what it is shaped like."""
    if "status" in value and not value.keys() - _FIELD:
        yield from _field_faults(value, source)
        return
    if value.keys() >= _MEASUREMENT:
        yield from measurement_faults(value, source)
    event = source.event(value.get("event"))
    if "event" in value and value["event"] is not None and event is None:
        yield f"{value['event']} is no event of this log"
    elif event is not None:
        yield from _event_faults(value, event, source)


def _field_faults(value: dict[str, Any], source: Source) -> Iterator[str]:
    """A value with where the report has it from."""
    status, commit, event = value["status"], value.get("commit"), value.get("event")
    if status == _ABSENT:
        if value.keys() - {"status"}:
            yield "is not provided, and has a value"
        return
    if status not in ("recorded", "stated"):
        yield f"is {status!r}, which is no status"
    places = [source.manifest(commit), source.encoded(event)]
    here = [place for place in places if place is not None]
    if not here or (commit and places[0] is None) or (event and places[1] is None):
        yield "does not name a commit or event that is here"
    elif not _stands(value.get("value"), here):
        yield f"{_short(value.get('value'))} does not stand in {commit or event}"
    if event and status == "stated" and (said := source.event(event)):
        yield from _event_faults(value, said, source)


def _stands(value: object, places: Iterable[object]) -> bool:
    """Whether a value, or each member of one that was put together, stands there."""
    if any(occurs(value, place) for place in places):
        return True
    return isinstance(value, dict) and all(
        any(occurs(item, place) for place in places) for item in value.values()
    )


def _of_event(value: dict[str, Any], event: Event) -> dict[str, Any]:
    """What may be said of an event, as it has it."""
    made: dict[str, Any] = {
        "type": event.type,
        "time": event.time,
        "since": event.time,
        "message": event.message,
    }
    if value.get("by") != event.actor["name"]:
        made["by"] = person(event)
    if event.type == "timestamp" and "type" not in value:  # what its authority says
        made |= {key: event.data.get(key) for key in ("of", "time", "tsa")}
    if event.subject and "kind" not in value:
        made["subject"] = event.subject
    return made


def _event_faults(value: dict[str, Any], event: Event, source: Source) -> Iterator[str]:
    """What is said of an event, of an artifact by the event that brought it."""
    for key, held in _of_event(value, event).items():
        if key == "message" and isinstance(value.get(key), dict):
            continue  # a field of its own
        if value.get(key) is not None and not same(value[key], held):
            yield f"{key} is {_short(value[key])}, the event has {_short(held)}"
    for key in ("reason", "authority", "environment"):
        said = event.data.get(key)
        if isinstance(value.get(key), str) and said is not None and value[key] != said:
            yield f"{key} is {_short(value[key])}, the event has {_short(said)}"
    if "data" in value and not same(value["data"], dict(event.data)):
        yield "data is not what the event says"
    if "signature" in value:
        yield from signature_faults(value["signature"], event, source)


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=True)
    return text if len(text) <= 60 else f"{text[:57]}…"

"""OpenLineage events of any producer as commits: declared, and elsewhere.

A run that is complete makes a commit of each of its outputs, with an edge to each of
its inputs. Nobody here has seen the bytes: a commit says where they are, and the
version that the producer gave is a claim. An event that only speaks of a dataset makes
a commit of it; any other is kept in the log alone.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from lineage.errors import UsageError
from lineage.integrations.openlineage.outgoing import namespace_of
from lineage.observing.inputs import Input
from lineage.registry import Registry
from lineage.store import names
from lineage.store.canonical import digest
from lineage.store.objects import ROLES, Edge

EVENT = "openlineage"
_FORBIDDEN = re.compile(r"[~^:]|\.\.|@\{")
_DONE = ("COMPLETE", "OTHER")
_LONGEST = 1000  # characters of a name

Json = Mapping[str, Any]


def record(registry: Registry, event: Json) -> list[str]:
    """Record one event; the ids of the commits that it speaks of as made.

    Raises:
        UsageError: when it is no event of OpenLineage.
    """
    said = _said(event)
    job = _of(event, "job")
    if "dataset" in event and not job:
        return [_Making(registry, event, said).dataset(_dataset(event["dataset"]))]
    outputs = [_dataset(each) for each in _list(event, "outputs")]
    inputs = [_dataset(each) for each in _list(event, "inputs")]
    if outputs and event.get("eventType", "COMPLETE") in _DONE:
        making = _Making(registry, event, said)
        edges = [making.input(each) for each in inputs]
        return [making.output(each, edges) for each in outputs]
    registry.attest(EVENT, message=said["message"], data={"openlineage": said["told"]})
    return []


class _Making:
    """The commits of one event."""

    def __init__(self, registry: Registry, event: Json, said: dict[str, Any]) -> None:
        self._registry = registry
        self._event = event
        self._said = said

    def output(self, dataset: Json, inputs: list[Input]) -> str:
        """The commit of an output, with an edge to each input but itself."""
        kind = _kind(dataset)
        edges: list[Edge] = []
        for given in inputs:
            edge = given.edge(kind)
            if edge not in edges:
                edges.append(edge)
        known = self._known(dataset)
        if known:
            return known
        own = f"heads/{kind}/{_name(dataset)}"
        tip = self._registry.target(own)
        edges = [edge for edge in edges if tip is None or edge.id != tip.id]
        return self._commit(dataset, edges, _parameters(self._event))

    def input(self, dataset: Json) -> Input:
        """What was read: a commit of this registry, or one that says where it is."""
        id_ = self._known(dataset) or self._standing(dataset)
        id_ = id_ or self._commit(dataset, [], {})
        role = _tag(dataset, "role")
        known = role if role in ROLES and role not in ("includes", "follows") else ""
        return Input(id_, self._registry.load(id_).kind, known)

    def dataset(self, dataset: Json) -> str:
        """The commit of a dataset that an event speaks of by itself."""
        return self._known(dataset) or self._commit(dataset, [], {})

    def _known(self, dataset: Json) -> str | None:
        """The commit that a version names, if that is one of this registry."""
        version = _version(dataset)
        if version in self._registry.ids:
            return version
        if dataset["namespace"] != namespace_of(self._registry) or version:
            return None
        target = self._registry.target(f"heads/{dataset['name']}")
        return target.id if target else None

    def _standing(self, dataset: Json) -> str | None:
        """The commit that is on its branch, unless that is of another version."""
        ref = f"heads/{_kind(dataset)}/{_name(dataset)}"
        target = self._registry.target(ref)
        if target is None:
            return None
        claims = self._registry.load(target.id).params.get("openlineage", {})
        wanted = _version(dataset)
        same = not wanted or claims.get("version") == wanted
        return target.id if same else None

    def _commit(self, dataset: Json, edges: list[Edge], params: dict[str, Any]) -> str:
        job = self._said["told"].get("job") if edges or params else None
        claims = {"job": job, "version": _version(dataset)}
        made = self._registry.commit(
            _kind(dataset),
            _name(dataset),
            edges=edges,
            params={**params, "openlineage": {k: v for k, v in claims.items() if v}},
            external={"uri": _uri(dataset)},
            message=self._said["message"],
            circumstances={"openlineage": self._said["told"]},
        )
        return made.id


def _said(event: Json) -> dict[str, Any]:
    """What the log keeps of an event, and a sentence about it."""
    job, run = _of(event, "job"), _of(event, "run")
    for name in ("eventTime", "producer"):
        if not isinstance(event.get(name), str):
            raise UsageError(f"the event has no {name}", hint="openlineage.io/spec")
    if not (job or "dataset" in event):
        raise UsageError("the event has neither a job nor a dataset")
    named = f"{job['namespace']}/{job['name']}" if job else ""
    kind = str(event.get("eventType", "")) if run else ""
    told = {
        "time": event["eventTime"],
        "producer": event["producer"],
        "type": kind,
        "job": named,
        "run": str(run.get("runId", "")) if run else "",
        "error": str(_facet(run, "errorMessage").get("message", ""))[:_LONGEST],
    }
    message = f"{kind.lower() or 'told of'} {named}".strip()[:_LONGEST]
    return {"told": {k: v for k, v in told.items() if v}, "message": message}


def _of(event: Json, name: str) -> Json:
    """A part of an event that is a mapping; a job has a namespace and a name."""
    found = event.get(name) or {}
    if not isinstance(found, Mapping):
        raise UsageError(f"{name} of the event is no object")
    if name == "job" and found:
        _check(found, "the job")
    return found


def _list(event: Json, name: str) -> list[Any]:
    found = event.get(name) or []
    if not isinstance(found, list):
        raise UsageError(f"{name} of the event is no list")
    return found


def _dataset(given: Any) -> Json:
    if not isinstance(given, Mapping):
        raise UsageError("a dataset of the event is no object")
    _check(given, "a dataset")
    return given


def _check(given: Json, what: str) -> None:
    for name in ("namespace", "name"):
        text = given.get(name)
        if not isinstance(text, str) or not text or len(text) > _LONGEST:
            raise UsageError(f"{what} of the event has no {name}")


def _facet(part: Json, name: str) -> Json:
    facets = part.get("facets")
    found = facets.get(name) if isinstance(facets, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _kind(dataset: Json) -> str:
    said = str(_facet(dataset, "datasetType").get("datasetType", ""))
    return "model" if said.upper() == "MODEL" else "dataset"


def _version(dataset: Json) -> str:
    return str(_facet(dataset, "version").get("datasetVersion", ""))[:_LONGEST]


def _tag(dataset: Json, key: str) -> str:
    tags = _facet(dataset, "tags").get("tags")
    for tag in tags if isinstance(tags, list) else ():
        if isinstance(tag, Mapping) and tag.get("key") == key:
            return str(tag.get("value", ""))
    return ""


def _uri(dataset: Json) -> str:
    return f"{dataset['namespace'].rstrip('/')}/{dataset['name'].lstrip('/')}"


def _name(dataset: Json) -> str:
    """What a dataset is called here: its namespace and name, as names can be."""
    whole = _uri(dataset).replace("://", "/")
    printed = "".join(each if each.isprintable() else "_" for each in whole)
    name = _FORBIDDEN.sub("_", printed).strip("/ -.") or "_"
    return name if _fits(name) else _cut(name, digest(_uri(dataset).encode())[:12])


def _fits(name: str) -> bool:
    try:
        names.check(f"dataset/{name}")
    except UsageError:
        return False
    return True


def _cut(name: str, mark: str) -> str:
    """A name that is too long, with a mark in place of its end."""
    while name and not _fits(f"{name}-{mark}"):
        name = name[:-1]
    return f"{name}-{mark}" if name else mark


def _parameters(event: Json) -> dict[str, Any]:
    """The parameters that a run says it was given."""
    return dict(_pairs(_facet(_of(event, "run"), "executionParameters")))


def _pairs(facet: Json) -> Iterator[tuple[str, Any]]:
    given = facet.get("parameters")
    for each in given if isinstance(given, list) else ():
        if isinstance(each, Mapping) and isinstance(each.get("key"), str):
            value = each.get("value")
            yield each["key"], value if isinstance(value, str | int | float) else None

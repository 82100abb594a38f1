"""A commit as an OpenLineage run event: the job that made it, from what, with what."""

import json
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

from lineage.registry import Registry
from lineage.store.objects import Commit, Edge, Event

PRODUCER = "https://pypi.org/project/lineage-vcs"
NAMESPACE = "lineage"
_SPEC = "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent"
_FACETS = "https://openlineage.io/spec/facets"
_KINDS = ("dataset", "model")  # a config or a generation is no data
_UNSAID = ("follows", "includes")
_IDS = uuid.UUID("6f1f9d5c-5a3e-5d0e-9d6b-3a8c5b8f6c11")  # ours, for version 5

Json = dict[str, Any]


def run_events(registry: Registry, event: Event) -> Iterator[Json]:
    """The run events of what one event of the log has recorded."""
    for id_, _ in event.commits:
        if id_ in registry.ids:
            commit = registry.load(id_)
            if commit.kind in _KINDS:
                yield run_event(registry, commit, event)


def run_event(registry: Registry, commit: Commit, event: Event) -> Json:
    """The run that ended with `commit`, which `event` recorded.

    Its id follows from both, so that sending it again says nothing new.
    """
    namespace = namespace_of(registry)
    inputs = (edge for edge in commit.edges if edge.role not in _UNSAID)
    kind = {"processingType": "BATCH", "integration": "LINEAGE", "jobType": "COMMIT"}
    return {
        "eventType": "COMPLETE",
        "eventTime": event.time,
        "producer": PRODUCER,
        "schemaURL": _SPEC,
        "run": {
            "runId": str(uuid.uuid5(_IDS, f"{event.id} {commit.id}")),
            "facets": _parameters(commit),
        },
        "job": {
            "namespace": namespace,
            "name": f"{commit.kind}/{commit.name}",
            "facets": {"jobType": _facet("JobTypeJobFacet", "2-0-4", **kind)},
        },
        "inputs": [_input(registry, namespace, edge) for edge in inputs],
        "outputs": [_dataset(namespace, commit)],
    }


def namespace_of(registry: Registry) -> str:
    """What datasets and jobs of this registry are called within."""
    return registry.settings.get("openlineage.namespace") or NAMESPACE


def _dataset(namespace: str, commit: Commit) -> Json:
    kind = "MODEL" if commit.kind == "model" else "FILE"
    return {
        "namespace": namespace,
        "name": f"{commit.kind}/{commit.name}",
        "facets": {
            "datasetType": _facet("DatasetTypeDatasetFacet", "1-0-1", datasetType=kind),
            "version": _facet(
                "DatasetVersionDatasetFacet", "1-0-1", datasetVersion=commit.id
            ),
        },
    }


def _input(registry: Registry, namespace: str, edge: Edge) -> Json:
    """A commit that another came from; the role and its evidence are tags."""
    said = {"role": edge.role, "evidence": edge.evidence}
    tags = [{"key": k, "value": v, "source": "lineage"} for k, v in said.items()]
    found = _dataset(namespace, registry.load(edge.id))
    found["facets"]["tags"] = _facet("TagsDatasetFacet", "1-0-0", tags=tags)
    return found


def _parameters(commit: Commit) -> Json:
    """Parameters of a commit, as text."""
    given = [
        {
            "key": key,
            "name": key,
            "value": value if isinstance(value, str) else json.dumps(value),
        }
        for key, value in commit.params.items()
    ]
    if not given:
        return {}
    facet = _facet("ExecutionParametersRunFacet", "1-0-0", parameters=given)
    return {"executionParameters": facet}


def _facet(name: str, version: str, **fields: Any) -> Mapping[str, Any]:
    url = f"{_FACETS}/{version}/{name}.json#/$defs/{name}"
    return {"_producer": PRODUCER, "_schemaURL": url, **fields}

"""Events of OpenLineage, from whatever sends them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from lineage.integrations.openlineage.incoming import record
from lineage.integrations.openlineage.outgoing import namespace_of
from tests.fuzz.world import small_registry

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

RUNS = ("git",)
TRIES = 6
KEPT: Sequence[bytes] = ()


def _data(name: str, namespace: str, **facets: Any) -> dict[str, Any]:
    return {"namespace": namespace, "name": name, "facets": facets}


def seeds(folder: Path) -> Sequence[bytes]:
    ours = namespace_of(small_registry(folder))
    event: dict[str, Any] = {
        "eventTime": "2026-11-26T12:00:00Z",
        "producer": "https://example.org/airflow",
        "eventType": "COMPLETE",
        "run": {"runId": "01933b2e-0000-7000-8000-000000000000", "facets": {
            "executionParameters": {"parameters": [{"key": "lr", "value": 0.1}]},
            "errorMessage": {"message": "it failed"}}},
        "job": {"namespace": "airflow", "name": "clean"},
        "inputs": [_data("model/tutor", ours), _data("a", "s3://b", tags={
            "tags": [{"key": "role", "value": "trained_on"}]})],
        "outputs": [_data("c", "s3://b", version={"datasetVersion": "7"},
                          datasetType={"datasetType": "MODEL"})],
    }  # fmt: skip
    told = {**event, "dataset": _data("d", "s3://b")}
    del told["job"], told["run"]
    return [json.dumps(event).encode(), json.dumps(told).encode()]


def attack(data: bytes, folder: Path) -> None:
    try:
        event = json.loads(data)
    except (ValueError, RecursionError):  # the server's framework says so
        return
    if isinstance(event, dict):
        record(small_registry(folder), event)

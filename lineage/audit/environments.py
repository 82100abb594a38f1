"""The environments that steps ran in, each told once."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from lineage.audit.model import Artifact


def environments(artifacts: Iterable[Artifact]) -> list[Mapping[str, Any]]:
    """The different ones, in order of appearance."""
    found: dict[str, Mapping[str, Any]] = {}
    for made in artifacts:
        if environment := _of(made):
            found.setdefault(_key(environment), environment)
    return list(found.values())


def named(
    artifacts: Iterable[Artifact], known: Iterable[Mapping[str, Any]]
) -> dict[str, int]:
    """The number of each commit's own, from 1."""
    numbers = {_key(found): number for number, found in enumerate(known, 1)}
    return {
        made.id: numbers[_key(environment)]
        for made in artifacts
        if (environment := _of(made))
    }


def _of(made: Artifact) -> Mapping[str, Any]:
    said = made.circumstances.value if made.circumstances else None
    environment = (said or {}).get("environment")
    return environment if isinstance(environment, dict) else {}


def _key(environment: Mapping[str, Any]) -> str:
    return json.dumps(environment, sort_keys=True)

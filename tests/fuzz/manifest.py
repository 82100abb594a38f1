"""lineage.json of a commit: canonical, and the same again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from lineage.store.canonical import canonical, digest
from lineage.store.objects import Commit, Edge, FileEntry, Metric, Payload
from lineage.store.projection import parents, project

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

RUNS: Sequence[str] = ()
TRIES = 80
KEPT: Sequence[bytes] = ()
FILE = FileEntry("a.txt", "100644", 3, "1" * 64, "2" * 32)


def seeds(folder: Path) -> Sequence[bytes]:
    del folder
    payload = Payload.of([FILE], "file")
    whole = Commit(
        "model",
        "org/tutor",
        edges=(
            Edge("trained_on", "1" * 64, share={"records": [1, 2]}),
            Edge("follows", "2" * 64, "observed"),
        ),
        payload=payload,
        params={"lr": 2e-5, "deep": {"a": [1, None, True, "ü"]}, "big": 1e21},
        metrics={"loss": Metric(0.5, "perplexity", 1, "lower", 40, [0.25, 0.75])},
        extra={"later": [1, 2]},
    )
    origin = {"type": "human", "source": "a class", "licence": "CC0-1.0"}
    data = Commit("dataset", "seed", origin=origin, external={"uri": "s3://x"})
    turn = Commit("generation", "t", gates=[{"id": "g", "verdict": "pass"}])
    return [whole.manifest, data.manifest, turn.manifest]


def attack(data: bytes, folder: Path) -> None:
    del folder
    commit = Commit.parse(data)
    assert commit.manifest == data
    assert commit.id == digest(data)
    assert canonical(json.loads(data, parse_int=_number)) == data
    again = Commit.parse(canonical(commit.to_json()))
    assert again.to_json() == commit.to_json()
    entries = [FILE] if commit.payload else []
    project(commit, entries, dict.fromkeys(parents(commit), "3" * 40))


def _number(digits: str) -> int | float:
    value = int(digits)
    return value if abs(value) < 2**53 else float(digits)

"""A loop's datasets made by hand: human, generated, checked, mixed, and its models."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from lineage.loop.records.shards import encode
from lineage.store.objects import Edge

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from lineage.registry import Registry

    Write = Callable[..., str]


@dataclass
class Loop:
    """The ids of what the loop made, and its records."""

    human: str
    model: str
    config: str
    generated: str
    checked: str
    mixed: str
    trained: str
    generation: str
    written: list[dict[str, Any]]


@pytest.fixture
def dataset(repo: Registry) -> Write:
    """Record files, given as records or bytes, as a dataset; its id."""
    folders = 0

    def write(
        name: str,
        files: Mapping[str, Iterable[dict[str, Any]] | bytes],
        edges: Iterable[tuple[str, str]] = (),
        **facts: Any,
    ) -> str:
        nonlocal folders
        folders += 1
        folder = repo.root / f"data{folders}"
        for path, content in files.items():
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            lines = [content] if isinstance(content, bytes) else map(encode, content)
            target.write_bytes(b"".join(lines))
        links = [Edge(role, id_) for role, id_ in edges]
        branch = f"dataset/{name}{folders}"
        made = repo.commit("dataset", name, folder, edges=links, branch=branch, **facts)
        return made.id

    return write


def written(generator: str, count: int = 6) -> list[dict[str, Any]]:
    """Records as the generate step writes them."""
    return [
        {
            "completion": f" words number {n}",
            "generator": generator,
            "id": f"g001-00000-{n:05d}",
            "prompt": f"prompt {n}",
            "prompt_source": f"human-00000-{n:05d}",
            "seed": 1000 + n,
            "shard": 0,
            "text": f"prompt {n} words number {n}",
        }
        for n in range(count)
    ]


@pytest.fixture
def loop(repo: Registry, dataset: Write) -> Loop:
    """One turn: two of six records are dropped, the rest mixed with human ones."""
    people = [
        {"id": f"human-00000-{n:05d}", "text": f"prompt {n} by a person"}
        for n in range(6)
    ]
    origin = {"type": "human", "source": "a diary", "licence": "CC0-1.0", "by": "Ada"}
    human = dataset("people", {"human-00000.jsonl": people}, origin=origin)
    weights = repo.root / "weights"
    weights.write_bytes(b"weights")
    model = repo.commit("model", "seed", weights).id
    sampling = {"generation": {"generation_config": {"temperature": 0.8}}}
    config = repo.commit("config", "loop", params=sampling).id
    payload = repo.load(model).payload
    assert payload is not None
    records = written(payload.root)
    made = [("generated_by", model), ("configured_by", config)]
    shard = "g001-00000.jsonl"
    generated = dataset("generated", {shard: records}, [*made, ("derived_from", human)])
    kept = [records[n] for n in (0, 1, 3, 5)]
    checked = dataset("checked", {shard: kept}, [*made, ("derived_from", generated)])
    mixed = dataset(
        "mixed",
        {f"g001/{shard}": kept, "human/selected.jsonl": people[2:4]},
        [("derived_from", checked), ("derived_from", human)],
    )
    weights.write_bytes(b"successor")
    edges = [Edge("trained_on", mixed)]
    trained = repo.commit("model", "pupil", weights, edges=edges).id
    parts = [Edge("includes", id_) for id_ in (trained, checked, mixed)]
    turn = repo.commit("generation", "loop", edges=parts).id
    ids = (human, model, config, generated, checked, mixed, trained, turn)
    return Loop(*ids, records)

"""A verifier that errs, before and behind its break-down point.

Two classes y = ±1 of points x = y·u + N(0, I/d). The generator gives each point a
wrong label with probability p; the verifier (`verifier.py`, a gate of the loop) keeps
a right one with probability phi and a wrong one with psi; the model is the mean of
y·x. Several such worlds run beside each other; a record is its world's name, phi and
psi, the label and the point.
"""

from __future__ import annotations

import json
from math import erf, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np
from columns import FLOAT, Array

from lineage.loop.records.shards import read_texts, shards_of, write_shard

if TYPE_CHECKING:
    from pathlib import Path

    from lineage.loop.steps.protocol import Job

D = 20
VERIFIERS = ((1.0, 1.0), (0.9, 0.3), (0.7, 0.05))  # phi, psi
DISTANCE = 0.05


def prepare(folder: Path, seed: int, points: int = 1500) -> None:
    """The worlds, and human points that only stand there for the loop to begin with."""
    worlds = [
        {"name": f"{phi}/{psi}/{side}", "phi": phi, "psi": psi, "p": p, "n": points}
        for phi, psi in VERIFIERS
        for side, p in _sides(1 / (1 + psi / phi))
    ]
    (folder / "seed").mkdir()
    (folder / "seed" / "worlds.json").write_text(json.dumps(worlds))
    rng = np.random.default_rng(seed)
    for name in ("human", "held-out"):
        _write(folder / f"{name}.jsonl", [worlds[0] | {"n": 10}], rng)


def _sides(p: float) -> list[tuple[str, float]]:
    return [("before", p - DISTANCE), ("behind", min(p + DISTANCE, 1.0))]


def generate(job: Job) -> None:
    """Points with the generator's labels, of every world."""
    worlds = json.loads((job.inputs["model"] / "worlds.json").read_text())
    _write(job.output / "points.jsonl", worlds, np.random.default_rng(job.seed))


def train(job: Job) -> None:
    """The mean of y·x in each world, and how many of its points were kept."""
    worlds = json.loads((job.inputs["base"] / "worlds.json").read_text())
    sums: dict[str, Array] = {world["name"]: np.zeros(D) for world in worlds}
    kept = dict.fromkeys(sums, 0)
    for text in read_texts(shards_of(job.inputs["dataset"])):
        world, _, _, y, point = text.split()
        kept[world] += 1
        exact = np.frombuffer(bytes.fromhex(point), FLOAT).astype("<f8")
        sums[world] += int(y) * exact
    for each in worlds:
        name = each["name"]
        each |= {"kept": kept[name], "weights": sums[name].tolist()}
    (job.output / "worlds.json").write_text(json.dumps(worlds))


def evaluate(job: Job) -> dict[str, Any]:
    """Accuracy, exactly: a new point has y·(w·x) from N(w·u, |w|²/d)."""
    worlds = json.loads((job.inputs["model"] / "worlds.json").read_text())
    measures: dict[str, Any] = {"worlds": len(worlds)}
    for world in worlds:
        if "kept" in world:
            weights = np.array(world["weights"])
            z = sqrt(D) * weights[0] / float(np.linalg.norm(weights))
            measures[f"accuracy/{world['name']}"] = 0.5 + 0.5 * erf(z / sqrt(2))
            measures[f"kept/{world['name']}"] = world["kept"] / world["n"]
    return {"metrics": measures}


def _write(path: Path, worlds: list[dict[str, Any]], rng: np.random.Generator) -> None:
    texts = [text for world in worlds for text in _points(world, rng)]
    write_shard(path, ({"id": str(n), "text": text} for n, text in enumerate(texts)))


def _points(world: dict[str, Any], rng: np.random.Generator) -> list[str]:
    n = world["n"]
    truth = rng.choice([-1, 1], n)
    points = rng.normal(size=(n, D)) / sqrt(D)
    points[:, 0] += truth
    labels = np.where(rng.random(n) < world["p"], -truth, truth)
    facts = f"{world['name']} {world['phi']} {world['psi']}"
    rows = zip(labels.tolist(), points.astype(FLOAT), strict=True)
    return [f"{facts} {y} {x.tobytes().hex()}" for y, x in rows]

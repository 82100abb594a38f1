"""A linear model that is fitted to its own labels, and one fitted to a worse one's.

A record is a row of every replica: the seed of its inputs (`D` standard normals per
replica), then its labels. The model to learn has no weight but 0; noise has variance 1.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from columns import FLOAT, Array, mean

from lineage.loop.records.shards import read_texts, shards_of, write_shard

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from lineage.loop.steps.protocol import Job

ROWS = 111


def prepare(
    folder: Path,
    seed: int,
    replicas: int = 400,
    rows: int = ROWS,
    d: int = 10,
    *,
    worse: bool = False,
) -> None:
    """Human labels of the true model, and the model that is fitted to them.

    With `worse` the model to start from is one at distance 1 from the true one.
    """
    truth, rng = np.zeros((replicas, d)), np.random.default_rng(seed)
    _write(folder / "human.jsonl", _seeds(rng, rows), truth, rng)
    (folder / "seed").mkdir()
    if worse:
        away = rng.normal(size=(replicas, d))
        away /= np.linalg.norm(away, axis=1, keepdims=True)
        np.save(folder / "seed" / "weights.npy", away)
    else:
        _fit(folder / "seed", _rows(folder), d)
    _write(folder / "held-out.jsonl", _seeds(rng, 1), truth, rng)


def generate(job: Job) -> None:
    """New labels for the inputs of the human records."""
    seeds = [seed for seed, _ in _rows(job.inputs["human"])]
    _label(job, seeds, np.random.default_rng(job.seed))


def generate_fresh(job: Job) -> None:
    """Labels for inputs that nobody has seen."""
    rng = np.random.default_rng(job.seed)
    _label(job, _seeds(rng, job.spec.generation.num_samples or ROWS), rng)


def train(job: Job) -> None:
    """Least squares."""
    d = np.load(job.inputs["base"] / "weights.npy").shape[1]
    _fit(job.output, _rows(job.inputs["dataset"]), d)


def evaluate(job: Job) -> dict[str, Any]:
    """The excess test error: the squared distance from the true model."""
    weights = np.load(job.inputs["model"] / "weights.npy")
    return {"metrics": {"excess_error": mean((weights**2).sum(axis=1))}}


def _seeds(rng: np.random.Generator, rows: int) -> list[int]:
    return [int(seed) for seed in rng.integers(2**62, size=rows)]


def _label(job: Job, seeds: list[int], rng: np.random.Generator) -> None:
    weights = np.load(job.inputs["model"] / "weights.npy")
    _write(job.output / "labels.jsonl", seeds, weights, rng)


def _write(
    path: Path, seeds: Iterable[int], weights: Array, rng: np.random.Generator
) -> None:
    replicas, d = weights.shape
    labels = (
        (_inputs(seed, replicas, d) * weights).sum(axis=1) + rng.normal(size=replicas)
        for seed in seeds
    )
    packed = (each.astype(FLOAT).tobytes().hex() for each in labels)
    texts = (f"{seed} {label}" for seed, label in zip(seeds, packed, strict=True))
    write_shard(path, ({"id": str(n), "text": text} for n, text in enumerate(texts)))


def _rows(folder: Path) -> list[tuple[int, Array]]:
    """The seed of each row's inputs, and its labels."""
    split = (text.split() for text in read_texts(shards_of(folder)))
    return [(int(s), np.frombuffer(bytes.fromhex(y), FLOAT)) for s, y in split]


@lru_cache(maxsize=1000)
def _inputs(seed: int, replicas: int, d: int) -> Array:
    return np.random.default_rng(seed).normal(size=(replicas, d))


def _fit(folder: Path, rows: list[tuple[int, Array]], d: int) -> None:
    replicas = len(rows[0][1])
    gram, moment = np.zeros((replicas, d, d)), np.zeros((replicas, d, 1))
    for seed, labels in rows:
        inputs = _inputs(seed, replicas, d)
        gram += inputs[:, :, None] * inputs[:, None, :]
        moment += (inputs * labels[:, None])[:, :, None]
    np.save(folder / "weights.npy", np.linalg.solve(gram, moment)[:, :, 0])

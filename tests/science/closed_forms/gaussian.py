"""A Gaussian that is fitted to its own draws.

A model is a mean and a variance per replica; the first is fitted to the first `M`
human records, which are draws from N(0, 1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from columns import Array, mean, read, write

if TYPE_CHECKING:
    from pathlib import Path

    from lineage.loop.steps.protocol import Job

M = 100  # draws that a model is fitted to


def prepare(folder: Path, seed: int, replicas: int = 2000, pool: int = M) -> None:
    """Human records, `pool` of them, and the model that is fitted to the first."""
    draw = np.random.default_rng(seed)
    human = draw.normal(size=(pool, replicas))
    write(folder / "human.jsonl", human)
    write(folder / "held-out.jsonl", draw.normal(size=(1, replicas)))
    (folder / "seed").mkdir()
    _fit(folder / "seed", human[:M], ddof=0)


def generate(job: Job) -> None:
    """`num_samples` draws from each replica's Gaussian."""
    mu, variance = np.load(job.inputs["model"] / "gaussians.npy")
    draw = np.random.default_rng(job.seed)
    size = (job.spec.generation.num_samples or M, len(mu))
    write(job.output / "draws.jsonl", draw.normal(mu, np.sqrt(variance), size))


def train(job: Job) -> None:
    """Maximum likelihood: the variance divides by the number of draws."""
    _fit(job.output, read(job.inputs["dataset"]), ddof=0)


def train_unbiased(job: Job) -> None:
    """The unbiased estimate: the variance divides by one less."""
    _fit(job.output, read(job.inputs["dataset"]), ddof=1)


def evaluate(job: Job) -> dict[str, Any]:
    """How wide the Gaussians are, and how far from 0 with it."""
    mu, variance = np.load(job.inputs["model"] / "gaussians.npy")
    measures = {
        "variance": mean(variance),
        "log_variance": mean(np.log(variance)),
        "marginal_variance": mean(variance + mu**2),
    }
    return {"metrics": measures}


def _fit(folder: Path, draws: Array, ddof: int) -> None:
    exact = draws.astype("<f8")
    gaussians = exact.mean(axis=0), exact.var(axis=0, ddof=ddof)
    np.save(folder / "gaussians.npy", np.stack(gaussians))

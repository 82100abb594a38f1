"""Two Gaussians in the plane, fitted again and again to their own draws.

A record is one point, its coordinates as text. As in Shumailov et al. 2024 (Nature
631:755, supplement 4) a mixture is fitted to 1000 draws of the one before, from its
means on, 2000 times. That is too often to write each down: `train` fits `max_steps`
mixtures, each to draws of the last, and leaves the last one. So a loop of 20
generations with 100 each has fitted 2001, the one to human points included.

    python steps.py [SEED]    # writes human.jsonl, held-out.jsonl and seed/
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lineage.loop.records.shards import read_texts, shards_of, write_shard

if TYPE_CHECKING:
    from lineage.loop.steps.protocol import Job

Array = np.ndarray[Any, Any]
Mixture = dict[str, Array]  # weights, means and covariances
DRAWS, HELD_OUT = 1000, 2000  # points
CENTRES, WIDTH = ((-2, 0), (2, 0)), 0.7


def prepare(folder: Path, seed: int, draws: int = DRAWS) -> None:
    """Human points of the true mixture, held-out ones, and the fit to the first."""
    rng = np.random.default_rng(seed)
    human = _truth(rng, draws)
    _write(folder / "human.jsonl", human)
    _write(folder / "held-out.jsonl", _truth(rng, HELD_OUT))
    (folder / "seed").mkdir()
    _save(folder / "seed", _fit(human, seed, None))


def generate(job: Job) -> None:
    """`num_samples` points."""
    rng, size = np.random.default_rng(job.seed), job.spec.generation.num_samples
    _write(job.output / "points.jsonl", _draw(_load(job.inputs["model"]), rng, size))


def check(job: Job) -> None:
    """There is nothing in a point to check."""
    for shard in shards_of(job.inputs["generated"]):
        (job.output / shard.path.name).write_bytes(shard.path.read_bytes())


def train(job: Job) -> None:
    """Fit to what there is; then, so often, to draws of the fit before."""
    model = _load(job.inputs["parent"])
    points, rng = _read(job.inputs["dataset"]), np.random.default_rng(job.seed)
    for fit in range(job.spec.training["max_steps"]):
        points = _draw(model, rng, len(points)) if fit else points
        model = _fit(points, job.seed, model["means"])
    _save(job.output, model)


def evaluate(job: Job) -> dict[str, Any]:
    """Held-out log-likelihood, and how much of the variance is left.

    In all, and within the components alone.
    """
    from scipy.stats import multivariate_normal

    model, points = _load(job.inputs["model"]), _read(job.inputs["held_out"])
    logs = [
        np.log(weight)
        + multivariate_normal(mean, covariance, allow_singular=True).logpdf(points)
        for weight, mean, covariance in zip(
            model["weights"], model["means"], model["covariances"], strict=True
        )
    ]
    within = np.tensordot(model["weights"], model["covariances"], 1)
    apart = model["means"] - model["weights"] @ model["means"]
    between = model["weights"] @ (apart**2).sum(axis=1)
    measures = {
        "nll": {
            "value": float(-np.logaddexp(*logs).mean()),
            "direction": "lower",
            "n": len(points),
        },
        "variance_ratio": float(np.trace(within) + between) / (2 * WIDTH**2 + 4),
        "within_ratio": float(np.trace(within)) / (2 * WIDTH**2),
    }
    return {"metrics": measures}


def _truth(rng: np.random.Generator, size: int) -> Array:
    clouds = [rng.normal(centre, WIDTH, (size // 2, 2)) for centre in CENTRES]
    return np.concatenate(clouds)


def _draw(model: Mixture, rng: np.random.Generator, size: int | None) -> Array:
    """Points, each from the component that the weights choose."""
    parts = zip(
        model["means"],
        model["covariances"],
        rng.multinomial(size or DRAWS, model["weights"]),
        strict=True,
    )
    return np.concatenate([rng.multivariate_normal(*part) for part in parts])


def _write(path: Path, points: Array) -> None:
    texts = (f"{x!r} {y!r}" for x, y in points.tolist())
    write_shard(path, ({"id": str(n), "text": text} for n, text in enumerate(texts)))


def _read(folder: Path) -> Array:
    texts = read_texts(shards_of(folder))
    return np.array([[float(word) for word in text.split()] for text in texts])


def _load(folder: Path) -> Mixture:
    data = json.loads((folder / "mixture.json").read_text())
    return {name: np.array(value) for name, value in data.items()}


def _save(folder: Path, model: Mixture) -> None:
    data = {name: value.tolist() for name, value in model.items()}
    (folder / "mixture.json").write_text(json.dumps(data))


def _fit(points: Array, seed: int, means: Array | None) -> Mixture:
    """Expectation maximisation."""
    from sklearn.mixture import GaussianMixture

    mixture = GaussianMixture(
        2, random_state=seed, reg_covar=1e-9, means_init=means, max_iter=50
    ).fit(points)
    names = ("weights", "means", "covariances")
    return {name: getattr(mixture, f"{name}_") for name in names}


if __name__ == "__main__":
    prepare(Path(), int(sys.argv[1]) if len(sys.argv) > 1 else 0)

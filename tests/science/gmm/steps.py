"""Two Gaussians in the plane, fitted again and again to their own draws.

A record is one point, its coordinates as text. Shumailov et al. 2024 (Nature 631:755,
supplement 4) take 1000 draws a generation; this takes 200, as what is lost in n
generations of m draws depends on n/m. Each fit starts from the means before.

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
N = 200  # points that a mixture is fitted to
CENTRES, WIDTH = ((-2, 0), (2, 0)), 0.7


def prepare(folder: Path, seed: int) -> None:
    """Human points of the true mixture, held-out ones, and the fit to the first."""
    rng = np.random.default_rng(seed)
    human = _truth(rng, N)
    _write(folder / "human.jsonl", human)
    _write(folder / "held-out.jsonl", _truth(rng, 10 * N))
    (folder / "seed").mkdir()
    _fit(folder / "seed", human, seed, None)


def generate(job: Job) -> None:
    """As many points as ever, each from the component that the weights choose."""
    model = _load(job.inputs["model"])
    rng = np.random.default_rng(job.seed)
    parts = rng.multinomial(N, model["weights"])
    clouds = [
        rng.multivariate_normal(mean, covariance, size)
        for mean, covariance, size in zip(
            model["means"], model["covariances"], parts, strict=True
        )
    ]
    _write(job.output / "points.jsonl", np.concatenate(clouds))


def check(job: Job) -> None:
    """There is nothing in a point to check."""
    for shard in shards_of(job.inputs["generated"]):
        (job.output / shard.path.name).write_bytes(shard.path.read_bytes())


def train(job: Job) -> None:
    """Expectation maximisation from the means of the model before."""
    before = _load(job.inputs["parent"])["means"]
    _fit(job.output, _read(job.inputs["dataset"]), job.seed, before)


def evaluate(job: Job) -> dict[str, Any]:
    """Held-out log-likelihood, and how much of the variance is left."""
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
    spread = np.trace(within) + model["weights"] @ (apart**2).sum(axis=1)
    measures = {
        "nll": {
            "value": float(-np.logaddexp(*logs).mean()),
            "direction": "lower",
            "n": len(points),
        },
        "variance_ratio": float(spread) / (2 * WIDTH**2 + 4),
    }
    return {"metrics": measures}


def _truth(rng: np.random.Generator, size: int) -> Array:
    clouds = [rng.normal(centre, WIDTH, (size // 2, 2)) for centre in CENTRES]
    return np.concatenate(clouds)


def _write(path: Path, points: Array) -> None:
    texts = (f"{x!r} {y!r}" for x, y in points.tolist())
    write_shard(path, ({"id": str(n), "text": text} for n, text in enumerate(texts)))


def _read(folder: Path) -> Array:
    texts = read_texts(shards_of(folder))
    return np.array([[float(word) for word in text.split()] for text in texts])


def _load(folder: Path) -> dict[str, Array]:
    data = json.loads((folder / "mixture.json").read_text())
    return {name: np.array(value) for name, value in data.items()}


def _fit(folder: Path, points: Array, seed: int, means: Array | None) -> None:
    from sklearn.mixture import GaussianMixture

    mixture = GaussianMixture(
        2, random_state=seed, reg_covar=1e-9, means_init=means, max_iter=50
    ).fit(points)
    data = {
        "weights": mixture.weights_.tolist(),
        "means": mixture.means_.tolist(),
        "covariances": mixture.covariances_.tolist(),
    }
    (folder / "mixture.json").write_text(json.dumps(data))


if __name__ == "__main__":
    prepare(Path(), int(sys.argv[1]) if len(sys.argv) > 1 else 0)

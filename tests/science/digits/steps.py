"""A variational autoencoder of handwritten digits, trained on its own pictures.

The digits are scikit-learn's, 8 by 8 (UCI, CC BY 4.0). A record is one picture, its
grey values as two hex digits each. What a model writes is the mean of its decoder, as
is usual with VAEs; a classifier of real digits says which ones it still draws.

    python steps.py [SEED]    # writes human.jsonl, held-out.jsonl and seed/
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from lineage.loop.records.shards import read_texts, shards_of, write_shard

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lineage.loop.steps.protocol import Job

Array = np.ndarray[Any, Any]
LATENT, HIDDEN, PIXELS = 8, 128, 64
STEPS, BATCH, RATE = 600, 64, 2e-3

torch.set_num_threads(1)  # a second one costs more than it does here


def prepare(folder: Path, seed: int, steps: int = STEPS) -> None:
    """Two thirds of the digits to learn from, the others held out; the first model."""
    from sklearn.datasets import load_digits

    pictures = load_digits().data / 16
    order = np.random.default_rng(seed).permutation(len(pictures))
    human = pictures[order[: 2 * len(pictures) // 3]]
    _write(folder / "human.jsonl", human)
    _write(folder / "held-out.jsonl", pictures[order[len(human) :]])
    (folder / "seed").mkdir()
    _train(folder / "seed", human, seed, steps)


def generate(job: Job) -> None:
    """As many pictures as human records."""
    torch.manual_seed(job.seed)
    size = len(_read(job.inputs["human"]))
    with torch.inference_mode():
        noise = torch.randn(size, LATENT)
        pictures = _load(job.inputs["model"]).decode(noise).sigmoid()
    _write(job.output / "pictures.jsonl", pictures.numpy())


def check(job: Job) -> dict[str, Any]:
    """Keep all; measure which digits there are, and how much they differ."""
    for shard in shards_of(job.inputs["generated"]):
        (job.output / shard.path.name).write_bytes(shard.path.read_bytes())
    new, human = (_read(job.inputs[role]) for role in ("generated", "human"))
    ratio = new.var(axis=0).sum() / human.var(axis=0).sum()
    measures = {"variance_ratio": float(ratio), "class_entropy": _classes(new)}
    return {"metrics": measures}


def train(job: Job) -> None:
    """A new network, for as many steps as always, whatever the size of the data."""
    steps = job.spec.training.get("max_steps", STEPS)
    _train(job.output, _read(job.inputs["dataset"]), job.seed, steps)


def evaluate(job: Job) -> dict[str, Any]:
    """The bound on the likelihood of held-out real digits, in nats."""
    torch.manual_seed(0)
    model, pictures = _load(job.inputs["model"]), _read(job.inputs["held_out"])
    with torch.inference_mode():
        losses = torch.stack([model.loss(_tensor(pictures)) for _ in range(5)])
    value = float(losses.mean())
    return {"metrics": {"negative_elbo": {"value": value, "direction": "lower"}}}


class Autoencoder(nn.Module):
    """One hidden layer each way (Kingma and Welling 2014, arXiv:1312.6114)."""

    def __init__(self) -> None:
        super().__init__()
        self.encode = _layers(PIXELS, 2 * LATENT)
        self.decode = _layers(LATENT, PIXELS)

    def loss(self, pictures: torch.Tensor) -> torch.Tensor:
        """Minus the evidence lower bound, one number per picture."""
        mean, log_variance = self.encode(pictures).chunk(2, -1)
        codes = mean + torch.randn_like(mean) * (log_variance / 2).exp()
        wrong = nn.functional.binary_cross_entropy_with_logits(
            self.decode(codes), pictures, reduction="none"
        ).sum(1)
        divergence = 1 + log_variance - mean**2 - log_variance.exp()
        return wrong - divergence.sum(1) / 2  # type: ignore[no-any-return]


def _layers(first: int, last: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(first, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, last))


def _train(folder: Path, pictures: Array, seed: int, steps: int) -> None:
    torch.manual_seed(seed)
    model, data = Autoencoder(), _tensor(pictures)
    adam = torch.optim.Adam(model.parameters(), RATE)
    for rows in _batches(len(data), steps):
        adam.zero_grad()
        model.loss(data[rows]).mean().backward()
        adam.step()
    torch.save(model.state_dict(), folder / "autoencoder.pt")


def _batches(size: int, steps: int) -> Iterator[torch.Tensor]:
    """`steps` batches, from one shuffle after the other."""
    made = 0
    while made < steps:
        for rows in torch.randperm(size).split(BATCH)[: steps - made]:
            yield rows
            made += 1


def _classes(pictures: Array) -> float:
    """The entropy of the digits that a classifier sees, over that of ten equal ones."""
    from sklearn.datasets import load_digits
    from sklearn.linear_model import LogisticRegression

    real, labels = load_digits(return_X_y=True)
    classifier = LogisticRegression(max_iter=2000).fit(real / 16, labels)
    shares = np.bincount(classifier.predict(pictures), minlength=10) / len(pictures)
    shares = shares[shares > 0]
    return float(-(shares * np.log(shares)).sum() / np.log(10))


def _load(folder: Path) -> Autoencoder:
    model = Autoencoder()
    model.load_state_dict(torch.load(folder / "autoencoder.pt", weights_only=True))
    return model


def _tensor(pictures: Array) -> torch.Tensor:
    return torch.as_tensor(pictures, dtype=torch.float32)


def _write(path: Path, pictures: Array) -> None:
    rows = enumerate((pictures * 255).round().astype(np.uint8))
    write_shard(path, ({"id": str(n), "text": row.tobytes().hex()} for n, row in rows))


def _read(folder: Path) -> Array:
    rows = [bytes.fromhex(text) for text in read_texts(shards_of(folder))]
    return np.array([np.frombuffer(row, np.uint8) for row in rows]) / 255


if __name__ == "__main__":
    prepare(Path(), int(sys.argv[1]) if len(sys.argv) > 1 else 0)

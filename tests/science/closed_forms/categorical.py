"""A distribution over words that is estimated from its own draws: Wright and Fisher's.

A model is a count of each word per replica. `generation_config.temperature` sharpens
what is drawn as it does for a language model: p becomes p^(1/T), normalised.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from columns import COUNT, Array, mean, read, write

if TYPE_CHECKING:
    from pathlib import Path

    from lineage.loop.steps.protocol import Job


def zipf(words: int, exponent: float = 1.0) -> Array:
    """Zipf's law over so many words."""
    weights = np.arange(1, words + 1) ** -exponent
    return weights / weights.sum()


def prepare(
    folder: Path, seed: int, replicas: int = 200, size: int = 1000, words: int = 1000
) -> None:
    """Human draws of a Zipf law, and the counts of them as the first model."""
    truth, draw = zipf(words), np.random.default_rng(seed)
    counts = draw.multinomial(size, truth, replicas).T
    (folder / "seed").mkdir()
    np.save(folder / "seed" / "counts.npy", counts)
    np.save(folder / "seed" / "truth.npy", truth)
    write(folder / "human.jsonl", _draws(counts), COUNT)
    write(folder / "held-out.jsonl", np.full((1, replicas), words), COUNT)


def generate(job: Job) -> None:
    """As many draws as human records, at the temperature of `loop.yaml`."""
    counts = np.load(job.inputs["model"] / "counts.npy")
    heat = job.spec.generation_config["temperature"]
    weights = (counts / counts.sum(axis=0)) ** (1 / heat)
    chances = (weights / weights.sum(axis=0)).T
    draw = np.random.default_rng(job.seed)
    drawn = draw.multinomial(counts[:, 0].sum(), chances).T
    write(job.output / "words.jsonl", _draws(drawn), COUNT)


def train(job: Job) -> None:
    """Count the words of each replica."""
    words, truth = read(job.inputs["dataset"], COUNT), job.inputs["base"] / "truth.npy"
    counts = [np.bincount(one, minlength=len(np.load(truth))) for one in words.T]
    np.save(job.output / "counts.npy", np.stack(counts, axis=1))
    (job.output / "truth.npy").write_bytes(truth.read_bytes())


def evaluate(job: Job) -> dict[str, Any]:
    """What is left of the first distribution."""
    counts = np.load(job.inputs["model"] / "counts.npy")
    truth = np.load(job.inputs["model"] / "truth.npy")
    shares = counts / counts.sum(axis=0)
    measures = {
        "heterozygosity": mean(1 - (shares**2).sum(axis=0)),
        "survivors": mean((counts > 0).sum(axis=0)),
        "unseen": mean(truth @ (counts == 0)),
        "first_word": mean(shares[0]),
    }
    return {"metrics": measures}


def _draws(counts: Array) -> Array:
    """Counts as draws: rows are draws, columns replicas."""
    words = np.arange(len(counts))
    return np.stack([np.repeat(words, one) for one in counts.T], axis=1)

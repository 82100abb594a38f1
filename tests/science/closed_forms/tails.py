"""What a learner that remembers each word it saw does not know of Zipf's law.

Its error is the probability that the next word is none that it has seen (Hutter 2021,
arXiv:2102.04074). Corpora of several sizes are written beside each other, from the
whole law and from one that is cut off behind its first `CUT` words, as a generator
with a limited vocabulary would.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
from columns import Array, mean

from lineage.loop.records.shards import read_texts, shards_of, write_shard

if TYPE_CHECKING:
    from pathlib import Path

    from lineage.loop.steps.protocol import Job

WORDS, EXPONENT, CUT = 200_000, 1.5, 1000
SIZES = (100, 1000, 10_000)


def law(cut: int = 0) -> Array:
    """Zipf's law, or what is left of it in front of `cut`."""
    weights = np.arange(1, WORDS + 1) ** -EXPONENT
    weights[cut or WORDS :] = 0
    return weights / weights.sum()


def prepare(folder: Path, seed: int, replicas: int = 20) -> None:
    """How often to do it, and a human corpus for the loop to begin with."""
    (folder / "seed").mkdir()
    (folder / "seed" / "replicas.json").write_text(json.dumps(replicas))
    rng = np.random.default_rng(seed)
    for name in ("human", "held-out"):
        _write(folder / f"{name}.jsonl", [(SIZES[0], 0)], rng)


def generate(job: Job) -> None:
    """Every corpus, `replicas` times."""
    replicas = json.loads((job.inputs["model"] / "replicas.json").read_text())
    corpora = [(size, cut) for size in SIZES for cut in (0, CUT)] * replicas
    _write(job.output / "words.jsonl", corpora, np.random.default_rng(job.seed))


def train(job: Job) -> None:
    """Remember the words of each corpus."""
    seen: dict[str, list[list[int]]] = {}
    for text in read_texts(shards_of(job.inputs["dataset"])):
        name, words = text.split()
        ids = np.frombuffer(bytes.fromhex(words), "<u4")
        seen.setdefault(name, []).append(np.unique(ids).tolist())
    (job.output / "seen.json").write_text(json.dumps(seen, sort_keys=True))


def evaluate(job: Job) -> dict[str, Any]:
    """The error of each learner; the model to start from is none."""
    if not (file := job.inputs["model"] / "seen.json").exists():
        return {"metrics": {"words": WORDS}}
    truth, seen = law(), json.loads(file.read_text())
    errors = {
        name: mean(np.array([1 - truth[words].sum() for words in corpora]))
        for name, corpora in seen.items()
    }
    return {"metrics": errors}


def _write(
    path: Path, corpora: list[tuple[int, int]], rng: np.random.Generator
) -> None:
    sums = {cut: np.cumsum(law(cut)) for _, cut in corpora}
    drawn = (
        (f"{size}-{cut}", np.searchsorted(sums[cut], rng.random(size)))
        for size, cut in corpora
    )
    texts = (f"{name} {ids.astype('<u4').tobytes().hex()}" for name, ids in drawn)
    write_shard(path, ({"id": str(n), "text": text} for n, text in enumerate(texts)))

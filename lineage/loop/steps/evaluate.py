"""Evaluate: how well a model predicts human text that no model of the loop has seen.

Per held-out record the negative log-likelihood of every token but the first, which
nothing comes before; what the numbers mean is in `lineage.loop.measuring.measures`.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from lineage.errors import LineageError
from lineage.loop.measuring.measures import measure_model
from lineage.loop.measuring.own_measures import take
from lineage.loop.records.shards import read_texts, shards_of
from lineage.loop.steps.likelihood import token_losses
from lineage.loop.steps.model import check_ids, context_length, opened, padding
from lineage.loop.steps.protocol import Job, Result
from lineage.loop.steps.session import session
from lineage.loop.steps.tokenizer import load_subwords

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lineage.loop.steps.tokenizer import Subwords


_BATCHES = 8  # of a piece: fewer would be sent about more often than computed

# Sections of loop.yaml.
READS = ("evaluation", "model.dtype", "num_threads", "seed")


class _Row(NamedTuple):
    """A held-out record's tokens, and the UTF-8 bytes of those to predict."""

    ids: list[int]
    size: int


class Measured(NamedTuple):
    """Of a held-out record: its loss in nats, tokens predicted, and their bytes."""

    loss: float
    tokens: int
    size: int


def evaluate(job: Job) -> Result:
    """Measure `inputs["model"]` on `inputs["held_out"]`; writes no files."""
    records = sum(shard.records for shard in shards_of(job.inputs["held_out"]))
    count = math.ceil(records / _size(job))
    found: dict[int, list[Measured]] = {}
    with session(job):
        for number, rows in job.launcher.pieces(job, Reader, range(count)):
            found[number] = rows
            job.advance(len(found) / count)
        facts = {name: job.inputs[name] for name in ("model", "held_out")}
        own = take(job, "model", {**facts, "seed": job.spec.seed})
    result = _measure([row for number in range(count) for row in found[number]])
    return replace(result, metrics={**result.metrics, **own})


def _size(job: Job) -> int:
    """Records of a piece: whole batches, so that pieces change no sum."""
    return job.spec.evaluation.batch_size * _BATCHES


def _measure(rows: Sequence[Measured]) -> Result:
    if not rows:
        raise LineageError("no held-out record has two tokens or more")
    losses, tokens = [row.loss for row in rows], [row.tokens for row in rows]
    if not all(map(math.isfinite, losses)):
        message = "the model gives held-out text a likelihood that is no number"
        raise LineageError(message, hint="training diverged; lower its learning_rate")
    try:
        metrics = measure_model(losses, tokens, [row.size for row in rows])
    except OverflowError:
        raise LineageError("the model's perplexity is too large to write") from None
    return Result(metrics, circumstances={"tokens": sum(tokens)})


class Reader:
    """A model that reads held-out records, piece by piece."""

    def __init__(self, job: Job) -> None:
        self.job, folder = job, job.inputs["model"]
        self.tokenizer = load_subwords(folder)
        self.model = opened(job, folder)
        self.texts = list(read_texts(shards_of(job.inputs["held_out"])))

    def piece(self, number: int) -> list[Measured]:
        """The n-th records, less those of one token; batches as the spec says."""
        size, batch = _size(self.job), self.job.spec.evaluation.batch_size
        texts = self.texts[number * size : (number + 1) * size]
        context = context_length(self.model.config)
        rows = _rows(self.tokenizer, texts, context)
        check_ids(self.model, (row.ids for row in rows))
        return [
            Measured(loss, len(row.ids) - 1, row.size)
            for start in range(0, len(rows), batch)
            for row, loss in self._batch(rows[start : start + batch])
        ]

    def _batch(self, rows: list[_Row]) -> Iterator[tuple[_Row, float]]:
        ids, pad = [row.ids for row in rows], padding(self.model.config)
        return zip(rows, token_losses(self.model, ids, pad), strict=True)


def _rows(tokenizer: Subwords, texts: Sequence[str], context: int | None) -> list[_Row]:
    """Held-out records, cut to what the model can see at once."""
    rows = []
    for text, ids in zip(texts, tokenizer.encode(texts), strict=True):
        spans = tokenizer.offsets(text)
        last = len(ids) if context is None else min(len(ids), context)
        if last > 1:
            end = len(text) if last == len(ids) else spans[last - 1][1]
            predicted = text[spans[0][1] : end]
            rows.append(_Row(ids[:last], len(predicted.encode())))
    return rows

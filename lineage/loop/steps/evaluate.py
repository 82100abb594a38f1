"""Evaluate: how well a model predicts human text that no model of the loop has seen.

Per held-out record the negative log-likelihood of every token but the first, which
nothing comes before; what the numbers mean is in `lineage.loop.measures`.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from lineage.errors import LineageError
from lineage.loop.measures import measure_model
from lineage.loop.shards import read_texts, shards_of
from lineage.loop.steps.model import check_ids, context_length, load_model, padding
from lineage.loop.steps.protocol import Job, Result
from lineage.loop.steps.session import device, session
from lineage.loop.steps.tokenizer import load_subwords

if TYPE_CHECKING:
    from collections.abc import Sequence

READS = ("evaluation", "num_threads")  # sections of loop.yaml


class _Row(NamedTuple):
    """A held-out record's tokens, and the UTF-8 bytes of those to predict."""

    ids: list[int]
    size: int


def evaluate(job: Job) -> Result:
    """Measure `inputs["model"]` on `inputs["held_out"]`; writes no files."""
    with session(job):
        folder = job.inputs["model"]
        model = load_model(folder).eval().to(device())
        rows = _rows(job, context_length(model.config))
        check_ids(model, (row.ids for row in rows))
        losses: list[float] = []
        size = job.spec.evaluation.batch_size
        for start in range(0, len(rows), size):
            batch = [row.ids for row in rows[start : start + size]]
            losses += _losses(model, batch, padding(model.config))
            job.advance(len(losses) / len(rows))
    if not all(map(math.isfinite, losses)):
        message = "the model gives held-out text a likelihood that is no number"
        raise LineageError(message, hint="training diverged; lower its learning_rate")
    tokens = [len(row.ids) - 1 for row in rows]
    try:
        metrics = measure_model(losses, tokens, [row.size for row in rows])
    except OverflowError:
        raise LineageError("the model's perplexity is too large to write") from None
    return Result(metrics, circumstances={"tokens": sum(tokens)})


def _rows(job: Job, context: int | None) -> list[_Row]:
    """The held-out records, cut to what the model can see at once."""
    tokenizer = load_subwords(job.inputs["model"])
    texts = list(read_texts(shards_of(job.inputs["held_out"])))
    rows = []
    for text, ids in zip(texts, tokenizer.encode(texts), strict=True):
        spans = tokenizer.offsets(text)
        last = len(ids) if context is None else min(len(ids), context)
        if last > 1:
            end = len(text) if last == len(ids) else spans[last - 1][1]
            predicted = text[spans[0][1] : end]
            rows.append(_Row(ids[:last], len(predicted.encode())))
    if not rows:
        raise LineageError("no held-out record has two tokens or more")
    return rows


def _losses(model: Any, batch: Sequence[list[int]], pad: int) -> list[float]:
    """Per row the summed negative log-likelihood (nats) of its tokens but the first."""
    import torch
    from torch.nn.functional import cross_entropy

    longest = max(map(len, batch))
    filled = [row + [pad] * (longest - len(row)) for row in batch]
    ids = torch.tensor(filled, device=model.device)
    lengths = torch.tensor([len(row) for row in batch], device=model.device)
    mask = torch.arange(longest, device=model.device) < lengths[:, None]
    with torch.inference_mode():
        logits = model(input_ids=ids, attention_mask=mask.long()).logits
        nll = cross_entropy(
            logits[:, :-1].float().transpose(1, 2), ids[:, 1:], reduction="none"
        )
    found: list[float] = nll.double().mul(mask[:, 1:]).sum(dim=1).tolist()
    return found

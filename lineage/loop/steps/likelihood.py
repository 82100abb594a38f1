"""How likely a causal language model finds texts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from lineage.errors import LineageError
from lineage.loop.steps.model import check_ids, context_length, opened, padding
from lineage.loop.steps.session import session
from lineage.loop.steps.tokenizer import load_subwords

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lineage.loop.steps.protocol import Job

_LEAD = "\n"  # what each text is taken to follow: its first token counts too


class Likelihood(NamedTuple):
    """The summed log-likelihood (nats) of a text's tokens, and how many they are."""

    nats: float
    tokens: int

    @property
    def per_token(self) -> float:
        """The mean log-likelihood of a token, in nats."""
        return self.nats / self.tokens if self.tokens else 0.0


def likelihoods(job: Job, folder: Path, texts: Sequence[str]) -> list[Likelihood]:
    """How likely the model in `folder` finds each text, after a line's end.

    A text that the model cannot see whole is cut.

    Raises:
        LineageError: the model cannot be used, or says something that is no number.
    """
    with session(job):
        model = opened(job, folder)
        tokenizer = load_subwords(folder)
        context = context_length(model.config)
        lead = tokenizer.encode([_LEAD])[0]
        rows = [(lead + ids)[:context] for ids in tokenizer.encode(texts)]
        check_ids(model, rows)
        found: list[Likelihood] = []
        for start in range(0, len(rows), size := job.spec.evaluation.batch_size):
            batch = rows[start : start + size]
            nats = token_losses(model, batch, padding(model.config), len(lead) or 1)
            counts = (max(len(row) - (len(lead) or 1), 0) for row in batch)
            found += map(Likelihood, (-each for each in nats), counts)
    if not all(math.isfinite(each.nats) for each in found):
        raise LineageError("the model gives a text a likelihood that is no number")
    return found


def token_losses(
    model: Any, batch: Sequence[list[int]], pad: int, given: int = 1
) -> list[float]:
    """Per row the summed negative log-likelihood (nats) of all but its first tokens.

    `given` of them are what the others follow.
    """
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
    counted = nll.double().mul(mask[:, 1:])[:, given - 1 :]
    found: list[float] = counted.sum(dim=1).tolist()
    return found

"""What a model answers when nothing is drawn by chance: its likeliest continuation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lineage.errors import UsageError
from lineage.loop.steps.chat import Chat, ends_of
from lineage.loop.steps.model import check_ids, context_length, opened, padding
from lineage.loop.steps.prompts import Asked, encoded
from lineage.loop.steps.session import session
from lineage.loop.steps.tokenizer import load_subwords

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from lineage.loop.steps.protocol import Job


def greedy_answers(
    job: Job,
    folder: Path,
    prompts: Sequence[str],
    max_new_tokens: int,
    *,
    chat: bool = False,
) -> list[str]:
    """What the model in `folder` writes after each prompt, the prompt left out.

    Of a prompt that is too long for the model the end is kept. An answer depends on
    its prompt alone, not on those beside it. In a `chat` the model's own template
    makes a user's turn of each prompt, under the loop's system prompt if it has one.

    Raises:
        LineageError: the model cannot be used.
        UsageError: it cannot write so many tokens.
    """
    import torch

    from lineage.loop.steps.sampling import sample

    with session(job):
        model, template = opened(job, folder), Chat(folder) if chat else None
        config = _greedy(model, max_new_tokens, template)
        room = _room(model.config, max_new_tokens)
        tokenizer = load_subwords(folder)
        asked = [Asked("", prompt) for prompt in prompts]
        rows = [prompt.ids for prompt in encoded(job.spec, asked, tokenizer, template)]
        rows = [ids[-room:] if room else ids for ids in rows]
        check_ids(model, rows)
        found = [""] * len(prompts)
        for batch in _batches(rows, job.spec.evaluation.batch_size):
            ids = torch.tensor([rows[n] for n in batch], device=model.device)
            written = sample(model, ids, [0] * len(batch), config)[:, ids.shape[1] :]
            for n, text in zip(batch, tokenizer.decode(written.tolist()), strict=True):
                found[n] = text
    return found


def _greedy(model: Any, max_new_tokens: int, chat: Chat | None) -> Any:
    """The likeliest token each time, up to where the model ends a text or a turn."""
    from transformers import GenerationConfig

    ends = ends_of(model, chat)
    model.generation_config = GenerationConfig()
    return GenerationConfig(
        do_sample=False,
        max_new_tokens=max_new_tokens,
        pad_token_id=padding(model.config),
        eos_token_id=ends or None,
    )


def _room(config: Any, max_new_tokens: int) -> int | None:
    """How many tokens a prompt may have, where the model's config says so."""
    context = context_length(config)
    if context is None:
        return None
    if context <= max_new_tokens:
        message = f"answers of {max_new_tokens} tokens do not fit a model that sees"
        raise UsageError(f"{message} {context}", hint="lower the gate's max_new_tokens")
    return context - max_new_tokens


def _batches(rows: Sequence[Sequence[int]], size: int) -> Iterator[list[int]]:
    """The numbers of rows of one length, so that none has to be filled up."""
    lengths: dict[int, list[int]] = {}
    for number, row in enumerate(rows):
        if row:
            lengths.setdefault(len(row), []).append(number)
    for _, numbers in sorted(lengths.items()):
        for start in range(0, len(numbers), size):
            yield numbers[start : start + size]

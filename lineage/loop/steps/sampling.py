"""Sampling whose result does not depend on the batch.

`model.generate` draws one stream of random numbers for a whole batch, so another
batch size gives other samples. Here every record has its own generator, and what
it becomes is a function of the model, its prompt and its seed: any batch, any
shard, or the record alone give the same tokens.

A token is drawn with the Gumbel-max trick: the argmax of ``scores - log(E)`` with
one ``E ~ Exp(1)`` per entry of the vocabulary has the probabilities
``softmax(scores)`` (Gumbel 1954; Maddison et al. 2014, arXiv:1411.0030). That
leaves the arithmetic: a matrix product rounds differently for 1, 7 or 64 rows.
So a choice that an error of `MARGIN` could turn is made again from the record's own
forward pass, without batch and cache. That happens about once in a thousand tokens.

Not so in bfloat16: there batches move a logit by up to 1.7 % of the largest, and
47 % of tokens would be too close to call (measured on SmolLM2-135M, 3,200 draws). A
record then depends on its batch too, and the size of batches is part of the config.

Prompts of several lengths are padded on the left, masked and with their own
positions, where the model can have that and no processor looks at earlier tokens;
else those of one length are continued together.
"""

from __future__ import annotations

from copy import copy
from inspect import signature
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import torch
    from numpy.random import Generator

    Stopped = Callable[[Sequence[list[int]]], Sequence[bool]]
    Process = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]

# How far a logit may be off, as a fraction of the largest in its row. Measured
# between batch sizes, with and without cache, in float32: 2e-7 to 2e-6.
MARGIN = 1e-4
# What a model gives back to be given again: attention's, or a recurrent state. One
# without either reads all that it has written for each token.
_CACHES = ("past_key_values", "cache_params")
# Settings whose processors look at logits alone, and not at what was written.
_OF_LOGITS = {
    "transformers_version",
    "do_sample",
    "temperature",
    "top_k",
    "top_p",
    "min_p",
    "typical_p",
    "epsilon_cutoff",
    "eta_cutoff",
    "max_new_tokens",
    "max_length",
    "eos_token_id",
    "pad_token_id",
}
_TOLD = {"attention_mask", "position_ids", "past_key_values"}


def continuations(
    model: Any,
    prompts: Sequence[Sequence[int]],
    seeds: Sequence[int],
    config: Any,
    stopped: Stopped | None = None,
) -> list[list[int]]:
    """The new tokens after each prompt, whatever their lengths.

    Row i is a function of the model, prompt i and seed i. `stopped` says of the new
    tokens of several rows which of them are enough.
    """
    import torch

    found: list[list[int]] = [[] for _ in prompts]
    for rows in _groups(model, prompts, config):
        width, fill = max(len(prompts[row]) for row in rows), config.pad_token_id
        pads = [width - len(prompts[row]) for row in rows]
        ids = [[fill] * n + list(prompts[r]) for n, r in zip(pads, rows, strict=True)]
        drawn = sample(
            model,
            torch.tensor(ids, device=model.device),
            [seeds[row] for row in rows],
            config,
            pads=pads if any(pads) else None,
            stopped=stopped,
        )
        for row, tokens in zip(rows, drawn[:, width:].tolist(), strict=True):
            found[row] = _trimmed(tokens, fill)
    return found


def _groups(
    model: Any, prompts: Sequence[Sequence[int]], config: Any
) -> list[list[int]]:
    """Which rows are continued side by side."""
    given = signature(model.forward).parameters.keys()
    can_pad = given >= _TOLD and config.to_diff_dict().keys() <= _OF_LOGITS
    groups: dict[int, list[int]] = {}
    for row, ids in enumerate(prompts):
        groups.setdefault(0 if can_pad else len(ids), []).append(row)
    return list(groups.values())


def _trimmed(tokens: list[int], fill: int) -> list[int]:
    """A row without what it was filled up with."""
    while tokens and tokens[-1] == fill:
        tokens.pop()
    return tokens


def sample(
    model: Any,
    prompts: torch.Tensor,
    seeds: Sequence[int],
    config: Any,
    *,
    pads: Sequence[int] | None = None,
    stopped: Stopped | None = None,
) -> torch.Tensor:
    """Continue each prompt; row i is a function of the model, prompt i and seed i.

    Args:
        model: a causal language model in eval mode.
        prompts: token ids, (rows, prompt length).
        seeds: one per row.
        config: its warpers (temperature, top_k, top_p, …) are applied by
            transformers; without `do_sample` the likeliest token is taken.
        pads: how many tokens of each row fill it on the left, if any do.
        stopped: says which rows are enough, beside their ends of text.

    Returns:
        Token ids with their prompts, (rows, length); after its end of text a row
        is filled with the padding token.
    """
    import numpy as np

    mask, room = prompts.new_ones(prompts.shape), None
    if pads is not None:
        for row, count in zip(mask, pads, strict=True):
            row[:count] = 0
        if config.max_new_tokens is None:
            room = mask.sum(dim=1).neg() + config.max_length
            config = copy(config)
            config.max_length, config.max_new_tokens = None, int(room.max())
    ids: torch.Tensor = model.generate(
        prompts,
        attention_mask=mask,
        generation_config=config,
        custom_generate=_decode,
        noise=[np.random.Generator(np.random.Philox(seed)) for seed in seeds],
        mask=None if pads is None else mask,
        room=room,
        stopped=stopped,
    )
    return ids


def _decode(
    model: Any,
    input_ids: torch.Tensor,
    logits_processor: Process,
    stopping_criteria: Callable[[torch.Tensor, None], torch.Tensor],
    generation_config: Any,
    *,
    noise: list[Generator],
    mask: torch.Tensor | None,
    room: torch.Tensor | None,
    stopped: Stopped | None,
    **_: object,
) -> torch.Tensor:
    """The decoding loop that `generate` calls once everything is prepared."""
    import torch

    ids = window = input_ids
    begin = ids.shape[1]
    first = [0] * len(ids) if mask is None else (begin - mask.sum(dim=1)).tolist()
    running = torch.ones(len(ids), dtype=torch.bool, device=ids.device)
    cache: dict[str, Any] = {}
    exact = model.dtype == torch.float32
    while running.any():
        out = model(input_ids=window, use_cache=True, **cache, **_told(mask, window))
        cache = {name: out[name] for name in _CACHES if out.get(name) is not None}
        logits = out.logits[:, -1].float()
        gumbel = _gumbel(noise, logits.shape[1], ids.device)
        if not generation_config.do_sample:
            gumbel.zero_()
        tokens, close = _choose(logits_processor, ids, logits, gumbel)
        close &= exact
        for row in (close & running).nonzero()[:, 0].tolist():
            one = slice(row, row + 1)
            own = ids[one, first[row] :]
            logits = model(input_ids=own, use_cache=False).logits[:, -1].float()
            tokens[one] = _winners(logits_processor, ids[one], logits, gumbel[one])
        tokens = tokens.where(running, generation_config.pad_token_id)
        ids = torch.cat([ids, tokens[:, None]], dim=1)
        window = ids[:, -1:] if cache else ids
        if mask is not None:  # a row that has ended comes to no later position
            mask = torch.cat([mask, running[:, None].to(mask.dtype)], dim=1)
        running &= ~stopping_criteria(ids, None)
        if room is not None:
            running &= room > ids.shape[1] - begin
        if stopped is not None and running.any():
            rows = running.nonzero()[:, 0]
            enough = torch.tensor(stopped(ids[rows, begin:].tolist()), dtype=torch.bool)
            running[rows] = ~enough.to(ids.device)
    return ids


def _told(mask: torch.Tensor | None, window: torch.Tensor) -> dict[str, torch.Tensor]:
    """Which tokens are there, and at which positions those of the window are."""
    if mask is None:
        return {}
    positions = (mask.cumsum(dim=1) - 1).clamp(min=0)[:, -window.shape[1] :]
    return {"attention_mask": mask, "position_ids": positions}


def _winners(
    process: Process, ids: torch.Tensor, logits: torch.Tensor, gumbel: torch.Tensor
) -> torch.Tensor:
    return (process(ids, logits.clone()) + gumbel).argmax(dim=1)


def _choose(
    process: Process, ids: torch.Tensor, logits: torch.Tensor, gumbel: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """The next token of every row, and which rows are too close to call.

    A row is when its winner loses in one of two worst cases: the winner is too
    high and all others too low by `MARGIN`; or what top_k, top_p and the like cut
    off is too low and all that they kept too high.
    """
    scores = process(ids, logits.clone())
    tokens = (scores + gumbel).argmax(dim=1)
    error = MARGIN * logits.abs().amax(dim=1, keepdim=True)
    weaker = (logits + error).scatter_add(1, tokens[:, None], -2 * error)
    close = _winners(process, ids, weaker, gumbel) != tokens
    cut = scores.isinf()
    if cut.any():
        wider = logits + error.where(cut, -error)
        close |= _winners(process, ids, wider, gumbel) != tokens
    return tokens, close


def _gumbel(
    generators: list[Generator], size: int, device: torch.device
) -> torch.Tensor:
    """Standard Gumbel noise, (rows, size): each row from its own generator."""
    import numpy as np
    import torch

    out = np.empty((len(generators), size), dtype=np.float32)
    for row, generator in zip(out, generators, strict=True):
        generator.standard_exponential(dtype=np.float32, out=row)
    return torch.from_numpy(out).to(device).log_().neg_()

"""What a record becomes depends on the model, its prompt and its seed alone."""

from __future__ import annotations

from typing import Any

import pytest

from lineage.loop.steps import sampling
from lineage.loop.steps.sampling import sample

VOCABULARY, LENGTH = 96, 24
ALONE = 12  # rows that are written one by one, which takes the longest


@pytest.fixture(scope="module")
def model() -> Any:
    """A random model of three layers that is as sure of itself as a trained one."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=VOCABULARY,
        n_positions=LENGTH,
        n_embd=32,
        n_layer=2,
        n_head=4,
        bos_token_id=0,
        eos_token_id=0,
    )
    model = GPT2LMHeadModel(config).eval()
    with torch.no_grad():
        model.transformer.ln_f.weight.mul_(8)
    return model


def write(model: Any, batch: int, count: int = 32, **fields: Any) -> list[list[int]]:
    """`count` rows, drawn in batches."""
    import torch
    from transformers import GenerationConfig

    settings = {"do_sample": True, "top_k": 0, "pad_token_id": 0, "max_length": LENGTH}
    config = GenerationConfig(**(settings | fields))
    prompts = torch.arange(count).remainder(VOCABULARY - 1).add(1)[:, None]
    rows = []
    for start in range(0, count, batch):
        seeds = range(1000 + start, 1000 + min(start + batch, count))
        part = sample(model, prompts[start : start + batch], seeds, config)
        pad = LENGTH - part.shape[1]
        rows += torch.nn.functional.pad(part, (0, pad)).tolist()
    return rows


@pytest.mark.parametrize(
    "fields",
    [
        {"temperature": 0.8},
        {"temperature": 0.1},
        {"top_k": 7},
        {"top_p": 0.7},
        {"top_p": 0.95, "top_k": 20, "repetition_penalty": 1.2},
        {"min_p": 0.05},
        {"do_sample": False},
    ],
    ids=str,
)
def test_the_batch_changes_nothing(model: Any, fields: dict[str, Any]) -> None:
    """Alone, by sevens or all at once: the same tokens."""
    sevens, whole = (write(model, size, **fields) for size in (7, 32))
    assert sevens == whole
    assert write(model, 1, ALONE, **fields) == whole[:ALONE]


def test_a_recurrent_model_reads_each_token_once() -> None:
    """Its state is carried, and the tokens are those of one that starts over."""
    import torch
    from transformers import MambaConfig, MambaForCausalLM

    torch.manual_seed(0)
    config = MambaConfig(
        vocab_size=VOCABULARY, hidden_size=32, num_hidden_layers=2, state_size=4
    )
    model = MambaForCausalLM(config).eval()
    read: list[int] = []
    model.register_forward_pre_hook(
        lambda _, __, given: read.append(given["input_ids"].shape[1]),
        with_kwargs=True,
    )
    together = write(model, 32)
    assert read.count(1) >= LENGTH - 1
    assert write(model, 1) == together


def test_the_batch_would_change_the_arithmetic(model: Any) -> None:
    """Logits differ in their last bits between batches, well below the margin."""
    import torch

    ids = torch.arange(64 * 9).remainder(VOCABULARY).view(64, 9)
    with torch.no_grad():
        first = model(input_ids=ids[:, :-1], use_cache=True)
        cache = first.past_key_values
        together = model(input_ids=ids[:, -1:], past_key_values=cache).logits[:, -1]
        alone = torch.cat([model(input_ids=row[None]).logits[:, -1] for row in ids])
    error = (together - alone).abs().max() / together.abs().max()
    assert 0 < error < sampling.MARGIN / 10


def test_close_calls_are_found(model: Any) -> None:
    """Logits that are off by less than the margin give the same tokens or a flag."""
    import numpy as np
    import torch
    from transformers import GenerationConfig

    rng = np.random.default_rng(0)
    logits = torch.from_numpy(rng.normal(size=(4000, 50)).astype(np.float32)) * 3
    gumbel = torch.from_numpy(rng.gumbel(size=(4000, 50)).astype(np.float32))
    ids = torch.zeros(4000, 1, dtype=torch.long)
    config = GenerationConfig(do_sample=True, top_k=5, top_p=0.8)
    process = model._get_logits_processor(
        config, 1, ids, None, [], device=ids.device, model_kwargs={}
    )
    tokens, close = sampling._choose(process, ids, logits, gumbel)
    noise = torch.from_numpy(rng.uniform(-1, 1, (4000, 50)).astype(np.float32))
    off = noise * sampling.MARGIN * logits.abs().amax(dim=1, keepdim=True)
    others = sampling._winners(process, ids, logits + off, gumbel)
    assert not ((others != tokens) & ~close).any()
    assert 0 < close.float().mean() < 0.05


def test_samples_have_the_model_s_probabilities(model: Any) -> None:
    """The first token's frequencies are those of softmax (4 standard errors)."""
    import torch
    from transformers import GenerationConfig

    count, prompt = 20_000, torch.full((20_000, 1), 5)
    config = GenerationConfig(
        do_sample=True, top_k=0, temperature=0.7, max_length=2, pad_token_id=0
    )
    drawn = sample(model, prompt, range(count), config)[:, 1]
    with torch.no_grad():
        logits = model(input_ids=prompt[:1]).logits[0, -1]
    expected = (logits / 0.7).softmax(dim=0)
    found = torch.bincount(drawn, minlength=VOCABULARY) / count
    error = (expected * (1 - expected) / count).sqrt()
    assert ((found - expected).abs() <= 4 * error + 1 / count).all()


def test_greedy_is_transformers_greedy(model: Any) -> None:
    """Without sampling the tokens are those of `model.generate` itself."""
    import torch
    from transformers import GenerationConfig

    config = GenerationConfig(
        do_sample=False, max_length=LENGTH, pad_token_id=0, eos_token_id=None
    )
    prompts = torch.arange(1, 9)[:, None]
    theirs = model.generate(
        prompts, attention_mask=torch.ones_like(prompts), generation_config=config
    )
    assert sample(model, prompts, range(8), config).tolist() == theirs.tolist()


def test_a_row_that_ends_is_padded(model: Any) -> None:
    """After its end of text a row holds nothing but padding."""
    for row in write(model, 32, temperature=2.0):
        text = row[1:]
        if 0 in text:
            assert set(text[text.index(0) :]) == {0}


def ragged(count: int) -> list[list[int]]:
    """Prompts of one to eleven tokens."""
    return [[1 + (n * k) % 90 for k in range(1, 2 + n % 11)] for n in range(count)]


@pytest.fixture(scope="module")
def llama() -> Any:
    """A model with rotary positions and grouped heads."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(1)
    config = LlamaConfig(
        vocab_size=VOCABULARY,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=64,
        initializer_range=0.2,
    )
    return LlamaForCausalLM(config).eval()


def continued(model: Any, size: int, count: int = 33, **fields: Any) -> list[list[int]]:
    """What follows `count` prompts, `size` of them at a time."""
    from transformers import GenerationConfig

    settings = {"do_sample": True, "top_k": 0, "pad_token_id": 0, "eos_token_id": 0}
    config = GenerationConfig(**(settings | {"max_new_tokens": 12} | fields))
    prompts, found = ragged(count), []
    for start in range(0, count, size):
        some = prompts[start : start + size]
        seeds = range(start, start + len(some))
        found += sampling.continuations(model, some, seeds, config)
    return found


@pytest.mark.parametrize("kind", ["model", "llama"])
@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"temperature": 0.3, "top_p": 0.9},
        {"max_new_tokens": None, "max_length": 16},
        {"repetition_penalty": 1.3, "min_new_tokens": 5},
        {"do_sample": False},
    ],
    ids=str,
)
def test_prompts_of_other_lengths_change_nothing(
    kind: str, fields: dict[str, Any], request: pytest.FixtureRequest
) -> None:
    """Alone, by sevens or all at once, beside longer and shorter ones."""
    model = request.getfixturevalue(kind)
    sevens, whole = (continued(model, n, **fields) for n in (7, 33))
    assert sevens == whole
    assert continued(model, 1, ALONE, **fields) == whole[:ALONE]
    if fields.get("max_length"):
        for prompt, row in zip(ragged(33), whole, strict=True):
            assert len(prompt) + len(row) <= 16


def test_a_recurrent_model_s_prompts_are_not_padded() -> None:
    """One that cannot be told where a row begins continues those of one length."""
    import torch
    from transformers import MambaConfig, MambaForCausalLM

    torch.manual_seed(0)
    config = MambaConfig(
        vocab_size=VOCABULARY, hidden_size=32, num_hidden_layers=2, state_size=4
    )
    model = MambaForCausalLM(config).eval()
    assert continued(model, 33) == continued(model, 1)


def test_what_is_enough_ends_a_row(llama: Any) -> None:
    """A row ends as soon as it has the token that was waited for, others go on."""
    from transformers import GenerationConfig

    config = GenerationConfig(
        do_sample=True, top_k=0, pad_token_id=0, eos_token_id=0, max_new_tokens=12
    )
    prompts = ragged(20)
    whole = sampling.continuations(llama, prompts, range(20), config)
    ended = sampling.continuations(
        llama, prompts, range(20), config, lambda rows: [row[-1] < 20 for row in rows]
    )
    for long, short in zip(whole, ended, strict=True):
        ends = next((n for n, token in enumerate(long, 1) if token < 20), len(long))
        assert short == long[:ends]

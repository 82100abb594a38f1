"""A tiny model with random weights, as a stock script would load it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lineage.loop.quiet import quiet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WORDS = ["the", "a", "fox", "owl", "bee", "cat", "sees", "wants", "eats", "moon"]
WORDS += ["bread", "is", "glad", "sad"]


@pytest.fixture(autouse=True)
def _silent() -> Iterator[None]:
    with quiet():
        yield


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny llama with random weights, and a tokenizer of whole words."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
    from transformers.trainer_utils import set_seed

    folder = tmp_path_factory.mktemp("models") / "seed-model"
    vocabulary = {w: n for n, w in enumerate(["<unk>", "<s>", "</s>", *WORDS])}
    words = Tokenizer(models.WordLevel(vocabulary, unk_token="<unk>"))  # noqa: S106
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    named = {"bos_token": "<s>", "eos_token": "</s>", "pad_token": "</s>"}
    named |= {"unk_token": "<unk>"}
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, **named)
    tokenizer.save_pretrained(folder)
    sizes: dict[str, Any] = {
        "hidden_size": 16,
        "intermediate_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "max_position_embeddings": 32,
    }
    set_seed(1)
    LlamaForCausalLM(LlamaConfig(vocab_size=len(vocabulary), **sizes)).save_pretrained(
        folder
    )
    return folder

"""One tokenizer per loop, trained on human text or brought by a model."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from lineage.errors import UsageError
from lineage.loop.spec import LoopSpec
from lineage.loop.steps.tokenizer import (
    END_OF_TEXT,
    Words,
    copy_tokenizer,
    load_tokens,
    make_blank,
    train_bpe,
)

if TYPE_CHECKING:
    from pathlib import Path

TEXT = "naïve: the cat\n\nsat on 1,234 mats 🐈\t."


def test_training_is_repeatable() -> None:
    """The same text gives the same tokenizer."""
    one, two = (train_bpe([TEXT * 20], 300).to_str() for _ in range(2))
    assert one == two


def test_bytes_come_back(blank: Path) -> None:
    """Any text survives, whatever the tokenizer was trained on."""
    tokens: Any = load_tokens(blank)
    assert tokens.decode(tokens.encode([TEXT])) == [TEXT]


def test_transformers_reads_it_the_same(blank: Path) -> None:
    """What the loop encodes is what AutoTokenizer encodes."""
    from transformers import AutoTokenizer

    theirs = AutoTokenizer.from_pretrained(blank)
    assert load_tokens(blank).encode([TEXT]) == [theirs(TEXT).input_ids]
    assert theirs.eos_token == theirs.pad_token == END_OF_TEXT
    assert theirs.model_max_length == 24


def test_the_config_fits_the_tokenizer(blank: Path) -> None:
    """Vocabulary and end of text are the tokenizer's."""
    config = json.loads((blank / "config.json").read_bytes())
    from transformers import AutoTokenizer

    theirs = AutoTokenizer.from_pretrained(blank)
    assert config["vocab_size"] == len(theirs)
    assert config["eos_token_id"] == theirs.eos_token_id


def test_a_context_shorter_than_a_block_is_refused(tmp_path: Path) -> None:
    """Blocks that the model cannot see whole are one sentence."""
    spec = LoopSpec.parse(
        {
            "name": "x",
            "num_generations": 1,
            "model": {
                "config": {"model_type": "gpt2", "n_positions": 8},
                "tokenizer": {"vocab_size": 300},
            },
            "dataset": {"train_file": "a.txt", "block_size": 16},
        },
        tmp_path,
    )
    with pytest.raises(UsageError, match="the model sees 8 tokens"):
        make_blank(spec, [TEXT], tmp_path)


def test_words_stand_in_where_there_is_none(tmp_path: Path) -> None:
    """A model without a tokenizer is measured and cut by words."""
    tokens = load_tokens(tmp_path)
    assert isinstance(tokens, Words)
    assert tokens.encode(["a b a", "b c"]) == [[0, 1, 0], [1, 2]]
    assert tokens.offsets("ab  c") == [(0, 2), (4, 5)]


def test_a_copy_has_the_tokenizer_and_nothing_else(model: Path, tmp_path: Path) -> None:
    """Weights and config are the successor's own."""
    copy_tokenizer(model, tmp_path)
    names = sorted(file.name for file in tmp_path.iterdir())
    assert names == ["tokenizer.json", "tokenizer_config.json"]

"""A model folder is read whole, or refused in one sentence."""

from __future__ import annotations

import json
from shutil import copytree
from typing import TYPE_CHECKING, Any

import pytest

from lineage.errors import LineageError
from lineage.loop.steps.model import context_length, load_model, padding

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.mark.parametrize(
    ("tokens", "chosen"),
    [
        ({"pad_token_id": 5, "eos_token_id": 7}, 5),
        ({"pad_token_id": -1, "eos_token_id": [400, 9, 7]}, 9),
        ({"pad_token_id": None, "eos_token_id": 7}, 7),
        ({"pad_token_id": 400, "eos_token_id": 50256}, 0),
    ],
)
def test_padding_is_a_token_that_there_is(tokens: dict[str, Any], chosen: int) -> None:
    """The first of pad and end of text within the vocabulary, or token 0."""
    from transformers import GPT2Config

    config = GPT2Config(vocab_size=400)
    for key, value in tokens.items():
        setattr(config, key, value)
    assert padding(config) == chosen


def test_the_context_is_found_by_any_name() -> None:
    """Configs call it differently, and some have none."""
    from transformers import BloomConfig, GPT2Config, MptConfig

    assert context_length(GPT2Config(n_positions=9)) == 9
    assert context_length(MptConfig(max_seq_len=7)) == 7
    assert context_length(BloomConfig()) is None


def without_a_weight(folder: Path) -> None:
    edit_weights(folder, lambda weights: weights.pop("transformer.h.0.ln_1.bias"))


def of_another_shape(folder: Path) -> None:
    def cut(weights: dict[str, Any]) -> None:
        weights["transformer.h.0.ln_1.bias"] = weights["transformer.h.0.ln_1.bias"][:8]

    edit_weights(folder, cut)


def edit_weights(folder: Path, edit: Callable[[dict[str, Any]], Any]) -> None:
    from safetensors.torch import load_file, save_file

    weights = load_file(folder / "model.safetensors")
    edit(weights)
    save_file(weights, folder / "model.safetensors", {"format": "pt"})


def torn(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:2000])


def gone(folder: Path) -> None:
    (folder / "model.safetensors").unlink()


def broken_json(folder: Path) -> None:
    (folder / "config.json").write_text("{")


def of_no_kind(folder: Path) -> None:
    edit_config(folder, model_type="t5")


def foreign(folder: Path) -> None:
    edit_config(folder, model_type="novel", auto_map={"AutoConfig": "mine.Config"})
    (folder / "mine.py").write_text("raise SystemExit('ran')\n")


def edit_config(folder: Path, **fields: Any) -> None:
    config = json.loads((folder / "config.json").read_bytes())
    (folder / "config.json").write_text(json.dumps(config | fields))


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (without_a_weight, "no fitting transformer.h.0.ln_1.bias"),
        (of_another_shape, "no fitting transformer.h.0.ln_1.bias"),
        (torn, "Error while deserializing header"),
        (gone, "Error no file named model.safetensors"),
        (broken_json, "is not a valid JSON file"),
        (of_no_kind, "transformers has no causal language model of its type"),
        (foreign, "it needs code of its own, and lineage runs none"),
    ],
)
def test_what_cannot_be_loaded_is_said(
    model: Path,
    tmp_path: Path,
    spoil: Callable[[Path], None],
    sentence: str,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """One sentence with the commit's short id and no path; never random weights."""
    folder = copytree(model, tmp_path / ("0123456789abcdef" * 4))
    spoil(folder)
    with pytest.raises(LineageError) as caught:
        load_model(folder)
    said = str(caught.value)
    assert said.startswith("cannot load the model 0123456789ab: ")
    assert sentence in said
    assert str(tmp_path) not in said
    assert "\n" not in said
    assert capfd.readouterr() == ("", "")


def test_tied_weights_are_not_missed(tmp_path: Path) -> None:
    """An output layer that is the embedding is not in the file, and need not be."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    config = GPT2Config(vocab_size=40, n_layer=1, n_head=1, n_embd=8, n_positions=8)
    theirs = GPT2LMHeadModel(config)
    theirs.save_pretrained(tmp_path)
    loaded = load_model(tmp_path)
    assert torch.equal(loaded.lm_head.weight, theirs.transformer.wte.weight)

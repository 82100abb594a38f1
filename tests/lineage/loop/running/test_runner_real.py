"""A `save_pretrained` folder and a text file run gated generations with no help."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from lineage.errors import UsageError
from lineage.loop.journal import parts
from lineage.loop.runner import run

if TYPE_CHECKING:
    from pathlib import Path

    from lineage.registry import Registry

LOOP = """
name: picked
num_generations: 2
model: {model_name_or_path: theirs}
dataset: {train_file: text.txt, block_size: 24}
generation: {num_samples: 32, shard_size: 20, batch_size: 8}
training: {max_steps: 4}
gates:
  - {type: check_record}
  - {type: diversity, min: 0.2, max: 5}
"""
CHECKS = 'def check_record(record):\n    assert record["text"].strip()\n'
TEXT = "\n\n".join(
    f"Number {n} is {'odd' if n % 2 else 'even'}, and its square is {n * n}."
    for n in range(120)
)


def picked(root: Path) -> Path:
    """A Llama in bfloat16 with a tokenizer of its own, as somebody might bring it."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    from lineage.loop.steps.tokenizer import END_OF_TEXT, train_bpe

    torch.manual_seed(0)
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=train_bpe([TEXT], 300), eos_token=END_OF_TEXT
    )
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=32,
    )
    LlamaForCausalLM(config).bfloat16().save_pretrained(root / "theirs")
    tokenizer.save_pretrained(root / "theirs")
    (root / "text.txt").write_text(TEXT)
    (root / "checks.py").write_text(CHECKS)
    (root / "loop.yaml").write_text(LOOP)
    return root / "theirs"


def test_any_model_folder_and_text_make_a_loop(
    repo: Registry, capfd: pytest.CaptureFixture[str]
) -> None:
    """Two gated generations of somebody else's model, silent and offline."""
    folder = picked(repo.root)
    capfd.readouterr()
    result = run(repo, repo.root / "loop.yaml")
    assert capfd.readouterr() == ("", "")
    assert [made.generation for made in result.made] == [0, 1, 2]
    for made in result.made[1:]:
        assert [gate["verdict"] for gate in made.gates] == ["pass", "pass"]
        assert {"perplexity", "bits_per_byte", "distinct_2"} <= set(made.metrics)
    zero, last = (parts(repo, result.made[n].id) for n in (0, 2))
    given = {file.path: file.sha256 for file in repo.files(zero.model)}
    assert set(given) == {file.name for file in folder.iterdir()}
    successor = {file.path: file.sha256 for file in repo.files(last.model)}
    assert successor["tokenizer.json"] == given["tokenizer.json"]
    assert successor["model.safetensors"] != given["model.safetensors"]
    roles = {edge.role for edge in repo.load(last.model).edges}
    assert "fine_tuned_from" in roles


def test_no_network_and_no_foreign_code(repo: Registry) -> None:
    """A folder that wants its own code run is refused in one sentence."""
    folder = picked(repo.root)
    config = json.loads((folder / "config.json").read_text())
    config |= {
        "model_type": "novel",
        "auto_map": {"AutoModelForCausalLM": "evil.Model", "AutoConfig": "evil.Config"},
    }
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "evil.py").write_text("raise SystemExit('ran')\n")
    with pytest.raises(UsageError, match=r"^model\.model_name_or_path: "):
        run(repo, repo.root / "loop.yaml")

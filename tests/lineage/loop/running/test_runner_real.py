"""A `save_pretrained` folder and a text file run gated generations with no help."""

from __future__ import annotations

import json
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

import lineage
from lineage.errors import UsageError
from lineage.loop.running.journal import parts
from lineage.loop.running.runner import run

if TYPE_CHECKING:
    from pathlib import Path

    from lineage import Registry

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


def test_adapters_are_made_loaded_and_named(repo: Registry) -> None:
    """Two generations of LoRA: the adapter alone, from its parent, on its base."""
    picked(repo.root)
    lora = "peft: {r: 2, target_modules: [q_proj]}"
    text = LOOP.replace("theirs}", "theirs, " + lora + "}")
    (repo.root / "loop.yaml").write_text(text)
    result = run(repo, repo.root / "loop.yaml")
    zero, one, two = (parts(repo, made.id) for made in result.made)
    names = [file.path for file in repo.files(two.model)]
    assert "adapter_model.safetensors" in names
    assert "model.safetensors" not in names
    tuned = [repo.load(id_).ids("fine_tuned_from") for id_ in (one.model, two.model)]
    assert tuned == [(zero.model,), tuple(sorted((zero.model, one.model)))]
    assert result.made[2].metrics["perplexity"].value > 1
    source = json.loads(record_lines(repo, two.generated)[0])["generator"]
    payload = repo.load(one.model).payload
    assert payload is not None
    assert source == payload.root


def record_lines(repo: Registry, id_: str) -> list[str]:
    path = repo.payloads.path(next(iter(repo.files(id_))).md5)
    return path.read_text().splitlines()


def test_a_config_with_the_defaults_of_gpt2_will_do(
    repo: Registry, capfd: pytest.CaptureFixture[str]
) -> None:
    """Its end of text, 50256, is no token of a small vocabulary; nothing is said."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    folder = picked(repo.root)
    torch.manual_seed(0)
    config = GPT2Config(vocab_size=300, n_layer=1, n_head=2, n_embd=16, n_positions=32)
    GPT2LMHeadModel(config).save_pretrained(folder)
    more = LOOP.replace("max_steps: 4", "max_steps: 4, gradient_checkpointing: true")
    (repo.root / "loop.yaml").write_text(more)
    capfd.readouterr()
    result = run(repo, repo.root / "loop.yaml")
    assert capfd.readouterr() == ("", "")
    assert [made.generation for made in result.made] == [0, 1, 2]


def test_a_loop_goes_on_with_other_batches(repo: Registry, tmp_path: Path) -> None:
    """On a machine with less memory, with the ids that the larger batch would give."""
    picked(repo.root)
    wide = LOOP.replace("num_generations: 2", "num_generations: 0")
    narrow = LOOP.replace("num_generations: 2", "num_generations: 1")
    ids = []
    for text in (wide, narrow.replace("batch_size: 8", "batch_size: 3")):
        (repo.root / "loop.yaml").write_text(text)
        ids.append(run(repo, repo.root / "loop.yaml").head)
    (repo.root / "loop.yaml").write_text(narrow)
    with closing(lineage.init(tmp_path / "twin")) as twin:
        assert run(twin, repo.root / "loop.yaml").head == ids[-1]


def test_a_mistake_is_found_before_anything_is_committed(repo: Registry) -> None:
    """A model without some of its weights, and one whose files are links."""
    from safetensors.torch import load_file, save_file

    folder = picked(repo.root)
    before = len(list(repo.events()))
    weights = load_file(folder / "model.safetensors")
    weights.pop("model.norm.weight")
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(UsageError, match=r"no fitting model\.norm\.weight"):
        run(repo, repo.root / "loop.yaml")
    (folder / "model.safetensors").rename(repo.root / "blob")
    (folder / "model.safetensors").symlink_to(repo.root / "blob")
    with pytest.raises(UsageError, match="is a symbolic link"):
        run(repo, repo.root / "loop.yaml")
    assert len(list(repo.events())) == before


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
    sentence = r"^model\.model_name_or_path: .* runs none that comes with a model"
    with pytest.raises(UsageError, match=sentence):
        run(repo, repo.root / "loop.yaml")

"""What a loop would fail on later is found before its first commit."""

from __future__ import annotations

import json
from shutil import copytree
from typing import TYPE_CHECKING, Any

import pytest

from lineage.errors import UsageError
from lineage.loop.records.data import HumanRecords
from lineage.loop.steps.rehearsal import rehearse
from tests.lineage.loop.steps.conftest import HUMAN, SPEC, spec

if TYPE_CHECKING:
    from pathlib import Path


def refusal(folder: Path, scratch: Path, **sections: Any) -> str:
    """The sentence that a given model is refused with."""
    given = {"model_name_or_path": str(folder), "config": None, "tokenizer": None}
    with pytest.raises(UsageError) as caught:
        tried(folder, scratch, **{"model": given, **sections})
    assert "\n" not in str(caught.value)
    return str(caught.value)


def tried(
    folder: Path, scratch: Path, selector: Path | None = None, **sections: Any
) -> None:
    rows = [{"text": text} for text in HUMAN]
    human = HumanRecords(rows[3:], rows[:3], 0)
    rehearse(spec(folder, **sections), folder, human, scratch, selector)


def test_what_can_be_done_passes_in_silence(
    model: Path, blank: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A given model and a new one; nothing is printed, nothing is left."""
    noisy: dict[str, Any] = {"training": {"gradient_checkpointing": True}}
    tried(blank, tmp_path, **noisy)
    given = {"model_name_or_path": str(model), "config": None, "tokenizer": None}
    tried(model, tmp_path, model=given, **noisy)
    assert capfd.readouterr() == ("", "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("sections", "sentence"),
    [
        ({"dataset": {"block_size": 25}}, "the model sees 24 tokens"),
        (
            {"generation": {"generation_config": {"max_new_tokens": 24}}},
            "records of 25 tokens do not fit a model that sees 24",
        ),
        (
            {"generation": {"generation_config": {"bad_words_ids": 3}}},
            "generation.generation_config: ",
        ),
        ({"training": {"bf16": True, "fp16": True}}, "training: "),
        ({"training": {"accelerator_config": {"zz": 1}}}, "training: "),
        ({"training": {"optim": "adamw_bnb_8bit"}}, "training: "),
        ({"training": {"adam_beta1": 2.0}}, "training: Invalid beta parameter"),
    ],
)
def test_settings_are_tried(
    model: Path, tmp_path: Path, sections: dict[str, Any], sentence: str
) -> None:
    """What no table of values knows, transformers and torch say."""
    assert sentence in refusal(model, tmp_path, **sections)


def test_a_prompt_must_be_had(blank: Path, tmp_path: Path) -> None:
    """Records that are all shorter than a prompt are found before they are written."""
    short = HumanRecords([{"text": "ab"}], [{"text": "The fox sees the moon."}], 0)
    with pytest.raises(UsageError, match="no human record has"):
        rehearse(spec(blank, generation={"prompt_length": 3}), blank, short, tmp_path)


def test_a_model_must_not_see_what_it_predicts(model: Path, tmp_path: Path) -> None:
    """BERT loads as a language model, and looks at both sides."""
    from transformers import BertConfig, BertLMHeadModel

    folder = copytree(model, tmp_path / "bert")
    config = BertConfig(
        vocab_size=280,
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
    )
    BertLMHeadModel(config).save_pretrained(folder)
    said = refusal(folder, tmp_path)
    what = "this bert model sees what it should predict"
    assert said == f"model.model_name_or_path: {what}"


def test_weights_that_are_no_numbers_are_said(model: Path, tmp_path: Path) -> None:
    """Nothing that is made of NaN would be worth a commit."""
    from safetensors.torch import load_file, save_file

    folder = copytree(model, tmp_path / "nan")
    weights = load_file(folder / "model.safetensors")
    weights["transformer.ln_f.bias"][3] = float("nan")
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    assert "the model's weights give no numbers" in refusal(folder, tmp_path)


def test_the_text_s_tokens_must_have_embeddings(model: Path, tmp_path: Path) -> None:
    """A tokenizer that is larger than its model is fine until the text uses it."""
    from transformers import AutoModelForCausalLM

    folder = copytree(model, tmp_path / "small")
    small = AutoModelForCausalLM.from_pretrained(model)
    small.resize_token_embeddings(260)
    small.save_pretrained(folder)
    said = refusal(folder, tmp_path)
    assert said.startswith("model.model_name_or_path: the tokenizer has ids up to 2")
    assert said.endswith(", the model 260 embeddings")


def test_steps_of_one_s_own_are_not_tried(tmp_path: Path) -> None:
    """A folder that is no model of ours is for them to read."""
    (tmp_path / "follows.json").write_text(json.dumps({}))
    own = {name: f"mine:{name}" for name in ("generate", "train", "evaluate")}
    tried(tmp_path, tmp_path, steps=own)


def test_the_model_that_selects_is_tried(model: Path, tmp_path: Path) -> None:
    """A language model is no reward model; as a judge it is one."""
    own = {"train": "s:t", "evaluate": "s:e"}

    def section(role: str) -> dict[str, Any]:
        by = {"model_name_or_path": str(model), "role": role}
        return {"steps": own, "selection": {"by": by, "keep": "weighted"}}

    with pytest.raises(
        UsageError, match=r"selection\.by\.model_name_or_path: .* is no cl"
    ):
        tried(model, tmp_path, model, **section("reward"))
    tried(model, tmp_path, model, **section("judge"))


def test_prompts_must_leave_room_for_an_answer(model: Path, tmp_path: Path) -> None:
    """The longest of a template's is found before anything is written."""
    prompts = {"template": "The {animal}", "values": {"animal": ["fox", "owl " * 20]}}
    said = refusal(model, tmp_path, generation={"prompts": prompts})
    assert said.startswith("the prompt template-00001 is too long: records of 16 ")


def test_generation_0_s_own_training_is_tried(blank: Path, tmp_path: Path) -> None:
    """Settings of the first model alone are refused under their own name."""
    own = {"training": {"bf16": True, "fp16": True}}
    with pytest.raises(UsageError, match=r"^model\.training: "):
        tried(blank, tmp_path, model=SPEC["model"] | own)

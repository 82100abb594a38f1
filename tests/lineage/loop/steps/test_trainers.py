"""Adapters and losses: what is saved, what is lowered, what a kill changes."""

from __future__ import annotations

import json
import math
import sys
from shutil import copytree
from typing import TYPE_CHECKING, Any

import pytest

from lineage.errors import LineageError
from lineage.loop.quiet import quiet
from lineage.loop.records.shards import write_shards
from lineage.loop.steps.model import load_model
from lineage.loop.steps.rows import Encoder, end_of_text, weigh
from lineage.loop.steps.tokenizer import load_subwords
from lineage.loop.steps.train import train

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lineage.loop.steps.protocol import Job

    MakeJob = Callable[..., Job]

PEFT: dict[str, Any] = {"r": 2, "lora_alpha": 4, "target_modules": ["c_attn", "c_proj"]}
LORA: dict[str, Any] = {"model": {"init_from": "parent", "peft": PEFT}}
RANKED: dict[str, Any] = {"steps": {"mix": "ranks:mix"}}  # who made the records
DPO: dict[str, Any] = RANKED | {"trainer": {"type": "dpo", "beta": 0.5}}
REWARDS: dict[str, Any] = RANKED | {
    "trainer": {"type": "reward_weighted", "temperature": 0.5}
}


def files(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


@pytest.fixture(scope="session")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Preferences: the moon over bread."""
    folder = tmp_path_factory.mktemp("pairs")
    rows = [
        {
            "id": f"pair-{number}",
            "prompt": f"The {animal} sees the",
            "chosen": " moon.",
            "rejected": " bread",
            "text": f"The {animal} sees the moon.",
        }
        for number, animal in enumerate(("fox", "owl", "bee", "cat", "cow", "ant"))
    ]
    write_shards(folder, "pairs", rows, 20)
    return folder


@pytest.fixture(scope="session")
def rewarded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Records with rewards, and one without."""
    folder = tmp_path_factory.mktemp("rewarded")
    rows: list[dict[str, Any]] = [
        {"id": f"r-{number}", "text": f"The fox eats {what}.", "reward": reward}
        for number, (what, reward) in enumerate(
            [("bread", 0.0), ("the moon", 1.0), ("a bee", 0.25), ("bread", -2.0)]
        )
    ]
    write_shards(folder, "r", [*rows, {"id": "human", "text": "The cow sees."}], 20)
    return folder


@pytest.fixture
def sets(human: Path, pairs: Path, rewarded: Path) -> dict[str, Path]:
    """What each kind of training reads."""
    return {"lora": human, "dpo": pairs, "reward_weighted": rewarded}


def test_an_adapter_is_saved_alone_and_names_no_path(
    job: MakeJob, human: Path, model: Path
) -> None:
    """Adapter and tokenizer, without base, card or path, whatever hashes strings."""
    inputs = {"dataset": human, "base": model, "parent": model}
    first = job("train", inputs, place="a", sections=LORA)
    again = job("train", inputs, place="else/where", sections=LORA)
    train(first)
    train(again)
    found = files(first.output)
    assert list(found) == [
        "adapter_config.json",
        "adapter_model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    ]
    assert found == files(again.output)
    config = json.loads(found["adapter_config.json"])
    assert config["base_model_name_or_path"] is None
    assert config["target_modules"] == sorted(PEFT["target_modules"])
    assert str(first.output.parent) not in found["adapter_config.json"].decode()


def test_an_adapter_is_loaded_by_us_and_by_peft_alike(
    job: MakeJob, human: Path, model: Path
) -> None:
    """The same logits, other than the base's; without a base it is refused."""
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    task = job(
        "train", {"dataset": human, "base": model, "parent": model}, sections=LORA
    )
    train(task)
    ours = load_model(task.output, model).eval()
    with quiet():
        plain = AutoModelForCausalLM.from_pretrained(model)
        theirs = PeftModel.from_pretrained(plain, task.output).eval()
    ids = torch.tensor([[70, 71, 72, 73]])
    with torch.inference_mode():
        assert torch.allclose(ours(ids).logits, theirs(ids).logits, atol=1e-5)
        untouched = load_model(model).eval()(ids).logits
        assert not torch.allclose(ours(ids).logits, untouched, atol=1e-3)
    with pytest.raises(LineageError, match="an adapter, and its base is not at hand"):
        load_model(task.output)


@pytest.mark.parametrize("start", ["base", "parent"])
def test_the_next_adapter_goes_on_or_starts_anew(
    job: MakeJob, human: Path, model: Path, start: str
) -> None:
    """From the parent's adapter its weights are trained on, from base new ones."""
    from safetensors.torch import load_file

    begun = {"dataset": human, "base": model, "parent": model}
    parent = job("train", begun, place="parent", sections=LORA)
    train(parent)
    sections = {
        "model": LORA["model"] | {"init_from": start},
        "training": {"max_steps": 1, "learning_rate": 1e-9},
    }
    inputs = begun | {"parent": parent.output}
    child = job("train", inputs, place="child", sections=sections)
    train(child)
    weights = [
        load_file(task.output / "adapter_model.safetensors") for task in (parent, child)
    ]
    apart = max(float((weights[0][k] - weights[1][k]).abs().max()) for k in weights[0])
    assert (apart < 1e-6) == (start == "parent")


def test_dpo_starts_at_the_logarithm_of_two(
    job: MakeJob, pairs: Path, model: Path
) -> None:
    """A model that is its own reference has no margin: -log sigmoid(0)."""
    sections = DPO | {"training": {"max_steps": 1, "save_strategy": "no"}}
    inputs = {"dataset": pairs, "base": model, "parent": model}
    sections["model"] = {"init_from": "parent"}
    told = train(job("train", inputs, sections=sections))
    assert told.circumstances["loss"] == pytest.approx(math.log(2), rel=1e-6)


def test_dpo_lowers_the_loss_of_the_paper(
    job: MakeJob, human: Path, pairs: Path, model: Path
) -> None:
    """-log sigmoid(beta (log-ratio of chosen - of rejected)), computed by hand."""
    other = job("train", {"dataset": human, "base": model}, place="o", generation=0)
    train(other)
    sections: dict[str, Any] = DPO | {
        "model": {"init_from": "parent"},
        "training": {"max_steps": 1, "per_device_train_batch_size": 6},
    }
    inputs = {"dataset": pairs, "base": model, "parent": other.output}
    told = train(job("train", inputs, sections=sections)).circumstances["loss"]

    tokens = load_subwords(model)
    policy, reference = load_model(other.output).eval(), load_model(model).eval()
    losses = []
    for animal in ("fox", "owl", "bee", "cat", "cow", "ant"):
        margin = 0.0
        for sign, answer in ((1, " moon."), (-1, " bread")):
            asked, said = tokens.encode([f"The {animal} sees the", answer])
            ratio = log_probability(policy, asked, said)
            ratio -= log_probability(reference, asked, said)
            margin += sign * ratio
        losses.append(math.log1p(math.exp(-0.5 * margin)))
    assert told == pytest.approx(sum(losses) / 6, rel=1e-4)


def log_probability(model: Any, asked: list[int], said: list[int]) -> float:
    import torch

    ids = torch.tensor([[*asked, *said][:16]])
    with torch.inference_mode():
        each = model(ids).logits[0, :-1].log_softmax(-1)
    chosen = each.gather(1, ids[0, 1:, None])[len(asked) - 1 :]
    return float(chosen.sum())


def without_dropout(model: Path, folder: Path) -> Path:
    copytree(model, folder)
    config = json.loads((folder / "config.json").read_bytes())
    config |= dict.fromkeys(("attn_pdrop", "embd_pdrop", "resid_pdrop"), 0.0)
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def test_rewards_weigh_each_record(
    job: MakeJob, rewarded: Path, model: Path, tmp_path: Path
) -> None:
    """The loss of sft with each record's weight before its own, computed by hand."""
    model = without_dropout(model, tmp_path / "steady")
    training = {"max_steps": 1, "per_device_train_batch_size": 8}
    inputs = {"dataset": rewarded, "base": model, "parent": model}
    losses: list[float] = []
    for sections in ({}, REWARDS):
        more = {"model": {"init_from": "base"}, "training": training}
        task = job("train", inputs, place=f"{len(losses)}", sections=sections | more)
        losses.append(train(task).circumstances["loss"])

    odds = [math.exp(reward / 0.5) for reward in (0.0, 1.0, 0.25, -2.0)]
    weights = [4 * each / sum(odds) for each in odds] + [1.0]
    texts = [f"The fox eats {x}." for x in ("bread", "the moon", "a bee", "bread")]
    encoded = load_subwords(model).encode([*texts, "The cow sees."])
    steady = load_model(model).eval()
    each = [log_probability(steady, ids[:1], ids[1:]) for ids in encoded]
    weighed = sum(w * one for w, one in zip(weights, each, strict=True))
    assert losses[1] / losses[0] == pytest.approx(weighed / sum(each), rel=1e-5)


@pytest.mark.parametrize(
    "more", [{"gradient_accumulation_steps": 2}, {"label_smoothing_factor": 0.2}]
)
def test_equal_rewards_are_plain_training(
    job: MakeJob, human: Path, model: Path, more: dict[str, Any]
) -> None:
    """Without rewards the same loss as sft: two batches a step, smoothed labels."""
    training = {"max_steps": 2, **more}
    inputs = {"dataset": human, "base": model, "parent": model}
    losses: list[float] = []
    for sections in ({}, REWARDS):
        both = {"model": {"init_from": "base"}, "training": training}
        task = job("train", inputs, place=f"{len(losses)}", sections=sections | both)
        losses.append(train(task).circumstances["loss"])
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


@pytest.mark.parametrize("kind", ["lora", "dpo", "lora-dpo", "reward_weighted"])
def test_killed_training_goes_on_bit_for_bit(
    job: MakeJob, sets: dict[str, Path], model: Path, kind: str
) -> None:
    """Ended at step 10 of 12, each trainer comes to the same bytes and sums."""

    class Ended(Exception):
        pass

    def end(fraction: float) -> None:
        if fraction * 12 >= 10:
            raise Ended

    sections: dict[str, Any] = {"model": {"init_from": "base"}}
    if "lora" in kind:
        dropping = PEFT | {"lora_dropout": 0.1}
        sections["model"] = {"init_from": "parent", "peft": dropping}
    sections |= DPO if "dpo" in kind else REWARDS if "reward" in kind else {}
    dataset = sets[kind.removeprefix("lora-")]
    inputs = {"dataset": dataset, "base": model, "parent": model}
    whole = job("train", inputs, place="whole", sections=sections)
    told = train(whole).circumstances
    with pytest.raises(Ended):
        train(job("train", inputs, sections=sections, advance=end))
    task = job("train", inputs, sections=sections)
    assert (task.scratch / "checkpoint-8").is_dir()
    again = dict(train(task).circumstances)
    assert again.pop("tokens_kept") > 0
    assert again == told
    assert files(task.output) == files(whole.output)
    config = json.loads((model / "config.json").read_bytes())
    if "lora" not in kind:
        assert json.loads((task.output / "config.json").read_bytes()) == config


def test_dpo_refuses_what_is_no_preference(
    job: MakeJob, human: Path, model: Path
) -> None:
    """Human text cannot be preferred to anything; what to set is said."""
    inputs = {"dataset": human, "base": model, "parent": model}
    sections = DPO | {"model": {"init_from": "base"}}
    with pytest.raises(LineageError, match="30 of 30 training records are no pref"):
        train(job("train", inputs, sections=sections))


def test_only_completions_are_predicted(job: MakeJob, model: Path) -> None:
    """The tokens of a prompt have no label; a record that is all prompt trains not."""
    sections = {"trainer": {"completion_only": True}}
    spec = job("train", {}, sections=sections).spec
    records = [
        {"text": "The fox sees.", "prompt": "The"},
        {"text": "The fox"},
        {"text": "The fox", "prompt": "The fox"},
    ]
    rows = Encoder(model, spec).texts(records)
    tokens = load_subwords(model)
    [prompt] = tokens.encode(["The"])
    assert len(rows) == 2
    assert rows[0]["labels"][: len(prompt)] == [-100] * len(prompt)
    assert rows[0]["labels"][len(prompt) :] == rows[0]["input_ids"][len(prompt) :]
    assert rows[1]["labels"] == rows[1]["input_ids"]


@pytest.mark.parametrize(
    "prompts",
    [
        {"file": "asked.txt"},
        {"template": "The {animal}", "values": {"animal": ["fox"]}},
        {"self_instruct": {}},
    ],
)
def test_answers_to_whole_prompts_end(
    job: MakeJob, model: Path, prompts: dict[str, Any]
) -> None:
    """Wherever prompts are from, successors learn where answers end; not of text."""
    sections: dict[str, Any] = {"generation": {"prompts": prompts}}
    if "self_instruct" in prompts:
        columns = {"prompt_column": "p", "completion_column": "c"}
        sections["dataset"] = {"train_file": "human.jsonl", **columns}
    spec = job("train", {}, sections=sections).spec
    answer = {"text": "The fox sees.", "prompt": "The fox", "completion": " sees."}
    asked, human = Encoder(model, spec).texts([answer, {"text": "The fox sees."}])
    [end] = end_of_text(model)
    assert asked["labels"][-1] == end
    assert end not in human["labels"]
    plain = Encoder(model, job("train", {}, place="plain").spec)
    assert end not in plain.texts([answer])[0]["labels"]


def test_generation_0_is_trained_with_its_own_settings(
    job: MakeJob, human: Path, blank: Path
) -> None:
    """As many steps as model.training says, by sft where successors learn pairs."""
    sections = DPO | {"model": {"training": {"max_steps": 3}}}
    inputs = {"dataset": human, "base": blank}
    task = job("train", inputs, generation=0, sections=sections)
    assert train(task).circumstances["steps"] == 3


def test_weights_have_a_mean_of_one() -> None:
    """exp(reward / temperature), scaled; a large reward overflows nothing."""
    rows = [{"reward": r} for r in (1e6, 1e6, 0.0, None)]
    weigh(rows, 0.1)
    assert [row["weight"] for row in rows] == [1.5, 1.5, 0.0, 1.0]


@pytest.mark.parametrize("reward", [math.nan, "0.5", "much", [1], 10**400])
def test_weights_are_of_numbers(reward: object) -> None:
    """Nothing is weighed by digits that are text, nor by what is no number at all."""
    with pytest.raises(LineageError, match=r"a record's reward is .*no finite"):
        weigh([{"reward": 1.0}, {"reward": reward}], 1.0)


@pytest.mark.parametrize("package", ["peft", "trl"])
def test_a_missing_package_is_said(
    job: MakeJob,
    sets: dict[str, Path],
    model: Path,
    package: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One sentence and what to install, when peft or trl is not there."""
    sections = LORA if package == "peft" else DPO | {"model": {"init_from": "base"}}
    dataset = sets["lora" if package == "peft" else "dpo"]
    inputs = {"dataset": dataset, "base": model, "parent": model}
    task = job("train", inputs, sections=sections)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(LineageError, match=f"needs {package}") as failed:
        train(task)
    assert f"lineage-vcs[{package}]" in (failed.value.hint or "")


def test_bfloat16_is_trained_and_saved(job: MakeJob, human: Path, model: Path) -> None:
    """Weights are loaded, trained and saved in bfloat16, adapters beside them."""
    from safetensors.torch import load_file

    inputs = {"dataset": human, "base": model, "parent": model}
    sections: dict[str, Any] = {"model": {"init_from": "base", "dtype": "bfloat16"}}
    whole = job("train", inputs, place="whole", sections=sections)
    train(whole)
    saved = load_file(whole.output / "model.safetensors")
    assert {str(weight.dtype) for weight in saved.values()} == {"torch.bfloat16"}
    sections["model"] |= {"peft": PEFT, "device_map": "auto"}
    adapter = job("train", inputs, place="adapter", sections=sections)
    train(adapter)
    applied = load_model(adapter.output, model, "bfloat16", "auto")
    kinds = {str(w.dtype) for name, w in applied.named_parameters() if "lora" in name}
    assert kinds == {"torch.float32"}

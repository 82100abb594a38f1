"""Stock scripts of transformers and TRL with two added lines: real, tiny training."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lineage.errors import LineageError, NotFound, UsageError
from tests.lineage.integrations.conftest import WORDS

if TYPE_CHECKING:
    from collections.abc import Callable

    from lineage import Registry
    from lineage.store.objects import Event

ROOT = Path(__file__).parents[3]
TEXTS = [f"the {a} sees the {b}" for a in WORDS[2:6] for b in WORDS[9:11]] * 2
ARGS: dict[str, Any] = {
    "max_steps": 4,
    "per_device_train_batch_size": 4,
    "learning_rate": 0.01,
    "logging_steps": 1,
    "report_to": [],
    "disable_tqdm": True,
    "seed": 5,
    "save_strategy": "no",
    "use_cpu": True,
}


def tokenized(base: Path) -> Any:
    from datasets import Dataset
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(base)
    rows = [tokenizer(text)["input_ids"] for text in TEXTS]
    return Dataset.from_dict({"input_ids": rows, "labels": rows})


def train(base: Path, callbacks: list[Any], model: Any = None, **more: Any) -> Any:
    """A stock script: load, train; gives what `train` gives."""
    from transformers import (
        AutoModelForCausalLM,
        AutoTokenizer,
        Trainer,
        TrainingArguments,
    )

    resume = more.pop("resume", None)
    trainer = Trainer(
        model=model or AutoModelForCausalLM.from_pretrained(base),
        args=TrainingArguments("out", **{**ARGS, **more}),
        train_dataset=tokenized(base),
        processing_class=AutoTokenizer.from_pretrained(base),
        callbacks=callbacks,
    )
    return trainer.train(resume_from_checkpoint=resume)


def callback(**given: Any) -> Any:
    from lineage.integrations.transformers import LineageCallback

    return LineageCallback(".", **{"name": "tutor", **given})


def events(repo: Registry, type_: str) -> list[Event]:
    return [event for _, event in repo.events() if event.type == type_][::-1]


def edges(repo: Registry, id_: str) -> set[tuple[str, str, str]]:
    return {(e.role, e.id, e.evidence) for e in repo.load(id_).edges}


def test_a_stock_trainer_is_recorded_and_not_changed(
    repo: Registry, base: Path, sound: Callable[..., None]
) -> None:
    """Data, base, arguments, loss and model; the training is bit for bit as before."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    plain = train(base, [])
    seen = train(base, [callback()])
    assert seen.metrics["train_loss"] == plain.metrics["train_loss"]
    made = repo.resolve("model/tutor")
    commit = repo.load(made)
    data, start = repo.resolve("dataset/tutor-train"), repo.resolve("model/seed-model")
    assert edges(repo, made) == {
        ("trained_on", data, "observed"),
        ("fine_tuned_from", start, "observed"),
    }
    assert commit.metrics["train_loss"].value == plain.metrics["train_loss"]
    assert commit.metrics["train_loss"].direction == "lower"
    assert commit.params == {
        "gradient_accumulation_steps": 1,
        "learning_rate": 0.01,
        "lr_scheduler_type": "linear",
        "max_steps": 4,
        "num_train_epochs": 3.0,
        "optim": commit.params["optim"],
        "per_device_train_batch_size": 4,
        "seed": 5,
        "use_cpu": True,
        "warmup_steps": 0,
        "weight_decay": 0.0,
    }
    repo.get(made, "got")
    AutoTokenizer.from_pretrained("got")
    assert AutoModelForCausalLM.from_pretrained("got").config.vocab_size
    assert str(base) not in "".join(
        path.read_text() for path in (repo.root / "got").glob("*.json")
    )
    repo.get(data, "records")
    rows = (repo.root / "records").read_text().splitlines()
    assert [json.loads(row)["input_ids"] for row in rows] == tokenized(base)[
        "input_ids"
    ]
    [run] = events(repo, "run")
    assert run.data["arguments"] == "transformers.TrainingArguments"
    assert len(run.data["log_history"]) == 5
    assert run.data["train_dataset"]["rows"] == len(TEXTS)
    train(base, [callback()])
    assert repo.resolve("model/tutor") == made
    sound(repo)


def test_data_that_are_named_are_edges(
    repo: Registry, base: Path, tmp_path: Path
) -> None:
    """A revision is declared, a path hashed; what is neither is refused at once."""
    (tmp_path / "seed.txt").write_text("\n".join(TEXTS))
    (tmp_path / "more.txt").write_text("more")
    seed = repo.commit("dataset", "seed", tmp_path / "seed.txt").id
    train(base, [callback(dataset=["dataset/seed", tmp_path / "more.txt"])])
    more = repo.resolve("dataset/more")
    assert {
        ("trained_on", seed, "declared"),
        ("trained_on", more, "observed"),
    } < edges(repo, repo.resolve("model/tutor"))
    with pytest.raises(NotFound, match="nowhere"):
        callback(dataset="dataset/nowhere")


def test_a_model_of_a_config_alone_is_tuned_from_nothing(
    repo: Registry, base: Path
) -> None:
    """The config names a folder, the weights are not its: no false edge."""
    from transformers import AutoConfig, AutoModelForCausalLM

    model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(base))
    train(base, [callback()], model=model)
    assert repo.load(repo.resolve("model/tutor")).ids("fine_tuned_from") == ()
    [run] = events(repo, "run")
    assert run.data["base"] == "the weights are not those of seed-model"


def test_an_adapter_is_tuned_from_the_model_below_it(
    repo: Registry, base: Path
) -> None:
    """LoRA: the base's weights are compared, and no path of this machine is kept."""
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(base)
    lora = LoraConfig(r=2, target_modules=["q_proj"])
    train(base, [callback()], model=get_peft_model(model, lora))
    made, start = repo.resolve("model/tutor"), repo.resolve("model/seed-model")
    assert ("fine_tuned_from", start, "observed") in edges(repo, made)
    repo.get(made, "got")
    config = json.loads((repo.root / "got" / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "seed-model"
    assert not (repo.root / "got" / "README.md").exists()


def test_resumed_training_says_so(repo: Registry, base: Path) -> None:
    """From a checkpoint: the step it went on from, and the base as its config says."""
    saving = {"save_strategy": "steps", "save_steps": 2}
    train(base, [callback(checkpoints=True)], max_steps=2, **saving)
    kept = repo.load(repo.resolve("model/tutor@checkpoints"))
    assert kept.params["step"] == 2
    train(base, [callback()], resume="out/checkpoint-2", **saving)
    assert events(repo, "run")[-1].data["resumed_from_step"] == 2
    start = repo.resolve("model/seed-model")
    made = edges(repo, repo.resolve("model/tutor"))
    assert ("fine_tuned_from", start, "declared") in made


def test_other_processes_record_nothing(repo: Registry, base: Path) -> None:
    """Only the first of the world speaks."""
    from transformers import TrainerControl, TrainerState, TrainingArguments

    state = TrainerState(is_world_process_zero=False)
    args, control = TrainingArguments("out", **ARGS), TrainerControl()
    silent = callback()
    silent.on_train_begin(args, state, control, model=object())
    silent.on_train_end(args, state, control, model=object())
    assert [event.type for _, event in repo.events()] == ["init"]
    with pytest.raises(UsageError, match="saves whole models"):
        silent.on_train_begin(args, TrainerState(), control, model=object())
    del base


def test_a_model_that_cannot_be_recorded_is_no_lost_training(
    repo: Registry, base: Path, tmp_path: Path
) -> None:
    """What the trainer made is still there: a warning, and an event that says why."""
    from transformers import TrainerCallback

    data = tmp_path / "data.txt"
    data.write_text("before")

    class Meddler(TrainerCallback):
        def on_step_end(self, *_: Any, **__: Any) -> None:
            data.write_text("after")

    with pytest.warns(UserWarning, match="did not record the model: the input"):
        done = train(base, [callback(dataset=data), Meddler()])
    assert done.global_step == 4
    [event] = events(repo, "failed run")
    assert "changed during the run" in event.message
    assert "model/tutor" not in repo.branches()


def test_sft_and_dpo_trainers_are_recorded(repo: Registry, base: Path) -> None:
    """TRL's trainers with two added lines, the second from what the first made."""
    from datasets import Dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import (  # type: ignore[attr-defined]
        DPOConfig,
        DPOTrainer,
        SFTConfig,
        SFTTrainer,
    )

    tokenizer = AutoTokenizer.from_pretrained(base)
    SFTTrainer(
        model=AutoModelForCausalLM.from_pretrained(base),
        args=SFTConfig("out", max_length=16, bf16=False, **ARGS),
        train_dataset=Dataset.from_dict({"text": TEXTS}),
        processing_class=tokenizer,
        callbacks=[callback(name="sft")],
    ).train()
    first = repo.resolve("model/sft")
    start = repo.resolve("model/seed-model")
    assert ("fine_tuned_from", start, "observed") in edges(repo, first)
    assert repo.load(first).params["max_length"] == 16
    folder = repo.get(first, "sft")
    pairs = [
        {"prompt": "the fox", "chosen": f" sees the {w}", "rejected": " is sad"}
        for w in WORDS[9:11] * 4
    ]
    DPOTrainer(
        model=AutoModelForCausalLM.from_pretrained(folder),
        args=DPOConfig("out", bf16=False, **ARGS),
        train_dataset=Dataset.from_list(pairs),
        processing_class=tokenizer,
        callbacks=[callback(name="dpo")],
    ).train()
    second = repo.resolve("model/dpo")
    assert ("fine_tuned_from", first, "observed") in edges(repo, second)
    assert repo.load(second).params["beta"] == 0.1
    assert events(repo, "run")[-1].data["arguments"] == "trl.DPOConfig"


KILLED = """
import sys
sys.path.insert(0, {here!r})
from pathlib import Path
from tests.lineage.integrations.test_transformers import callback, train
from transformers import TrainerCallback

class End(TrainerCallback):
    def on_step_end(self, args, state, control, **_):
        raise RuntimeError('CUDA error')

train(Path({base!r}), [callback(), End()])
"""


def test_training_that_breaks_off_leaves_no_model(
    repo: Registry, base: Path, sound: Callable[..., None]
) -> None:
    """Failed in the middle: no commit of a model, and an event that says why."""
    here = os.fspath(ROOT)
    script = textwrap.dedent(KILLED).format(here=here, base=str(base))
    (repo.root / "train.py").write_text(script)
    command = [sys.executable, "train.py"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    [event] = events(repo, "failed run")
    assert event.message == "train tutor: RuntimeError: CUDA error", done.stderr
    assert "model/tutor" not in repo.branches()
    sound(repo)


def test_errors_are_sentences(repo: Registry, children: Callable[[], set[str]]) -> None:
    """A callback that cannot work says so where it is made, and leaves no process."""
    repo.close()
    before = children()
    with pytest.raises(LineageError):
        callback(base="model/none")
    assert children() == before

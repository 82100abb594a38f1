"""Training saves a model folder, the same for the same job, whatever interrupted it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from lineage.errors import LineageError, UsageError
from lineage.loop.steps.train import last_whole_checkpoint, train

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lineage.loop.steps.protocol import Job

    MakeJob = Callable[..., Job]


def files(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def test_a_model_folder_is_what_save_pretrained_writes(
    model: Path, blank: Path
) -> None:
    """Weights as safetensors, config, tokenizer; nothing of the training."""
    found = files(model)
    assert list(found) == [
        "config.json",
        "generation_config.json",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
    ]
    for name in ("tokenizer.json", "tokenizer_config.json"):
        assert found[name] == (blank / name).read_bytes()
    config = json.loads(found["config.json"])
    assert config["use_cache"] is True
    assert "_name_or_path" not in config


def test_no_path_or_moment_gets_into_a_model(
    job: MakeJob, human: Path, blank: Path, model: Path
) -> None:
    """Trained in another folder at another time, it has the same bytes."""
    inputs = {"dataset": human, "base": blank}
    task = job("train", inputs, place="else/where", generation=0)
    train(task)
    assert files(task.output) == files(model)


@pytest.mark.parametrize("start", ["scratch", "base", "parent"])
def test_where_a_successor_starts(
    job: MakeJob, human: Path, model: Path, start: str
) -> None:
    """From new weights, generation 0's or the parent's; the tokenizer stays."""
    inputs = {"dataset": human, "base": model, "parent": model}
    sections = {
        "model": {"init_from": start},
        "training": {"max_steps": 1, "learning_rate": 1e-9},
    }
    task = job("train", inputs, sections=sections)
    told = train(task)
    assert files(task.output)["tokenizer.json"] == files(model)["tokenizer.json"]
    close = told.circumstances["loss"] < 5
    assert close == (start != "scratch")
    assert told.circumstances["steps"] == 1
    assert told.circumstances["flops"] > 0


def test_training_goes_on_from_the_last_whole_checkpoint(
    job: MakeJob, human: Path, blank: Path, model: Path
) -> None:
    """Ended at step 10, with a checkpoint torn at its end: the same bytes."""

    class Ended(Exception):
        pass

    def end(fraction: float) -> None:
        if fraction * 12 >= 10:
            raise Ended

    inputs = {"dataset": human, "base": blank}
    whole = train(job("train", inputs, place="whole", generation=0)).circumstances
    with pytest.raises(Ended):
        train(job("train", inputs, generation=0, advance=end))
    fractions: list[float] = []
    task = job("train", inputs, generation=0, advance=fractions.append)
    (task.scratch / "checkpoint-8" / "trainer_state.json").write_text('{"glob')
    told = dict(train(task).circumstances)
    assert fractions[0] == 5 / 12
    assert 0 < told.pop("tokens_kept") < told["tokens"]
    assert told == whole
    assert files(task.output) == files(model)


def test_broken_checkpoints_are_removed(tmp_path: Path) -> None:
    """The newest whole one counts by number; torn and strange ones go."""
    for name, state in {
        "checkpoint-9": "{}",
        "checkpoint-10": "{}",
        "checkpoint-11": "{",
        "checkpoint-12": None,
        "checkpoint-x": "{}",
    }.items():
        (tmp_path / name).mkdir()
        if state is not None:
            (tmp_path / name / "trainer_state.json").write_text(state)
    assert last_whole_checkpoint(tmp_path) == str(tmp_path / "checkpoint-10")
    left = sorted(path.name for path in tmp_path.iterdir())
    assert left == ["checkpoint-10", "checkpoint-9"]


def test_training_that_diverges_is_said(job: MakeJob, human: Path, blank: Path) -> None:
    """A loss that is no number ends the step."""
    inputs = {"dataset": human, "base": blank}
    sections = {"training": {"learning_rate": 1e30, "max_grad_norm": 0.0}}
    with pytest.raises(LineageError, match="training diverged"):
        train(job("train", inputs, generation=0, sections=sections))


def test_training_without_a_step_is_said(
    job: MakeJob, human: Path, blank: Path
) -> None:
    """A model that has learnt nothing is no successor."""
    inputs = {"dataset": human, "base": blank}
    large = {"per_device_train_batch_size": 64, "dataloader_drop_last": True}
    sections = {"training": large}
    with pytest.raises(LineageError, match="training took no step"):
        train(job("train", inputs, generation=0, sections=sections))


def test_arguments_that_exclude_each_other_are_said(
    job: MakeJob, human: Path, blank: Path
) -> None:
    """What only transformers can refuse is one sentence about `training`."""
    inputs = {"dataset": human, "base": blank}
    sections = {"training": {"bf16": True, "fp16": True}}
    with pytest.raises(UsageError, match=r"training: .*(fp16|bf16)"):
        train(job("train", inputs, generation=0, sections=sections))


def test_training_says_nothing(
    job: MakeJob, human: Path, blank: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """No bar, no log, no notice: the loop shows its own progress."""
    train(job("train", {"dataset": human, "base": blank}, generation=0))
    assert capfd.readouterr() == ("", "")

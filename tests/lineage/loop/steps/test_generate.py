"""A model writes shards of records that say where they come from."""

from __future__ import annotations

import json
from shutil import copytree
from typing import TYPE_CHECKING, Any

import pytest

from lineage.errors import LineageError, UsageError
from lineage.loop.records.shards import read_records, write_shards
from lineage.loop.steps.generate import generate

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lineage.loop.steps.protocol import Job

    MakeJob = Callable[..., Job]


def written(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in sorted(folder.iterdir())}


def test_records_say_where_they_come_from(
    job: MakeJob, model: Path, human: Path
) -> None:
    """Model, prompt, the human record it is from, seed, shard and place."""
    task = job("generate", {"model": model, "human": human})
    told = generate(task).circumstances
    names = [f"g001-0000{n}.jsonl" for n in range(4)]
    assert list(written(task.output)) == names
    rows = [list(read_records(task.output / name)) for name in names]
    assert [len(shard) for shard in rows] == [8, 8, 8, 6]
    assert told["records"] == 30
    assert told["tokens"] > 30
    third = rows[1][2]
    assert third["id"] == "g001-00001-00002"
    assert third["generator"] == "root of model"
    assert third["shard"] == 1
    assert third["text"].startswith(third["prompt"])
    originals = {r["id"]: r["text"] for f in human.iterdir() for r in read_records(f)}
    for record in (record for shard in rows for record in shard):
        assert originals[record["prompt_source"]].startswith(record["prompt"])
    assert len({record["seed"] for shard in rows for record in shard}) == 30


@pytest.mark.parametrize("size", [1, 7, 64])
def test_the_batch_size_changes_no_byte(
    job: MakeJob, model: Path, human: Path, size: int
) -> None:
    """It is a matter of memory and time, and of nothing else."""
    inputs = {"model": model, "human": human}
    usual = job("generate", inputs, place="usual")
    other = job(
        "generate", inputs, place="other", sections={"generation": {"batch_size": size}}
    )
    generate(usual)
    generate(other)
    assert written(usual.output) == written(other.output)


def test_the_shard_size_changes_no_text(job: MakeJob, model: Path, human: Path) -> None:
    """Shards are how records are kept, not how they are drawn."""
    texts = []
    for size in (8, 30):
        sections = {"generation": {"shard_size": size}}
        inputs = {"model": model, "human": human}
        task = job("generate", inputs, place=str(size), sections=sections)
        generate(task)
        shards = sorted(task.output.iterdir())
        texts.append([r["text"] for shard in shards for r in read_records(shard)])
    assert texts[0] == texts[1]


def test_another_seed_writes_other_text(job: MakeJob, model: Path, human: Path) -> None:
    """Two tries at a generation differ."""
    inputs = {"model": model, "human": human}
    one, two = (job("generate", inputs, place=str(n), seed=n) for n in (1, 2))
    generate(one)
    generate(two)
    assert written(one.output) != written(two.output)


def test_finished_shards_are_not_written_again(
    job: MakeJob, model: Path, human: Path
) -> None:
    """A run that ended in the third shard goes on there."""

    class Ended(Exception):
        pass

    def end(fraction: float) -> None:
        if fraction > 0.6:
            raise Ended

    inputs = {"model": model, "human": human}
    whole = job("generate", inputs, place="whole")
    all_of_it = generate(whole).circumstances
    with pytest.raises(Ended):
        generate(job("generate", inputs, advance=end))
    again = job("generate", inputs)
    for file in again.output.iterdir():
        file.unlink()
    rest = generate(again).circumstances
    assert written(again.output) == written(whole.output)
    assert rest["tokens"] == all_of_it["tokens"] > rest["tokens_kept"] > 0
    assert "tokens_kept" not in all_of_it


def test_loop_yaml_alone_says_how_to_sample(
    job: MakeJob, model: Path, human: Path, tmp_path: Path
) -> None:
    """A generation_config.json beside the weights changes no record."""
    theirs = copytree(model, tmp_path / "theirs")
    (theirs / "generation_config.json").write_text(
        json.dumps(
            {
                "temperature": 0.1,
                "do_sample": False,
                "top_p": 0.1,
                "num_beams": 4,
                "num_return_sequences": 2,
                "no_repeat_ngram_size": 1,
                "min_length": 20,
                "stop_strings": ["e"],
                "repetition_penalty": 9.0,
                "cache_implementation": "static",
                "eos_token_id": [50256, 0],
            }
        )
    )
    tasks = [
        job("generate", {"model": folder, "human": human}, place=folder.name)
        for folder in (model, theirs)
    ]
    for task in tasks:
        generate(task)
    assert written(tasks[0].output) == written(tasks[1].output)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"max_new_tokens": 99}, "records of 100 tokens do not fit a model"),
        ({"max_length": 1}, "records of 1 tokens have no room"),
        ({"eos_token_id": 999}, "eos_token_id: 999 is no token"),
        ({"eos_token_id": "x"}, "eos_token_id: x is no token"),
    ],
)
def test_what_cannot_be_written_is_said(
    job: MakeJob, model: Path, human: Path, fields: dict[str, Any], sentence: str
) -> None:
    """A setting that does not fit the model or the data is one sentence."""
    sections = {"generation": {"generation_config": fields}}
    task = job("generate", {"model": model, "human": human}, sections=sections)
    with pytest.raises(UsageError, match=sentence):
        generate(task)


def test_prompts_longer_than_the_records_are_said(
    job: MakeJob, model: Path, tmp_path: Path
) -> None:
    """A human record is needed that has so many tokens."""
    write_shards(tmp_path / "short", "h", [{"text": "x"}], 3)
    task = job(
        "generate",
        {"model": model, "human": tmp_path / "short"},
        sections={"generation": {"prompt_length": 2}},
    )
    with pytest.raises(UsageError, match="no human record has"):
        generate(task)


def test_a_folder_without_a_model_is_named(job: MakeJob, human: Path) -> None:
    """What is no model is said without a traceback of somebody else's."""
    with pytest.raises(LineageError, match="the model human0 has no tokenizer"):
        generate(job("generate", {"model": human, "human": human}))

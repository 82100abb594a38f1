"""What gates keep, and what is mixed, are the records of the sources, byte for byte."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lineage.errors import LineageError
from lineage.loop.records.shards import read_records, write_shards
from lineage.loop.steps.check import check
from lineage.loop.steps.mix import mix, source_name

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lineage.loop.steps.protocol import Job

    MakeJob = Callable[..., Job]

NO_OWLS = 'def check_record(record):\n    return "owl" not in record["text"]\n'


def dataset(folder: Path, stem: str, words: list[str]) -> Path:
    """Shards of two records each."""
    texts = [f"{word} {n}" for n, word in enumerate(words)]
    rows = [{"id": f"{stem}-{n}", "text": text} for n, text in enumerate(texts)]
    write_shards(folder / stem, stem, rows, 2)
    return folder / stem


def files(folder: Path) -> dict[str, bytes]:
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def checked(job: MakeJob, tmp_path: Path, words: list[str], **more: Any) -> Job:
    (tmp_path / "job").mkdir()
    (tmp_path / "job" / "checks.py").write_text(NO_OWLS)
    inputs = {
        "generated": dataset(tmp_path, "g001", words),
        "human": dataset(tmp_path, "human", ["fox", "owl", "bee"]),
        "base": tmp_path,
    }
    gates = [{"type": "check_record", "min_pass_rate": 0.2}]
    return job("check", inputs | more, sections={"gates": gates})


def test_a_shard_that_loses_nothing_is_the_same_file(
    job: MakeJob, tmp_path: Path
) -> None:
    """Others keep their lines as they were; one that loses all is left out."""
    task = checked(job, tmp_path, ["fox", "bee", "owl", "fox", "owl", "owl"])
    result = check(task)
    before, after = files(tmp_path / "g001"), files(task.output)
    assert list(after) == ["g001-00000.jsonl", "g001-00001.jsonl"]
    assert after["g001-00000.jsonl"] == before["g001-00000.jsonl"]
    lines = before["g001-00001.jsonl"].splitlines(keepends=True)
    assert after["g001-00001.jsonl"] == lines[1]
    assert result.metrics["rejected"].value == 3
    assert result.metrics["kept"].value == 3
    assert result.metrics["tail_coverage"].n == 6
    (gate,) = result.gates
    assert (gate["verdict"], gate["value"], gate["rejected"]) == ("pass", 0.5, 3)


def test_nothing_kept_is_counted(job: MakeJob, tmp_path: Path) -> None:
    """No file, no measures of what is not there, but counts and the verdict."""
    task = checked(job, tmp_path, ["owl", "owl"])
    result = check(task)
    assert files(task.output) == {}
    assert result.metrics["kept"].value == 0
    assert result.gates[0]["verdict"] == "fail"


def mixed(job: MakeJob, tmp_path: Path, **mixing: Any) -> tuple[Job, Any]:
    inputs = {
        "human": dataset(tmp_path, "human", ["fox", "owl", "bee"]),
        source_name(1): dataset(tmp_path, "g001", ["a", "b", "c", "d"]),
        source_name(2): dataset(tmp_path, "g002", ["e", "f"]),
        "base": tmp_path,
    }
    task = job("mix", inputs, generation=2, sections={"mixing": mixing})
    return task, mix(task)


def test_accumulating_takes_every_shard_as_it_is(job: MakeJob, tmp_path: Path) -> None:
    """The sub-folder says the source; bytes and counts are exact."""
    task, result = mixed(job, tmp_path, strategy="accumulate")
    expected: dict[str, bytes] = {}
    for name in ("g001", "g002", "human"):
        shards = files(tmp_path / name).items()
        expected |= {f"{name}/{shard}": data for shard, data in shards}
    assert files(task.output) == expected
    assert result.shares["human"] == {"records": [3, 9], "tokens": [6, 18]}
    assert result.shares["g001"]["records"] == [4, 9]


def test_replacing_takes_the_newest_only(job: MakeJob, tmp_path: Path) -> None:
    """Nothing of the human data or of older generations."""
    task, result = mixed(job, tmp_path, strategy="replace")
    assert list(files(task.output)) == ["g002/g002-00000.jsonl"]
    assert result.shares == {"g002": {"records": [2, 2], "tokens": [4, 4]}}


def test_a_human_fraction_is_kept(job: MakeJob, tmp_path: Path) -> None:
    """As many human records as make the fraction, and the newest."""
    task, result = mixed(job, tmp_path, strategy="mix", human_fraction=0.5)
    assert result.shares["human"]["records"] == [2, 4]
    rows = [r for path in task.output.rglob("*.jsonl") for r in read_records(path)]
    assert sum(record["id"].startswith("human") for record in rows) == 2


def test_tokens_are_those_that_train(job: MakeJob, tmp_path: Path) -> None:
    """A block of a longer record, none of one without a token to predict."""
    texts = ["a", "a b c", "a b c d e f g h"]
    write_shards(tmp_path / "new", "g001", [{"text": text} for text in texts], 2)
    inputs = {
        "human": dataset(tmp_path, "human", ["fox", "owl"]),
        source_name(1): tmp_path / "new",
        "base": tmp_path,
    }
    task = job("mix", inputs, sections={"dataset": {"block_size": 5}})
    assert mix(task).shares == {
        "human": {"records": [2, 5], "tokens": [4, 12]},
        "g001": {"records": [3, 5], "tokens": [8, 12]},
    }


def test_an_empty_source_leaves_nothing_to_train_on(
    job: MakeJob, tmp_path: Path
) -> None:
    """Replacing by nothing is said."""
    (tmp_path / "none").mkdir()
    inputs = {
        "human": dataset(tmp_path, "human", ["fox"]),
        source_name(1): tmp_path / "none",
        "base": tmp_path,
    }
    task = job("mix", inputs, sections={"mixing": {"strategy": "replace"}})
    with pytest.raises(LineageError, match="has nothing to train on"):
        mix(task)

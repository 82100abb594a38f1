"""A step's key changes with what its result depends on, and with nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lineage.loop.running.keys import step_key
from lineage.loop.steps import JUDGE, STEPS, BuiltIn, find_steps

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lineage.loop.spec import LoopSpec
    from lineage.registry import Registry


def step(*reads: str) -> BuiltIn:
    return BuiltIn(lambda _: None, {"sha256": "a"}, reads)  # type: ignore[arg-type, return-value]


@pytest.fixture
def key(repo: Registry, tmp_path: Path) -> Callable[..., str]:
    """The key of a step that reads one dataset, with some of it replaced."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "a.jsonl").write_text('{"text": "fox"}\n')
    data = repo.commit("dataset", "data", folder).id

    def key(
        reads: tuple[str, ...] = ("training", "dataset.block_size"), **more: Any
    ) -> str:
        given: dict[str, Any] = {
            "name": "train",
            "config": {
                "training": {"max_steps": 3},
                "dataset": {"block_size": 8},
                "gates": [],
            },
            "generation": 1,
            "seed": 5,
            "inputs": {"dataset": data},
            "folders": {},
            "facts": {},
        }
        return step_key(repo, step(*reads), **(given | more))

    return key


@pytest.mark.parametrize(
    "change",
    [
        {"name": "mix"},
        {"generation": 2},
        {"seed": 6},
        {"inputs": {}},
        {"facts": {"a": 1}},
        {"config": {"training": {"max_steps": 4}, "dataset": {"block_size": 8}}},
        {"config": {"training": {"max_steps": 3}, "dataset": {"block_size": 9}}},
    ],
)
def test_what_a_step_reads_is_in_its_key(
    key: Callable[..., str], change: dict[str, Any]
) -> None:
    """Another input, seed, generation or section is another step."""
    assert key(**change) != key()


def test_what_it_does_not_read_is_not(key: Callable[..., str]) -> None:
    """Gates and the rest of a section leave the training that it was."""
    config = {
        "training": {"max_steps": 3},
        "dataset": {"block_size": 8, "by": "Ada"},
        "gates": ["diversity"],
    }
    assert key(config=config) == key()


def test_an_input_counts_by_its_files(
    repo: Registry, tmp_path: Path, key: Callable[..., str]
) -> None:
    """A commit of another name with the same files is the same, a renamed file not."""
    same, renamed = tmp_path / "same", tmp_path / "renamed"
    for folder, name in (same, "a.jsonl"), (renamed, "b.jsonl"):
        folder.mkdir()
        (folder / name).write_text('{"text": "fox"}\n')
    other = repo.commit("dataset", "other", same, params={"more": 1}).id
    moved = repo.commit("dataset", "data", renamed).id
    assert key(inputs={"dataset": other}) == key()
    assert key(inputs={"dataset": moved}) != key()


def test_a_folder_counts_by_its_files(tmp_path: Path, key: Callable[..., str]) -> None:
    """What a step reads beside its inputs is in the key by content."""
    folder = tmp_path / "blank"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    before = key(folders={"base": folder})
    assert before == key(folders={"base": folder})
    (folder / "config.json").write_text("{} ")
    assert key(folders={"base": folder}) != before


def test_every_section_that_a_built_in_step_names_exists(
    parse: Callable[..., LoopSpec],
) -> None:
    """A misspelt READS would fail in the middle of a run."""
    spec = parse()
    config = spec.resolved()
    for name, found in find_steps(spec, 0).items():
        assert name in (*STEPS, JUDGE)
        for path in found.reads or ():
            value: Any = config
            for part in path.split("."):
                value = value[part]

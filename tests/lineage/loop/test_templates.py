"""Each template of `loop init` is a loop that runs to its end as it stands."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from lineage.errors import LineageError, UsageError
from lineage.loop.running.runner import run
from lineage.loop.scaffold import scaffold
from lineage.loop.spec import load
from lineage.loop.templates import TEMPLATES, files, read

if TYPE_CHECKING:
    from pathlib import Path

    from lineage.registry import Registry

# What makes a run short: sizes, and a check that a hardly trained model passes.
HALF = """\
def check_record(record):
    return sum(map(ord, record["text"])) % 2 == 0
"""
SMALLER = {
    "verified": {
        "num_generations": "1",
        "num_samples": "40",
        "max_steps": "10",
        "min_pass_rate": "0.1",
        "n_embd": "16",
    },
    "dpo": {
        "num_generations": "1",
        "num_samples": "40",
        "max_steps": "5",
        "n_embd": "16",
    },
    "classifier": {"num_generations": "1"},
}


def smaller(text: str, name: str) -> str:
    """A template's loop.yaml with other numbers."""
    for key, value in SMALLER[name].items():
        text, count = re.subn(rf"\b{key}: [\d.]+", f"{key}: {value}", text)
        assert count, key
    return text + "\nevaluation: {max_samples: 50, sample_size: 500}\n"


@pytest.mark.parametrize("name", SMALLER)
def test_a_template_runs_to_its_end(repo: Registry, name: str) -> None:
    """Data are made, and every generation that loop.yaml asks for."""
    made = scaffold(repo.root, name)
    assert {path.name for path in made.files} == set(files(name))
    path = repo.root / "loop.yaml"
    path.write_text(smaller(path.read_text(), name))
    if (repo.root / "checks.py").exists():
        (repo.root / "checks.py").write_text(HALF)
    if (repo.root / "sums.jsonl").exists():
        sums = (repo.root / "sums.jsonl").read_text().splitlines(keepends=True)
        (repo.root / "sums.jsonl").write_text("".join(sums[::20]))
    done = run(repo, path)
    assert [each.generation for each in done.made] == [0, 1]
    if name == "dpo":
        models = map(repo.load, repo.load(done.head).ids("includes"))
        [model] = [commit for commit in models if commit.kind == "model"]
        assert model.ids("rewarded_by") == model.ids("fine_tuned_from")


def test_every_template_has_a_spec_and_a_line(tmp_path: Path) -> None:
    """All that need no text of the user's load; each is one line in the help."""
    for name, what in TEMPLATES.items():
        assert "\n" not in what
        folder = tmp_path / name
        if name == "text":
            continue
        folder.mkdir()
        for file in files(name):
            (folder / file).write_text(read(f"{name}/{file}"))
        assert load(folder / "loop.yaml").name == name


def test_options_of_text_are_refused_elsewhere(tmp_path: Path) -> None:
    """A template that makes its own data takes no --text."""
    with pytest.raises(UsageError, match="--text goes with the template text, not"):
        scaffold(tmp_path / "a", "verified", text=tmp_path / "corpus.txt")
    assert not (tmp_path / "a").exists()


def test_data_that_cannot_be_made_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last line of what went wrong, and how to see more."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "json.py").write_text('raise ImportError("no json here")')
    with pytest.raises(LineageError, match="could not make the data: ImportError: no"):
        scaffold(tmp_path / "new", "verified")

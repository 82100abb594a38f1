"""The examples of docs/steps.md are run as they stand there."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from lineage.loop.running.journal import parts
from lineage.loop.running.runner import run

if TYPE_CHECKING:
    from lineage.registry import Registry

PAGE = Path(__file__).parents[4] / "docs" / "steps.md"
TEXT = "the fox sees the moon\n\nthe owl sees the fox\n\nthe moon sees the owl\n\n"


def test_the_examples_of_the_page_make_a_loop(repo: Registry) -> None:
    """A function, a command and their loop.yaml: three generations."""
    blocks = re.findall(r"```\w+\n# (\S+)\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert [name for name, _ in blocks] == ["steps.py", "train.py", "loop.yaml"]
    for name, content in blocks:
        (repo.root / name).write_text(content.replace("python ", f"{sys.executable} "))
    (repo.root / "human.txt").write_text(TEXT * 5)
    (repo.root / "seed").mkdir()
    seed = {"the": ["fox", "owl"], "fox": ["sees"], "sees": ["the"]}
    (repo.root / "seed" / "follows.json").write_text(json.dumps(seed))
    result = run(repo, repo.root / "loop.yaml")
    assert [made.generation for made in result.made] == [0, 1, 2, 3]
    assert result.made[-1].metrics["known_pairs"].value > 0.5
    model = repo.load(parts(repo, result.head).model)
    assert model.code
    assert list(model.code["files"]) == ["train.py"]

"""The scripts of docs/observe.md are run as they stand there."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lineage.registry import Registry

PAGE = Path(__file__).parents[3] / "docs" / "observe.md"
BLOCKS = dict(re.findall(r"```python\n# (\S+)\n(.*?)```", PAGE.read_text(), re.DOTALL))


def test_the_scripts_of_the_page_make_a_chain(repo: Registry, base: Path) -> None:
    """A trainer's model writes data: each is a commit with its edges."""
    assert set(BLOCKS) == {"sft.py", "generate.py"}
    shutil.copytree(base, repo.root / "seed-model")
    (repo.root / "prompts").mkdir()
    (repo.root / "prompts" / "prompts.txt").write_text("the a")
    prompts = repo.commit("dataset", "prompts", repo.root / "prompts").id
    for name, script in BLOCKS.items():
        (repo.root / name).write_text(script)
        done = subprocess.run(
            [sys.executable, name], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    written = repo.load(done.stdout.strip())
    tutor = repo.resolve("model/tutor")
    assert {(e.role, e.id, e.evidence) for e in written.edges} == {
        ("generated_by", tutor, "observed"),
        ("derived_from", prompts, "observed"),
    }
    assert written.params == {"seed": 3, "temperature": 0.8}
    assert written.metrics["records"].value == 2
    start = repo.load(tutor).ids("fine_tuned_from")
    assert [repo.load(id_).name for id_ in start] == ["seed-model"]

"""A command ends when its time is up, and it and what it started are gone."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import pytest

from lineage.errors import LineageError
from lineage.loop.steps.external import CommandStep
from lineage.store.disk import locked

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lineage.loop.steps.protocol import Job

SLOW = """
import subprocess, sys
beat = "import time\\nwhile True: open('beat', 'a').write('x'); time.sleep(0.02)"
subprocess.run([sys.executable, "-c", beat])
"""


def test_a_command_that_takes_too_long_is_ended(
    job: Callable[..., Job], tmp_path: Path
) -> None:
    """The sentence names the step and the limit; its children end with it."""
    (tmp_path / "slow.py").write_text(SLOW)
    task = job("generate", {})
    with locked(tmp_path / "lock") as lock:
        step = CommandStep(f"{sys.executable} slow.py", tmp_path, 1.5, lock)
        begun = time.monotonic()
        with pytest.raises(LineageError) as caught:
            step(task)
    assert str(caught.value) == "the generate step ran longer than 1.5 seconds"
    assert time.monotonic() - begun < 30
    beats = (tmp_path / "beat").stat().st_size
    time.sleep(0.2)
    assert 0 < beats == (tmp_path / "beat").stat().st_size
    with locked(tmp_path / "lock", wait=False):
        pass


def test_where_the_job_goes_is_said_in_the_command(
    job: Callable[..., Job], tmp_path: Path
) -> None:
    """`{job}` stands for the file's path, in the middle of a word too."""
    (tmp_path / "write.py").write_text(
        "import json, sys\n"
        "assert sys.argv[2] == '--last'\n"
        "job = json.load(open(sys.argv[1].removeprefix('--job=')))\n"
        "assert job['loop'] == 'tiny' and job['spec']['seed'] == 3\n"
        "open(job['output'] + '/x.jsonl', 'w').write('{\"text\": \"a b\"}\\n')\n"
    )
    command = f"{sys.executable} write.py --job={{job}} --last"
    with locked(tmp_path / "lock") as lock:
        step = CommandStep(command, tmp_path, None, lock)
        step(job("generate", {}))
    assert step.code["files"].keys() == {"write.py"}

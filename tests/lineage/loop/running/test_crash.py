"""SIGKILL at any instant, run again: the same ids as if nothing had happened.

A driver process imports what is slow once and forks a child for each run, so that
a kill is a real one, of a whole process, and costs no import.
"""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING, Any

import pytest

import lineage
from lineage.errors import GateFailed

if TYPE_CHECKING:
    from pathlib import Path

    Toy = Any

DRIVER = '''\
"""Run a loop in forked children that kill themselves; print what each run ended as."""

import json
import os
import shutil
import signal
import sys
from pathlib import Path

import lineage
from lineage.loop.running.progress import Progress
from lineage.loop.running.runner import run


class Deadly(Progress):
    """Dies at the n-th thing it is told."""

    def __init__(self, at):
        self.left = at

    def tick(self, *_):
        self.left -= 1
        if self.left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

    started = advanced = finished = generation = set_aside = tick


def child(root, at, report):
    with open(report, "w") as out:
        loop = Path(root, "loop.yaml")
        out.write(run(lineage.open(root), loop, progress=Deadly(at)).head)


def forked(root, at):
    report = Path(root, "report")
    pid = os.fork()
    if pid == 0:
        try:
            child(root, at, report)
        except BaseException:
            import traceback

            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    status = os.waitpid(pid, 0)[1]
    return -os.waitstatus_to_exitcode(status), report.read_text()
'''


def drive(tmp_path: Path, body: str, *args: str) -> Any:
    """Run the driver with `body` at its end; what it prints is JSON."""
    script = tmp_path / "driver.py"
    script.write_text(DRIVER + textwrap.dedent(body))
    done = subprocess.run(
        [sys.executable, script, *args], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def other(toy: Toy, tmp_path: Path, name: str) -> Path:
    """A second registry with the same files."""
    import shutil

    root = tmp_path / name
    shutil.copytree(
        toy.registry.root, root, ignore=shutil.ignore_patterns(".git", ".dvc*")
    )
    lineage.init(root).close()
    return root


def test_killed_at_every_step(toy: Toy, tmp_path: Path) -> None:
    """Each run is killed at the n-th thing it does, and the next one goes on."""
    head = toy.run().head
    root = other(toy, tmp_path, "killed")
    ends = drive(
        tmp_path,
        """
        ends = []
        for at in (1, 2, 3, 5, 4, 2, 3, 6, 1, 2, 5, 3, 4, 7, 10**9):
            ends.append(forked(sys.argv[1], at))
        print(json.dumps(ends))
        """,
        str(root),
    )
    assert [end[0] for end in ends[:8]] == [9] * 8
    assert ends[-1] == [0, head]
    assert whole(root)


JUDGED = """
import steps


def evaluate(job):
    bad = job.generation == 1 and not job.attempt
    gate = {"id": "mine", "verdict": "fail" if bad else "pass"}
    return steps.evaluate(job) | {"gates": [gate]}
"""


def test_killed_around_a_verdict(toy: Toy, tmp_path: Path) -> None:
    """A model is stopped once and the next attempt made once, whatever is killed."""
    toy.write("judge.py", JUDGED)
    sections = {"steps": toy.steps | {"evaluate": "judge:evaluate"}}
    with pytest.raises(GateFailed):
        toy.run(**sections)
    stopped, head = toy.branch("loop/toy@rejected")[0], toy.run(**sections).head
    root = other(toy, tmp_path, "killed")
    ends = drive(
        tmp_path,
        """
        ends = []
        for at in (9, 4, 5, 2, 10**9, 3, 5, 1, 10**9):
            ends.append(forked(sys.argv[1], at))
        print(json.dumps(ends))
        """,
        str(root),
    )
    assert [end[0] for end in ends] == [9, 9, 9, 9, -1, 9, 9, 9, 0]
    assert ends[-1] == [0, head]
    with lineage.open(root) as registry:
        assert registry.branches()["loop/toy@rejected"] == stopped
    assert whole(root)


ACTIONS = """
import steps

BAD = {(1, 0): "retry", (2, 0): "branch", (3, 0): "retry", (3, 1): "fallback"}


def evaluate(job):
    action = BAD.get((job.generation, job.attempt))
    gate = {"id": "mine", "verdict": "fail" if action else "pass"}
    gate["action"] = action or "stop"
    return steps.evaluate(job) | {"gates": [gate]}
"""


def test_killed_between_tries(toy: Toy, tmp_path: Path) -> None:
    """Retries, a branch and a fallback end with the same ids, whatever is killed."""
    toy.write("acts.py", ACTIONS)
    sections = {
        "num_generations": 4,
        "steps": toy.steps | {"evaluate": "acts:evaluate"},
    }
    head = toy.run(**sections).head
    branches = toy.registry.branches()
    assert set(branches) == {"loop/toy", "loop/toy@g2", "loop/toy@rejected"}
    root = other(toy, tmp_path, "killed")
    ends = drive(
        tmp_path,
        """
        ends = []
        for at in (9, 12, 11, 13, 10, 4, 12, 5, 11, 13, 3, 10**9):
            ends.append(forked(sys.argv[1], at))
        print(json.dumps(ends))
        """,
        str(root),
    )
    assert [end[0] for end in ends[:4]] == [9] * 4
    assert ends[-1] == [0, head]
    with lineage.open(root) as registry:
        assert registry.branches() == branches
    assert whole(root)


def test_killed_from_outside_at_any_moment(toy: Toy, tmp_path: Path) -> None:
    """Kills that fall between git, the cache and the log lose nothing either."""
    head = toy.run().head
    root = other(toy, tmp_path, "hit")
    ends = drive(
        tmp_path,
        """
        import time

        kills = 0
        for turn in range(60):
            pid = os.fork()
            if pid == 0:
                child(sys.argv[1], 10**9, Path(sys.argv[1], "report"))
                os._exit(0)
            time.sleep(0.04 + 0.03 * turn)
            done = os.waitpid(pid, os.WNOHANG)[0]
            if done:
                break
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            kills += 1
        print(json.dumps([kills, forked(sys.argv[1], 10**9)]))
        """,
        str(root),
    )
    assert ends[0] > 2
    assert ends[1] == [0, head]
    assert whole(root)


def whole(root: Path) -> bool:
    """Whether the registry verifies and no run ref or work file is left."""
    from lineage.verify import verify

    registry = lineage.open(root)
    try:
        left = [p for p in (registry.home / "loops").rglob("*") if p.is_file()]
        return (
            verify(registry).problems == []
            and registry.names("runs") == {}
            and [path.name for path in left] == ["lock"]
        )
    finally:
        registry.close()


def test_a_command_of_a_killed_run_keeps_the_loop(toy: Toy, tmp_path: Path) -> None:
    """While it still writes, no second runner starts; afterwards the loop goes on."""
    toy.write(
        "slow.py",
        "import json, sys, time, pathlib\n"
        "job = json.load(open(sys.argv[1]))\n"
        "pathlib.Path('pid').write_text('here')\n"
        "while pathlib.Path('wait').exists(): time.sleep(0.02)\n"
        "out = pathlib.Path(job['output'], 'w.jsonl')\n"
        "out.write_text(json.dumps({'text': 'fox moon'}) + '\\n')\n",
    )
    toy.write("wait", "")
    steps = {"generate": {"command": f"{sys.executable} slow.py"}}
    path = toy.configure(num_generations=1, steps=toy.steps | steps)
    ends = drive(
        tmp_path,
        """
        import time

        root = Path(sys.argv[1])
        pid = os.fork()
        if pid == 0:
            child(root, 10**9, root / "report")
        while not (root / "pid").exists():
            time.sleep(0.02)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        try:
            run(lineage.open(root), root / "loop.yaml")
        except lineage.errors.LineageError as error:
            said = str(error)
        (root / "wait").unlink()
        for _ in range(500):
            try:
                run(lineage.open(root), root / "loop.yaml")
                break
            except lineage.errors.LineageError:
                time.sleep(0.02)
        print(json.dumps(said))
        """,
        str(toy.registry.root),
    )
    assert ends == "loop/toy is being run already"
    assert path.exists()
    assert len(toy.branch()) == 2


REAL = """
name: real
num_generations: 1
model:
  config: {model_type: gpt2, n_layer: 1, n_embd: 16, n_head: 2, n_positions: 16}
  tokenizer: {vocab_size: 270}
  init_from: parent
dataset: {train_file: human.txt, block_size: 16, origin: human}
generation: {num_samples: 24, shard_size: 8, batch_size: 4}
mixing: {strategy: replace}
training: {max_steps: 9, per_device_train_batch_size: 4, save_steps: 3}
"""


def test_killed_inside_real_steps(toy: Toy, tmp_path: Path) -> None:
    """Training goes on from the last whole checkpoint, writing with the next shard.

    Dropout and all, the ids are those of an undisturbed run.
    """
    toy.write("loop.yaml", REAL)
    places = {name: other(toy, tmp_path, name) for name in ("calm", "many")}
    calm, many = drive(
        tmp_path,
        """
        import torch
        import transformers.trainer

        NEVER = 10**9
        calm, many = sys.argv[1:]
        print(
            json.dumps(
                [
                    [forked(calm, NEVER)],
                    [forked(many, at) for at in (6, 7, 12, 9, 10, 11, 12, NEVER)],
                ]
            )
        )
        """,
        *map(str, places.values()),
    )
    assert calm[0][0] == 0
    assert many == [[9, ""]] * 7 + calm
    assert whole(places["many"])

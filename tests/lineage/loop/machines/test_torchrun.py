"""Several processes train one model together, and end with the loop."""

from __future__ import annotations

import time
from contextlib import closing, suppress
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import lineage
from lineage.errors import LineageError
from lineage.loop.machines.torchrun import torchrun
from lineage.loop.running.journal import parts
from lineage.loop.running.runner import run
from tests.lineage.loop.running.test_runner_real import picked
from tests.lineage.loop.steps.conftest import job_for

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.context import ForkProcess

    from lineage import Registry


def loop(registry: Registry, **replaced: str) -> Path:
    """A loop of one generation, trained by two processes."""
    picked(registry.root)
    path = registry.root / "loop.yaml"
    text = path.read_text() + "num_processes: 2\n"
    text = text.replace("num_generations: 2", "num_generations: 1")
    for old, new in replaced.items():
        text = text.replace(old, new)
    path.write_text(text)
    return path


def test_two_processes_train_one_model(repo: Registry, tmp_path: Path) -> None:
    """The same ids twice, other weights than one process, and all tokens counted."""
    made = parts(repo, run(repo, loop(repo)).head)
    events = [event.data for _, event in repo.events()]
    (trained,) = [d for d in events if d.get("step") == "train" and "key" in d]
    with closing(lineage.init(tmp_path / "again")) as again:
        assert run(again, loop(again)).head == made.id
    with closing(lineage.init(tmp_path / "alone")) as alone:
        path = loop(alone)
        path.write_text(path.read_text().replace("num_processes: 2", ""))
        other = parts(alone, run(alone, path).head)
        assert alone.load(other.mixed).payload == repo.load(made.mixed).payload
        assert alone.load(other.model).payload != repo.load(made.model).payload
        events = [event.data for _, event in alone.events()]
        (one,) = [d for d in events if d.get("step") == "train" and "key" in d]
    assert trained["steps"] == one["steps"] == 4
    assert 1.5 < trained["tokens"] / one["tokens"] < 2.5


FAILS = """
import os, time
from lineage.errors import LineageError

def train(job):
    if os.environ["RANK"] == "1":
        raise LineageError("training diverged", hint="lower training.learning_rate")
    time.sleep(60)
"""


def test_what_fails_in_a_process_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What one of the processes fails with is what the step fails with here."""
    (tmp_path / "fails.py").write_text(FAILS)
    monkeypatch.syspath_prepend(tmp_path)
    function = import_module("fails").train
    processes = {"num_processes": 2}
    with pytest.raises(LineageError, match=r"^training diverged") as caught:
        torchrun(job_for(tmp_path, "train", {}, sections=processes), function)
    assert caught.value.hint == "lower training.learning_rate"


def test_the_processes_end_with_a_killed_loop(repo: Registry) -> None:
    """No process trains on, unseen, when the loop is killed."""
    path = loop(repo, **{"max_steps: 4": "max_steps: 100000"})
    runner = get_context("fork").Process(target=_runner, args=(path,))
    runner.start()  # a start would import torch again
    mark = f"{repo.root}".encode()
    wait(lambda: len(trainers(mark)) == 3, runner)
    runner.kill()
    runner.join()
    wait(lambda: not trainers(mark))


def _runner(path: Path) -> None:
    """Run a loop, as a process that has no registry open yet."""
    run(lineage.open(path.parent), path)


def trainers(mark: bytes) -> list[str]:
    """The processes of torchrun, and those that it has started, for a registry."""
    found = []
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            words = place.read_bytes()
            if b"lineage.loop.machines.torchrun" in words and mark in words:
                found.append(place.parent.name)
    return found


def wait(condition: Callable[[], bool], process: ForkProcess | None = None) -> None:
    """Wait until something is so."""
    end = time.monotonic() + 240
    while not condition():
        assert time.monotonic() < end
        assert process is None or process.is_alive()
        time.sleep(0.1)

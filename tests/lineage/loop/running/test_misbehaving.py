"""Steps of users that hang, die, or write where they only read."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import pytest

from lineage.errors import LineageError

Toy = Any


def fail(toy: Toy, body: str, step: str = "train", **section: Any) -> LineageError:
    """Run the toy with a step of this body, in a process of its own if limited."""
    toy.write(
        "mine.py",
        "import os, sys, time\nfrom pathlib import Path\nimport steps\n\n\n"
        f"def {step}(job):\n    {body}\n",
    )
    mine: Any = f"mine:{step}"
    if section:
        mine = {"callable": mine, **section}
    with pytest.raises(LineageError) as caught:
        toy.run(steps=toy.steps | {step: mine}, num_generations=1)
    return caught.value


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("time.sleep(99)", "the train step ran longer than 3 seconds"),
        ("os._exit(0)", "the train step failed: mine:train ended its process"),
        ("os._exit(4)", "the train step failed: `mine:train` exited with 4"),
        ("os.abort()", "the train step failed: `mine:train` was ended by signal 6"),
        ("1 / 0", "mine:train raised ZeroDivisionError: division by zero"),
        ("sys.exit(2)", "mine:train raised SystemExit: 2"),
        ("return {'metrics': {'a': float('nan')}}", "a is nan"),
        ("pass", "the train step wrote no model"),
    ],
)
def test_a_step_with_a_timeout_harms_only_its_process(
    toy: Toy, body: str, said: str
) -> None:
    """Whatever it does is one sentence, and the loop can be run again."""
    assert said in str(fail(toy, body, timeout=3))
    assert toy.types()[-1] == "failed step"


def test_a_step_in_a_process_gives_the_same_ids(toy: Toy) -> None:
    """A timeout shapes no artifact, and what a step says comes back."""
    limited = {n: {"callable": name, "timeout": 60} for n, name in toy.steps.items()}
    head = toy.run(steps=limited, num_generations=1).head
    assert toy.run(num_generations=1).head == head
    assert toy.watch.did == []
    data = next(e.data for _, e in toy.registry.events() if e.data.get("tokens"))
    assert data["tokens"] == 96


def test_what_a_command_has_started_ends_with_it(toy: Toy) -> None:
    """Also, where there is a /proc, in a session of its own, whose parent is gone."""
    apart = Path("/proc").exists()
    toy.write(
        "daemon.py",
        "import subprocess, sys, time\n"
        "code = 'import time, pathlib\\n'\n"
        "code += 'while True: pathlib.Path(\"up\").write_text(str(time.time()))'\n"
        "code += '; time.sleep(0.05)'\n"
        f"subprocess.Popen([sys.executable, '-c', code], start_new_session={apart})\n"
        "time.sleep(60)\n",
    )
    command = {"command": f"{sys.executable} daemon.py", "timeout": 2}
    with pytest.raises(LineageError, match="ran longer than 2 seconds"):
        toy.run(steps=toy.steps | {"train": command}, num_generations=1)
    last = (toy.registry.root / "up").read_text()
    time.sleep(0.5)
    assert (toy.registry.root / "up").read_text() == last


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("(job.inputs['dataset'] / 'x').touch()", "the train step changed its input "),
        (
            "[p.unlink() for p in job.output.parents[2].glob('inputs/*/words.json')]",
            "the train step changed ",
        ),
        (
            "place = job.output.parents[1] / 'x'; place.mkdir(); (place / 'y').touch()",
            "the train step changed ",
        ),
        ("Path(__file__).with_name('human.txt').write_text('x')", "human.txt"),
    ],
)
def test_a_step_that_writes_elsewhere_is_refused(
    toy: Toy, body: str, said: str
) -> None:
    """Inputs, other steps' folders and human text are read, and only read."""
    assert said in str(fail(toy, body + "\n    steps.train(job)"))


def test_what_a_step_says_on_stderr_is_in_its_log(
    toy: Toy, capfd: pytest.CaptureFixture[str]
) -> None:
    """The end of it is quoted, and our own progress is seen meanwhile."""
    shown = "print('oh no', file=sys.stderr); os.write(2, b'past python\\n')"
    error = fail(toy, f"{shown}; job.advance(0.5); raise KeyError('x')")
    assert error.hint == "it said: oh no | past python"
    assert "oh no" not in capfd.readouterr().err
    assert 0.5 in toy.watch.fractions


def test_progress_of_a_step_in_a_process_is_seen(toy: Toy) -> None:
    """How far it is comes back as it goes."""
    fail(toy, "job.advance(0.25); time.sleep(9)", timeout=3)
    assert 0.25 in toy.watch.fractions


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("{'metrics': {'perplexity': 3}}", "calls a metric perplexity, which is a me"),
        (
            "{'metrics': {'a': 1}, 'gates': [{'id': 'diversity', 'verdict': 'pass'}]}",
            "calls a verdict diversity, which is a gate of loop.yaml",
        ),
    ],
)
def test_names_of_ours_keep_their_meaning(toy: Toy, said: str, sentence: str) -> None:
    """A measure of the user's has a name, or a definition, of its own."""
    toy.write("mine.py", f"def evaluate(job):\n    return {said}\n")
    gates = [{"type": "diversity", "min": 0.1, "max": 9}]
    with pytest.raises(LineageError, match=sentence):
        toy.run(steps=toy.steps | {"evaluate": "mine:evaluate"}, gates=gates)

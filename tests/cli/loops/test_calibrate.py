"""`lineage loop calibrate`: thresholds from what chance does, on the command line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from inline_snapshot import snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., Any]
    Toy = Any

DRAWS = """\
import json, random

def generate(job):
    draw = random.Random(job.seed)
    rows = [" ".join(f"w{draw.randrange(60)}" for _ in range(20)) for _ in range(60)]
    lines = [json.dumps({"id": str(n), "text": row}) for n, row in enumerate(rows)]
    (job.output / "a.jsonl").write_text("\\n".join(lines) + "\\n")
"""


@pytest.fixture
def drawing(toy: Toy) -> Toy:
    """A loop that draws words, with gates that chance moves, and one it does not."""
    toy.write("draws.py", DRAWS)
    gates: list[dict[str, Any]] = [
        {"type": "diversity", "action": "warn"},
        {"type": "drift", "action": "warn"},
        {"type": "regression"},
    ]
    toy.configure(
        gates=gates, steps=toy.steps("generate", "") | {"generate": "draws:generate"}
    )
    return toy


@pytest.mark.usefixtures("drawing")
def test_a_calibration(transcript: Callable[..., str]) -> None:
    """Generation 0 is made first; the table, the lines, and what was written."""
    said = transcript("loop calibrate --write", "events -n 1", "loop run")
    assert said == snapshot("""\
$ lineage loop calibrate --write
gate       threshold  mean        sd   now  proposed
diversity  min           1  0.003918   0.8     0.974
diversity  max           1  0.003918  1.25      1.03
drift      max_js        0         0  0.05         -
  every draw has the same value
drift      max_ks        0         0   0.2         -
  every draw has the same value

# diversity
min: 0.974
max: 1.03
threshold_from: "calibrated: 5 seeds of generation 0, event aaaaaaaaaaaa"
2> toy 0/0           perplexity 20  0.1 s
2> wrote the thresholds to loop.yaml
$ lineage events -n 1
event     time              by           what         subject
aaaaaaaa  2026-01-02 03:04  Ada Example  calibration  bbbbbbbb
  5 draws of generation 0 of toy
$ lineage loop run
cccccccccccc…
2> toy 1/1           perplexity 21  distinct_2 0.8482  kept 60  0.1 s
""")


@pytest.mark.usefixtures("drawing")
def test_a_calibration_in_json(run: Run) -> None:
    """Every value of every draw."""
    said = json.loads(
        run("loop", "calibrate", "--seeds", "3", "--format", "json").stdout
    )
    assert [row["field"] for row in said["thresholds"]] == [
        "min", "max", "max_js", "max_ks",
    ]  # fmt: skip
    assert all(len(row["values"]) == 3 for row in said["thresholds"])
    lines = run("loop", "calibrate", "--seeds", "3", "--format", "jsonl").stdout
    rows = [json.loads(line) for line in lines.splitlines()]
    assert [row["values"] for row in rows] == [v["values"] for v in said["thresholds"]]


def test_a_loop_without_such_gates(toy: Toy, run: Run) -> None:
    """Is told so, and nothing is made."""
    toy.configure()
    done = run("loop", "calibrate")
    assert done.exit_code == 2
    assert "no gate whose threshold chance could set" in done.stderr


@pytest.mark.usefixtures("drawing")
def test_a_file_of_an_unusual_form_is_left(drawing: Toy, run: Run) -> None:
    """The lines are printed all the same, and the exit code says it."""
    path = drawing.registry.root / "loop.yaml"
    text = path.read_text().replace("gates:\n- action", "gates:\n- &g\n  action")
    text = text.replace(
        "- action: warn\n  type: drift", "- <<: *g\n  id: d\n  type: drift"
    )
    path.write_text(text)
    before = path.read_bytes()
    done = run("loop", "calibrate", "--write")
    assert (done.exit_code, path.read_bytes()) == (1, before)
    assert "# diversity" in done.stdout
    assert "is not edited here" in done.stderr

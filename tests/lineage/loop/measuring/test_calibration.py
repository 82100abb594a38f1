"""Thresholds from what chance alone does in generation 0."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from lineage.errors import UsageError
from lineage.loop.measuring.calibration import _inside, _outward, calibrate, write
from lineage.loop.measuring.intervals import tolerance_factor
from lineage.loop.running.runner import run
from lineage.loop.spec.edit import edited

if TYPE_CHECKING:
    from pathlib import Path

    from lineage import Registry

STEPS = """\
import json, random

def generate(job):
    draw = random.Random(job.seed)
    words = ["w%d" % draw.randrange(90) for _ in range(2000)]
    rows = [" ".join(words[n:n + 20]) for n in range(0, 2000, 20)]
    lines = [json.dumps({"id": str(n), "text": row}) for n, row in enumerate(rows)]
    (job.output / "a.jsonl").write_text("\\n".join(lines) + "\\n")

def train(job):
    (job.output / "model.txt").write_text(str(job.generation))

def evaluate(job):
    return {"metrics": {"loss": 9.0 + job.generation}}
"""
SPEC = """\
name: toy  # a loop of words
num_generations: 2
model: {model_name_or_path: seed}
dataset: {train_file: human.txt}
steps: {generate: "steps:generate", train: "steps:train", evaluate: "steps:evaluate"}
gates:
  - {type: diversity, min: 0.5, max: 1.5}  # wide
  - type: drift  # of tokens
    action: warn
  - {type: regression, metric: loss, min_ratio: 0.5}
"""


@pytest.fixture
def spec(repo: Registry) -> Path:
    """A loop without torch whose models draw words evenly."""
    (repo.root / "seed").mkdir()
    (repo.root / "seed" / "model.txt").write_text("0")
    (repo.root / "steps.py").write_text(STEPS)
    (repo.root / "human.txt").write_text("\n\n".join(f"w{n} w{n}" for n in range(90)))
    path = repo.root / "loop.yaml"
    path.write_text(SPEC)
    return path


def test_thresholds_are_what_the_draws_say(repo: Registry, spec: Path) -> None:
    """By Howe's factor, in logarithms for a ratio; the event has every value."""
    found = calibrate(repo, spec, seeds=6)
    low, high, js, ks = found.proposals
    assert [p.field for p in found.proposals] == ["min", "max", "max_js", "max_ks"]
    assert (low.current, high.current, js.current) == (0.5, 1.5, 0.05)
    logs = [math.log(value) for value in low.values]
    assert math.fsum(logs) == pytest.approx(0, abs=1e-12)  # each against the next
    sd = math.sqrt(sum(x * x for x in logs) / 5)
    spread = tolerance_factor(6, 0.99, 0.95) * sd
    assert low.proposed == pytest.approx(math.exp(-spread), rel=0.01)
    assert high.proposed == pytest.approx(math.exp(spread), rel=0.01)
    assert low.proposed is not None
    assert low.proposed < min(low.values) <= max(low.values) < 1 / low.proposed
    assert js.proposed is not None
    assert js.proposed > max(js.values)
    assert len(set(js.values)) == 6  # another seed each
    [event] = [e for _, e in repo.events() if e.type == "calibration"]
    assert (event.subject, event.id) == (found.generation, found.event)
    assert [row["values"] for row in event.data["thresholds"]] == [
        p.values for p in found.proposals
    ]
    assert ks.gate == "drift"


def test_calibrating_again_gives_the_same(repo: Registry, spec: Path) -> None:
    """Bit for bit, and more seeds go on where fewer ended; nothing is left over."""
    first, again = calibrate(repo, spec, seeds=3), calibrate(repo, spec, seeds=3)
    assert first.proposals == again.proposals
    more = calibrate(repo, spec, seeds=4)
    assert more.proposals[2].values[:2] == first.proposals[2].values[:2]
    assert not list((repo.home / "loops" / "toy").glob("0-*"))
    made = {id_ for _, event in repo.events() for id_, _ in event.commits}
    datasets = [id_ for id_ in made if repo.load(id_).kind == "dataset"]
    assert len(datasets) == 2  # the human and the held-out data


def test_what_is_written_is_what_the_loop_goes_on_with(
    repo: Registry, spec: Path
) -> None:
    """Comments stay; the verdicts of the next generations name the event."""
    found = calibrate(repo, spec)
    assert write(spec, found.changes())
    lines = spec.read_text().splitlines()
    assert lines[0] == "name: toy  # a loop of words"
    assert lines[6].endswith("}  # wide")
    assert lines[7] == "  - type: drift  # of tokens"
    assert lines[10] == "    action: warn"
    result = run(repo, spec)
    diversity, drift, _ = repo.load(result.head).gates or []
    source = f"calibrated: 5 seeds of generation 0, event {found.event[:12]}"
    assert diversity["threshold_from"] == drift["threshold_from"] == source
    assert diversity["min"] == found.proposals[0].proposed
    assert diversity["verdict"] == "pass"


def test_thresholds_are_closed_once_generation_1_is_there(
    repo: Registry, spec: Path
) -> None:
    """A gate that has judged is part of what the loop is."""
    run(repo, spec)
    spec.write_text(SPEC.replace("max: 1.5", "max: 1.6"))
    with pytest.raises(UsageError, match=r"gates\.diversity\.max has changed"):
        run(repo, spec)


def test_only_thresholds_are_open_before(repo: Registry, spec: Path) -> None:
    """What a gate looks at stays as it was."""
    calibrate(repo, spec)
    spec.write_text(SPEC.replace("max: 1.5", "measure: distinct_1"))
    with pytest.raises(UsageError, match=r"gates\.diversity\.measure has changed"):
        run(repo, spec)


def test_draws_that_say_nothing_change_nothing(repo: Registry, spec: Path) -> None:
    """Where every seed gives the same there is no spread to set a threshold from."""
    same = STEPS.replace("job.seed", "1")
    (repo.root / "steps.py").write_text(same)
    found = calibrate(repo, spec)
    assert {p.why for p in found.proposals} == {"every draw has the same value"}
    assert found.changes() == {}


@pytest.mark.parametrize(
    ("gates", "seeds", "sentence"),
    [
        ([{"type": "regression"}], 5, "no gate whose threshold chance could set"),
        ([], 5, "no gate whose threshold chance could set"),
        ([{"type": "drift"}], 2, "2 seeds say too little of how values vary"),
    ],
)
def test_what_cannot_be_calibrated_is_refused(
    repo: Registry, spec: Path, gates: list[Any], seeds: int, sentence: str
) -> None:
    """Before anything is made."""
    spec.write_text(yaml.safe_dump(yaml.safe_load(SPEC) | {"gates": gates}))
    with pytest.raises(UsageError, match=sentence):
        calibrate(repo, spec, seeds=seeds)
    assert [event.type for _, event in repo.events()] == ["init"]


CHANGES = {"a": {"min": 0.25, "threshold_from": 'five "seeds"'}}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("- {type: a, min: 1}", '- {type: a, min: 0.25, threshold_from: "F"}'),
        ("- {type: a,}", '- {type: a, min: 0.25, threshold_from: "F"}'),
        ("- type: a # x", '- type: a # x\n  min: 0.25\n  threshold_from: "F"'),
        (
            "- min:  1  # y\n  type: b\n  id: a",
            '- min:  0.25  # y\n  type: b\n  threshold_from: "F"\n  id: a',
        ),
        (
            "- {type: b}\n- {type: c, id: 'a'}",
            """- {type: b}\n- {type: c, id: 'a', min: 0.25, threshold_from: "F"}""",
        ),
    ],
)
def test_files_are_edited_as_they_were_typed(
    tmp_path: Path, before: str, after: str
) -> None:
    """In either form of a mapping, with either end of line, and with a mark first."""
    after = after.replace('"F"', '"five \\"seeds\\""')
    for mark in ("", "\ufeff"):
        for end in ("\n", "\r\n"):
            texts = (
                f"{mark}# café\ngates:\n{text}\nlast: 1\n" for text in (before, after)
            )
            given_, wanted = (text.replace("\n", end).encode() for text in texts)
            assert edited(given_, tmp_path / "l.yaml", CHANGES) == wanted


def test_a_form_that_cannot_be_edited_is_left(tmp_path: Path) -> None:
    """A gate that two places share would change twice."""
    text = b"gates: [&a {type: a}, {type: b, id: b}]\nother: *a\n"
    assert edited(text, tmp_path / "l.yaml", CHANGES) is None
    path = tmp_path / "l.yaml"
    path.write_bytes(text)
    assert not write(path, CHANGES)
    assert path.read_bytes() == text


@given(st.floats(1e-12, 1e9), st.booleans())
def test_rounding_never_makes_a_gate_narrower(value: float, least: bool) -> None:  # noqa: FBT001
    """Three digits, to the side that lets more pass."""
    rounded = _outward(value, "min" if least else "max")
    assert rounded <= value if least else rounded >= value
    assert rounded == pytest.approx(value, rel=0.0101)


def test_a_threshold_holds_what_it_says() -> None:
    """99 % of further draws, in about 95 of 100 calibrations."""
    source, held = random.Random(0), 0  # noqa: S311
    reach = tolerance_factor(5, 0.99, 0.95)
    for _ in range(2000):
        row = [source.gauss(0, 1) for _ in range(5)]
        mean = sum(row) / 5
        sd = math.sqrt(sum((x - mean) ** 2 for x in row) / 4)
        low, high = (math.erf((mean + s * reach * sd) / math.sqrt(2)) for s in (-1, 1))
        held += (high - low) / 2 >= 0.99
    assert 0.94 < held / 2000 < 0.965


def test_limits_of_a_field_hold() -> None:
    """A share ends at 1; past a limit that is not itself allowed there is none."""
    from lineage.loop.gates.drift import DriftSpec

    limits = DriftSpec.model_fields["max_js"].metadata
    assert _inside(1.7, limits) == 1
    assert _inside(0.0, limits) is None
    assert _inside(0.5, limits) == 0.5

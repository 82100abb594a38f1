"""`lineage run`: a script that knows nothing of lineage, recorded."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest
from inline_snapshot import snapshot

from tests.cli.conftest import stable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lineage import Registry

SCRIPT = """\
import pathlib, sys
data, out = map(pathlib.Path, sys.argv[1:3])
print("training on", sorted(path.name for path in data.iterdir()))
out.mkdir(exist_ok=True)
(out / "model.txt").write_text(" ".join(p.read_text() for p in data.iterdir()))
pathlib.Path("scores.json").write_text('{"loss": {"value": 2.5, "direction": "lower"}}')
"""


@pytest.fixture
def seed(repo: Registry) -> str:
    (repo.root / "seed").mkdir()
    (repo.root / "seed" / "a.txt").write_text("It was the best of times.\n")
    (repo.root / "train.py").write_text(SCRIPT)
    return repo.commit("dataset", "seed", repo.root / "seed").id


@pytest.fixture
def observed(run: Callable[..., Any], tmp_path: Path) -> Callable[..., Any]:
    """Run `lineage run` with options, and a command after them; stderr made stable."""

    def observed(*options: str, command: tuple[str, ...] = ()) -> Any:
        words = command or (sys.executable, "train.py", "data", "out")
        done = run("run", *options, "--", *words, apart=True)
        said = stable(done.stderr.replace(sys.executable, "python"), tmp_path)
        return done.exit_code, done.stdout, said

    return observed


def test_a_script_is_recorded(
    repo: Registry, seed: str, observed: Callable[..., Any]
) -> None:
    """Files are put where it looks for them; output, metrics, params, code and seed."""
    code, out, said = observed(
        *("--use", "dataset/seed=data", "--output", "model/tutor=out"),
        *("--metrics", "scores.json", "--param", "lr=2e-3", "--seed", "3"),
    )
    assert code == 0
    assert said == snapshot("""\
training on ['a.txt']
model tutor recorded as aaaaaaaa
""")
    commit = repo.load(out.strip())
    assert [(e.role, e.id, e.evidence) for e in commit.edges] == [
        ("trained_on", seed, "observed")
    ]
    assert commit.params == {"lr": 0.002, "seed": 3}
    assert commit.metrics["loss"].value == 2.5
    assert commit.code is not None
    assert commit.code["script"] == "train.py"
    event = next(event for _, event in repo.events() if event.type == "run")
    assert event.data["command"].endswith("train.py data out")
    assert event.data["name"] == "train.py"
    again = observed("--use", "dataset/seed=data", "--output", "model/tutor=out")
    assert again[0] == 0
    assert repo.load(again[1].strip()).ids("revises") == (commit.id,)


def test_what_is_measured_costs_no_training(
    repo: Registry, seed: str, observed: Callable[..., Any]
) -> None:
    """Groups, curves and words are no mistake; without a good file, no metrics."""
    options = ("--output", "model/tutor=out", "--metrics", "m.json")
    write = "import pathlib; pathlib.Path('out').write_text('{0}'); {1}"

    def train(number: int, text: str) -> Any:
        save = f"pathlib.Path('m.json').write_text({text!r})" if text else "0"
        script = write.format(number, save)
        return observed(*options, command=(sys.executable, "-c", script))

    said = '{"eval": {"f1": 0.5, "who": "me"}, "loss": {"value": 2}, "ok": true}'
    code, out, told = train(1, said)
    assert (code, told) == (
        0,
        snapshot("""\
note: no numbers of m.json, left out: eval.who, ok
model tutor recorded as aaaaaaaa
"""),
    )
    found = repo.load(out.strip()).metrics
    assert {name: metric.value for name, metric in found.items()} == {
        "eval.f1": 0.5,
        "loss": 2,
    }
    code, out, told = train(2, '{"loss": NaN}')
    assert (code, told) == (
        0,
        snapshot("""\
note: recorded without metrics: m.json is not JSON: NaN is not a JSON number
  later: lineage attest model/tutor --metrics m.json
model tutor recorded as aaaaaaaa
"""),
    )
    assert repo.load(out.strip()).metrics == {}
    del seed


def test_a_failing_command_records_no_output(
    repo: Registry, seed: str, observed: Callable[..., Any]
) -> None:
    """Its exit code is ours, and an event says how it ended."""
    script = (
        "import os; os.mkdir('out'); open('out/x', 'w').close(); raise SystemExit(7)"
    )
    options = ("--use", "dataset/seed=data", "--output", "model/tutor=out")
    code, out, said = observed(*options, command=(sys.executable, "-c", script))
    assert (code, out) == (7, "")
    assert said.endswith("exited with 7\nhint: nothing of what it wrote was recorded\n")
    code, _, said = observed(*options, command=("no-such-program",))
    assert code == 127
    kill = "import os; os.kill(os.getpid(), 9)"
    assert observed(*options, command=(sys.executable, "-c", kill))[0] == 137
    types = [event.type for _, event in repo.events()]
    assert types.count("failed run") == 3
    assert "model/tutor" not in repo.branches()
    del seed


def test_what_cannot_be_true_is_not_recorded(
    repo: Registry, seed: str, observed: Callable[..., Any]
) -> None:
    """An input that changed, an output that was there before, one that is empty."""
    options = ("--use", "dataset/seed=data", "--output", "model/tutor=out")
    meddle = "import os; os.mkdir('out'); open('out/x','w').close(); open('data/b','w')"
    code, _, said = observed(*options, command=(sys.executable, "-c", meddle))
    assert (code, said) == (
        1,
        snapshot("""\
error: the input /test/repo/data changed during the run: its content is another
hint: nothing was recorded; run again while nothing writes to it
"""),
    )
    (repo.root / "data" / "b").unlink()
    code, _, said = observed(*options, command=(sys.executable, "-c", "pass"))
    assert (code, said) == (
        1,
        snapshot("""\
error: the command wrote nothing to out
hint: give the file or folder that it writes
"""),
    )
    (repo.root / "data" / "a.txt").write_text("other")
    code, _, said = observed(*options)
    assert code == 2
    assert "does not have the files of dataset/seed" in said
    assert "model/tutor" not in repo.branches()
    del seed


def test_inputs_are_found_by_content_or_only_named(
    repo: Registry, seed: str, run: Callable[..., Any]
) -> None:
    """`--read` hashes what is here, `--use REV` without a path is declared."""
    judge = repo.commit("model", "judge", external={"uri": "https://api/x"}).id
    words = ("--read", "seed", "--use", "model/judge,role=selected_by")
    script = "import sys; open('best.jsonl', 'w').write('{}'); print('noise')"
    done = run(
        *("run", *words, "--output", "dataset/best=best.jsonl", "--format", "json"),
        *("--", sys.executable, "-c", script),
        apart=True,
    )
    assert done.exit_code == 0, done.stderr
    [id_] = json.loads(done.stdout)["outputs"]
    assert {(e.role, e.id, e.evidence) for e in repo.load(id_).edges} == {
        ("derived_from", seed, "observed"),
        ("selected_by", judge, "declared"),
    }


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        ((), (2, "a run without an output records nothing")),
        (("--output", "out"), (2, "the output 'out' is not KIND/NAME=PATH")),
        (("--output", "model/m=o", "--use", "dataset/no=d"), (5, "dataset/no")),
        (("--output", "model/m=o", "--use", "=d"), (2, "does not name a revision")),
        (("--output", "modle/m=o", "--use", "dataset/seed=d"), (2, "modle")),
        (
            ("--output", "model/m=o", "--use", "dataset/seed,role=includes"),
            (2, "is no role of what is read"),
        ),
    ],
)
def test_mistakes_are_found_before_anything_runs(
    repo: Registry,
    seed: str,
    run: Callable[..., Any],
    words: tuple[str, ...],
    wrong: tuple[int, str],
) -> None:
    """A bad option costs no hours of training."""
    touch = "open('ran', 'w').close()"
    done = run("run", *words, "--", sys.executable, "-c", touch)
    assert done.exit_code == wrong[0]
    assert wrong[1] in done.stderr
    assert not (repo.root / "ran").exists()
    del seed

"""Runs that live elsewhere: what they record, and what they refuse to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

import lineage
from lineage.errors import LineageError, UsageError
from lineage.observing.script import redacted
from tests.dvc import dvc

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lineage import Registry
    from lineage.store.objects import Event


@pytest.fixture
def seed(repo: Registry) -> str:
    """A dataset of two files."""
    folder = repo.root / "seed"
    folder.mkdir()
    (folder / "a.txt").write_text("It was the best of times.\n")
    (folder / "b.txt").write_text("It was the worst of times.\n")
    return repo.commit("dataset", "seed", folder, origin={"type": "human"}).id


def write(folder: Path, text: str = "weights") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "model.bin").write_text(text)
    return folder


def events(repo: Registry, type_: str) -> list[Event]:
    """All events of a type, oldest first."""
    return [event for _, event in repo.events() if event.type == type_][::-1]


def edges(repo: Registry, id_: str) -> set[tuple[str, str, str]]:
    return {(e.role, e.id, e.evidence) for e in repo.load(id_).edges}


def test_a_run_records_what_it_read_and_left(repo: Registry, seed: str) -> None:
    """Files handed out, a model with metrics and params, and the event of the run."""
    with repo.run("train tutor", seed=3, params={"lr": 1e-3}) as run:
        data = run.use("dataset/seed")
        text = "".join(sorted(path.read_text() for path in data.iterdir()))
        run.log_params({"epochs": 2})
        run.log_metrics({"loss": {"value": 2.5, "direction": "lower"}})
        run.note({"price": 0.4})
        made = run.commit("model", "tutor", write(repo.root / "out", text))
        again = run.commit("model", "other", write(repo.root / "out2"))
    assert not data.exists()
    commit = repo.load(made)
    assert edges(repo, made) == {("trained_on", seed, "observed")}
    assert commit.params == {"seed": 3, "lr": 1e-3, "epochs": 2}
    assert commit.metrics["loss"].value == 2.5
    assert repo.load(again).metrics == {}
    [event] = events(repo, "run")
    assert event.data["outputs"] == [made, again]
    assert event.data["inputs"] == [{"id": seed, "role": None, "evidence": "observed"}]
    assert event.data["price"] == 0.4
    assert event.data["seconds"] >= 0
    assert "python" in event.data["environment"]
    assert list((repo.home / "runs").glob("*/")) == []


def test_the_same_run_again_is_the_same_commit(repo: Registry, seed: str) -> None:
    """Nothing of the machine or the time gets into an id."""
    del seed
    made = []
    for _ in range(2):
        with repo.run("train") as run:
            run.use("dataset/seed")
            made.append(run.commit("model", "tutor", write(repo.root / "out")))
        time.sleep(0.01)
    assert made[0] == made[1]


def test_roles_follow_from_kinds(repo: Registry, seed: str) -> None:
    """A model is trained on data and tuned from models, data are written by models."""
    base = repo.commit("model", "base", write(repo.root / "base")).id
    config = repo.commit("config", "c", params={"a": 1}).id
    with repo.run("all") as run:
        run.use("dataset/seed")
        run.use("model/base")
        run.cite("config/c")
        run.cite("dataset/seed", role="evaluated_on")
        model = run.commit("model", "tutor", write(repo.root / "out"))
        data = run.commit("dataset", "synth", write(repo.root / "out2", "x"))
    judged = ("evaluated_on", seed, "declared")
    written = ("configured_by", config, "declared")
    assert edges(repo, model) == {
        ("trained_on", seed, "observed"),
        ("fine_tuned_from", base, "observed"),
        written,
        judged,
    }
    assert edges(repo, data) == {
        ("derived_from", seed, "observed"),
        ("generated_by", base, "observed"),
        written,
        judged,
    }
    with repo.run("bad") as run, pytest.raises(UsageError, match="is no role of what"):
        run.cite("dataset/seed", role="includes")


def test_files_at_hand_are_found_by_content_or_committed(
    repo: Registry, seed: str, tmp_path: Path
) -> None:
    """A copy of known data is those data; unknown data are committed."""
    copy = tmp_path / "copy"
    repo.get(seed, copy)
    new = tmp_path / "new.csv"
    new.write_text("a,b\n1,2\n")
    with repo.run("train") as run:
        assert run.reads(copy) == copy
        run.reads(new)
        made = run.commit("model", "tutor", write(repo.root / "out"))
    fresh = repo.resolve("dataset/new")
    assert edges(repo, made) == {
        ("trained_on", seed, "observed"),
        ("trained_on", fresh, "observed"),
    }
    assert repo.load(fresh).origin is None
    assert run.outputs == [made]


def test_use_takes_files_that_lie_there_only_if_they_are_those(
    repo: Registry, seed: str, tmp_path: Path
) -> None:
    """At a path of the user's: brought, compared, or refused."""
    with repo.run("train") as run:
        place = run.use(seed, tmp_path / "data")
        assert run.use(seed, place) == place
        (place / "a.txt").write_text("other")
        with pytest.raises(UsageError, match="does not have the files of"):
            run.use(seed, place)
        with pytest.raises(LineageError, match="changed during the run"):
            run.commit("model", "tutor", write(repo.root / "out"))
    assert "model/tutor" not in repo.branches()


@pytest.mark.parametrize("change", ["write", "remove", "add"])
def test_an_input_that_changes_is_not_recorded(
    repo: Registry, seed: str, change: str
) -> None:
    """Whatever happens to what was handed out, the output is not said to be of it."""
    with pytest.raises(LineageError, match="changed during"), repo.run("r") as r:  # noqa: PT012
        data = r.use(seed)
        if change == "write":
            (data / "a.txt").write_text("It was the best of Times.\n")
        elif change == "remove":
            (data / "a.txt").unlink()
        else:
            (data / "c.txt").write_text("more")
        r.commit("model", "tutor", write(repo.root / "out"))
    assert "model/tutor" not in repo.branches()
    [event] = events(repo, "failed run")
    assert event.data["outputs"] == []


def test_a_generation_includes_what_its_run_left(repo: Registry, seed: str) -> None:
    """A loop that lives elsewhere: generations follow each other."""
    for turn in range(2):
        with repo.run(f"turn {turn}") as run:
            run.use(seed)
            run.cite(seed, role="evaluated_on")
            model = run.commit("model", "tutor", write(repo.root / "out", str(turn)))
            whole = run.commit("generation", "tutor", params={"generation": turn})
        assert {("includes", model), ("evaluated_on", seed)} <= {
            edge[:2] for edge in edges(repo, whole)
        }
    assert repo.load(whole).ids("follows")


def test_an_error_is_an_event_without_secrets(repo: Registry, seed: str) -> None:
    """The exception goes on; what was committed before stays, whole."""
    secret = "hf_abcdefghijklmnop"  # noqa: S105
    with pytest.raises(RuntimeError), repo.run("train") as run:  # noqa: PT012
        run.use(seed)
        made = run.commit("model", "tutor", write(repo.root / "out"))
        raise RuntimeError(f"no access with {secret}\nmore")
    [event] = events(repo, "failed run")
    assert event.data["error"] == "RuntimeError: no access with …"
    assert event.subject == made
    with pytest.raises(UsageError, match="is not going on"):
        run.use(seed)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("https://me:pw@host/x", "https://…host/x"),
        ("token=abc123 left", "token=… left"),
        ("HF_TOKEN: abc left", "HF_TOKEN: … left"),
        ("Authorization: Bearer abc.def", "Authorization: …"),
        ("key sk-abcdefghijkl", "key …"),
        ("the tokenizer is missing", "the tokenizer is missing"),
        ("3 tokens of 4", "3 tokens of 4"),
    ],
)
def test_secrets_are_left_out(text: str, said: str) -> None:
    """Keys in the forms of services, and values of what is called a secret."""
    assert redacted(text) == said


def test_an_empty_output_is_refused(repo: Registry, seed: str) -> None:
    """A folder without files is no model."""
    (repo.root / "out").mkdir()
    with pytest.raises(UsageError, match="no files"), repo.run("train") as run:  # noqa: PT012
        run.use(seed)
        run.commit("model", "tutor", repo.root / "out")
    assert len(events(repo, "failed run")) == 1


def test_runs_nest(repo: Registry, seed: str) -> None:
    """The inner one has its own inputs, and names the outer one."""
    with repo.run("outer") as outer:
        outer.use(seed)
        outer_id = outer.folder.name
        with repo.run("inner") as inner:
            made = inner.commit("model", "m", write(repo.root / "out"))
        outer.commit("model", "n", write(repo.root / "out", "n"))
    assert edges(repo, made) == set()
    first, second = events(repo, "run")
    assert first.data["parent"] == outer_id == second.data["run"]


def test_exit_0_is_no_failure(repo: Registry) -> None:
    """`sys.exit()` ends a script that is done; another code is a failure."""
    for code, type_ in ((0, "run"), (3, "failed run")):
        with pytest.raises(SystemExit), repo.run("script"):
            sys.exit(code)
        assert len(events(repo, type_)) == 1


FORKED = """
import os, sys
import lineage

registry = lineage.open(".")
with registry.run("fork") as run:
    run.use("dataset/seed")
    child = os.fork()
    if not child:
        try:
            run.commit("model", "child", "out")
        except lineage.errors.UsageError as error:
            print(error, flush=True)
    else:
        os.waitpid(child, 0)
        run.commit("model", "parent", "out")
"""
SLOW = """
import time
import lineage

registry = lineage.open(".")
with registry.run("slow") as run:
    run.use("dataset/seed")
    print("begun", flush=True)
    time.sleep(60)
"""


def test_a_forked_child_does_not_record_twice(repo: Registry, seed: str) -> None:
    """Only the process that began the run speaks for it; its script is known."""
    script = repo.root / "train.py"
    script.write_text(FORKED.replace("import lineage\n", "import lineage.errors\n"))
    write(repo.root / "out")
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, check=True
    )
    assert done.stdout == ("this process was forked from that of the run fork\n")
    [event] = events(repo, "run")
    commit = repo.load(event.data["outputs"][0])
    assert edges(repo, commit.id) == {("trained_on", seed, "observed")}
    assert commit.code is not None
    assert commit.code["script"] == "train.py"
    assert event.data["git"]["dirty"] is False
    assert "model/child" not in repo.branches()
    assert list((repo.home / "runs").glob("*/")) == []


def test_a_killed_run_is_told_by_the_next(
    repo: Registry, seed: str, sound: Callable[..., None]
) -> None:
    """SIGKILL leaves nothing half-committed; a run that lives is left alone."""
    del seed
    script = repo.root / "slow.py"
    script.write_text(SLOW)
    running = [
        subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for process in running:
        assert process.stdout
        assert process.stdout.readline() == "begun\n"
    running[0].send_signal(signal.SIGKILL)
    running[0].wait()
    with repo.run("next"):
        [event] = events(repo, "failed run")
        assert event.message.startswith("slow: it ended without a word")
    running[1].terminate()
    running[1].wait()
    with repo.run("next"):
        assert len(events(repo, "failed run")) == 2
    for process in running:
        assert process.stdout
        process.stdout.close()
    sound(repo)


def test_two_runs_at_once_record_both(
    repo: Registry, seed: str, sound: Callable[..., None]
) -> None:
    """Each has its own inputs and its own event."""
    script = repo.root / "train.py"
    script.write_text(
        "import sys, lineage, pathlib\n"
        "registry = lineage.open('.')\n"
        "with registry.run(sys.argv[1]) as run:\n"
        "    run.use('dataset/seed')\n"
        "    out = pathlib.Path(sys.argv[1]); out.mkdir()\n"
        "    (out / 'w').write_text(sys.argv[1])\n"
        "    run.commit('model', 'tutor', out)\n"
    )
    running = [subprocess.Popen([sys.executable, script, f"out{n}"]) for n in range(3)]
    assert [process.wait() for process in running] == [0, 0, 0]
    assert len(events(repo, "run")) == 3
    tip = repo.load(repo.branches()["model/tutor"])
    assert tip.ids("trained_on") == (seed,)
    sound(repo)


def test_a_clone_without_files_brings_what_a_run_uses(
    repo: Registry, seed: str, tmp_path: Path, run: Callable[..., Any]
) -> None:
    """In a partial clone the files come when they are used."""
    remote, there = tmp_path / "remote.git", tmp_path / "there"
    subprocess.run(["git", "init", "-q", "--bare", remote], check=True)
    (tmp_path / "files").mkdir()
    dvc("remote", "add", "-d", "store", tmp_path / "files").check_returncode()
    assert run("remote", "add", "origin", str(remote)).exit_code == 0
    assert run("push").exit_code == 0
    made = run("clone", str(remote), str(there), "--no-payloads")
    assert made.exit_code == 0, made.stderr
    os.chdir(there)
    with lineage.open(".") as registry, registry.run("train") as observed:
        assert len(list(observed.use(seed).iterdir())) == 2
        observed.commit("model", "tutor", write(there / "out"))
    del repo

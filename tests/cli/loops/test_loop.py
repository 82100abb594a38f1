"""`lineage loop`: init, run and status, for people and programs."""

from __future__ import annotations

import io
import json
import os
import sys
from typing import TYPE_CHECKING, Any

import pytest
from inline_snapshot import snapshot

from lineage.loop.spec import load

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lineage.registry import Registry

    Run = Callable[..., Any]
    Transcript = Callable[..., str]

HUMAN = "The quick brown fox jumps over the lazy dog.\n\n" * 20


def test_init_writes_what_runs_as_it_is(tmp_path: Path, transcript: Transcript) -> None:
    """Three files are written, and what to type next is said."""
    (tmp_path / "corpus.txt").write_text(HUMAN)

    assert transcript("loop init --text corpus.txt") == snapshot("""\
$ lineage loop init --text corpus.txt
2> wrote loop.yaml, checks.py, lexicon.yaml
2> next: lineage init                makes this folder a registry
2>       lineage loop run loop.yaml  makes the generations
""")
    spec = load(tmp_path / "loop.yaml")
    assert (spec.name, spec.num_generations) == ("corpus", 2)
    assert spec.path(spec.dataset.train_file[0]).read_text() == HUMAN
    assert [gate.type for gate in spec.gates] == ["check_record", "diversity"]
    assert spec.resolved()["dataset"]["origin"] == "unknown"


def test_init_takes_the_bias_gate_where_there_is_enough_to_count(
    tmp_path: Path, run: Run
) -> None:
    """A text with a hundred mentions of each group of the lexicon is gated on them."""
    (tmp_path / "novel.txt").write_text("She said that he was late.\n\n" * 100)
    run("loop", "init", "--text", "novel.txt")

    gates = [gate.type for gate in load(tmp_path / "loop.yaml").gates]
    assert gates == ["check_record", "diversity", "group_rate"]


def test_init_for_a_model_fits_its_context(tmp_path: Path, run: Run) -> None:
    """Blocks are no longer than what the given model can see at once."""
    (tmp_path / "my-model.v2").mkdir()
    config = {"model_type": "gpt2", "n_positions": 96}
    (tmp_path / "my-model.v2" / "config.json").write_text(json.dumps(config))
    (tmp_path / "my-model.v2" / "tokenizer.json").write_text("{}")
    (tmp_path / "corpus.txt").write_text(HUMAN)
    done = run("loop", "init", "--text", "corpus.txt", "--model", "my-model.v2")

    spec = load(tmp_path / "loop.yaml")
    assert done.exit_code == 0
    assert (spec.name, spec.dataset.block_size) == ("my-model.v2", 96)
    assert spec.model_folder == tmp_path / "my-model.v2"
    assert spec.model.successor_from == "parent"
    assert spec.num_threads == 1


def test_init_takes_more_threads_for_a_larger_model(tmp_path: Path, run: Run) -> None:
    """From 50 MB of weights on, the processor's threads are used."""
    (tmp_path / "large").mkdir()
    (tmp_path / "large" / "config.json").write_text("{}")
    (tmp_path / "large" / "tokenizer.json").write_text("{}")
    with (tmp_path / "large" / "model.safetensors").open("wb") as file:
        file.truncate(60_000_000)
    (tmp_path / "corpus.txt").write_text(HUMAN)
    run("loop", "init", "--text", "corpus.txt", "--model", "large")

    assert load(tmp_path / "loop.yaml").num_threads == min(os.cpu_count() or 1, 8)


def test_init_wants_a_tokenizer_beside_the_model(tmp_path: Path, run: Run) -> None:
    """A model that was saved alone is refused before anything is written."""
    (tmp_path / "alone").mkdir()
    (tmp_path / "alone" / "config.json").write_text("{}")
    done = run("loop", "init", "--model", "alone")

    assert (done.exit_code, done.stderr) == (
        2,
        (
            "error: alone has a model but no tokenizer\n"
            "hint: save it there too: tokenizer.save_pretrained('alone')\n"
        ),
    )
    assert not (tmp_path / "loop.yaml").exists()


def test_init_finds_the_column_that_has_the_text(tmp_path: Path, run: Run) -> None:
    """In a .jsonl without a column `text` the longest value of a record is the text."""
    record = {"title": "Foxes", "body": HUMAN, "year": 1987}
    (tmp_path / "posts.jsonl").write_text((json.dumps(record) + "\n") * 2)
    run("loop", "init", "--text", "posts.jsonl")

    assert load(tmp_path / "loop.yaml").dataset.text_column == "body"


def test_init_copies_a_text_with_another_ending(
    tmp_path: Path, transcript: Transcript
) -> None:
    """A README.md is read too: as a copy that ends in .txt."""
    (tmp_path / "README.md").write_text(HUMAN)

    assert transcript("loop init --text README.md") == snapshot("""\
$ lineage loop init --text README.md
2> wrote loop.yaml, checks.py, lexicon.yaml
2> note: README.md is copied to README.md.txt, as loops read .txt and .jsonl
2> next: lineage init                makes this folder a registry
2>       lineage loop run loop.yaml  makes the generations
""")
    spec = load(tmp_path / "loop.yaml")
    assert spec.path(spec.dataset.train_file[0]).read_text() == HUMAN


@pytest.mark.parametrize("name", ["loop.yaml", "checks.py", "lexicon.yaml"])
def test_init_overwrites_nothing(tmp_path: Path, run: Run, name: str) -> None:
    """Where one of its files is there, nothing is written."""
    (tmp_path / name).write_text("mine")
    done = run("loop", "init")

    assert (done.exit_code, done.stderr) == (
        2,
        f"error: {name} exists already\nhint: move it away, or go to another folder\n",
    )
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {name: "mine"}


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--text", "gone.txt"), 1, "gone.txt cannot be read: No such file"),
        (("--text", "."), 1, ". cannot be read: Is a directory"),
        (("--model", "."), 2, ". is no save_pretrained folder: it has no config.json"),
    ],
)
def test_init_refuses_what_is_not_there(
    tmp_path: Path, run: Run, words: tuple[str, ...], code: int, said: str
) -> None:
    """A text that cannot be read and a folder without a model leave nothing behind."""
    done = run("loop", "init", *words)

    assert done.exit_code == code
    assert said in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.txt", b"", "empty.txt has no text in it"),
        ("white.md", b" \n\t\n", "white.md has no text in it"),
        ("latin.txt", "é\n\nè".encode("latin-1"), "latin.txt is not UTF-8 text"),
        ("wide.txt", "a\n\nb".encode("utf-16"), "wide.txt is not UTF-8 text"),
        ("bad.jsonl", b'{"text": "a"}\n{oops\n', "bad.jsonl: line 2 is not JSON"),
        ("short.txt", b"hello", "one paragraph or document is too little"),
    ],
)
def test_init_refuses_text_that_cannot_run(
    tmp_path: Path, run: Run, name: str, content: bytes, said: str
) -> None:
    """With the sentence of the run that it would have led to, and nothing written."""
    (tmp_path / name).write_bytes(content)
    done = run("loop", "init", "--text", name)

    assert done.exit_code == (2 if name == "short.txt" else 1)
    assert f"error: {said}" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("config", ["{", "[]"])
def test_init_says_when_a_config_is_broken(
    tmp_path: Path, run: Run, config: str
) -> None:
    """A config.json that is there and cannot be read is not missing."""
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn" / "config.json").write_text(config)
    done = run("loop", "init", "--model", "torn")

    assert done.exit_code == 2
    assert done.stderr == "error: torn/config.json is not a JSON object\n"


def test_init_refuses_a_model_of_links(tmp_path: Path, run: Run) -> None:
    """A snapshot in the cache of Hugging Face has to be copied first."""
    (tmp_path / "snapshot").mkdir()
    for name in ("config.json", "tokenizer.json"):
        (tmp_path / name).write_text("{}")
        (tmp_path / "snapshot" / name).symlink_to(tmp_path / name)
    done = run("loop", "init", "--model", "snapshot")

    assert done.exit_code == 2
    assert "is a symbolic link to" in done.stderr
    assert "copy the folder with `cp -rL` first" in done.stderr
    assert not (tmp_path / "loop.yaml").exists()


def test_a_run_to_the_end(toy: Any, transcript: Transcript) -> None:
    """A line per generation, the last one's id; the same again makes nothing."""
    toy.configure()

    assert transcript("loop run", "loop run loop.yaml", "loop status") == snapshot("""\
$ lineage loop run
aaaaaaaaaaaa…
2> toy 0/1           perplexity 20  0.1 s
2> toy 1/1           perplexity 21  distinct_2 0.415  kept 40  0.1 s
$ lineage loop run loop.yaml
aaaaaaaaaaaa…
2> generation 1 of 1 of loop/toy is made already
$ lineage loop status
loop/toy  generation 1, idle
  generation  commit    perplexity  distinct_2  duplicate_rate  kept
           0  bbbbbbbb          20           -               -     -
           1  aaaaaaaa          21       0.415               0    40
""")


def test_several_loops_run_one_after_the_other(toy: Any, run: Run) -> None:
    """Each file is a loop; the ids of their last generations come in order."""
    toy.configure("a.yaml", name="a")
    toy.configure("b.yaml", name="b")
    done = run("loop", "run", "a.yaml", "b.yaml")

    assert done.exit_code == 0
    assert done.stdout.split() == [
        toy.registry.resolve("loop/a"),
        toy.registry.resolve("loop/b"),
    ]


def test_a_gate_that_warns_is_said(toy: Any, run: Run) -> None:
    """Whoever reads what a night has printed sees which gates failed."""
    toy.gated("warn")
    said = run("loop", "run").stderr.splitlines()
    failed = [line.split()[1] for line in said if "  check_record failed  " in line]
    assert failed == ["2/3"]


def test_a_gate_stops_a_run(toy: Any, transcript: Transcript) -> None:
    """The exit code is 3, and what can be typed next is said; so does the status."""
    toy.gated("stop")

    assert transcript("loop run", "loop status") == snapshot("""\
$ lineage loop run
2> toy 0/3           perplexity 20  0.1 s
2> toy 1/3           perplexity 21  distinct_2 0.415  kept 40  0.1 s
2> error: generation 2 of loop/toy was stopped: check_record: 0 of 40 records pass checks.py; at least 100 % must; most often: it is bad
2> next: lineage show loop/toy@rejected                       what was stopped
2>       lineage loop run loop.yaml                           another try
2>       lineage review approve loop/toy@rejected --note WHY  lets it pass
exit 3
$ lineage loop status
loop/toy  generation 1, stopped
  check_record: 0 of 40 records pass checks.py; at least 100 % must; most often:
  it is bad
  generation  commit    perplexity  distinct_2  duplicate_rate  kept
           0  aaaaaaaa          20           -               -     -
           1  bbbbbbbb          21       0.415               0    40
  next: lineage show loop/toy@rejected
""")  # noqa: E501


def test_a_pause_for_review(toy: Any, transcript: Transcript) -> None:
    """The exit code is 10, and what can be typed next is said; so does the status."""
    toy.gated("review")

    assert transcript("loop run", "loop status toy") == snapshot("""\
$ lineage loop run
2> toy 0/3           perplexity 20  0.1 s
2> toy 1/3           perplexity 21  distinct_2 0.415  kept 40  0.1 s
2> waiting: loop/toy waits for a review of the dataset of generation 2,
2>   aaaaaaaaaaaa: check_record: 0 of 40 records pass checks.py; at least 100 %
2>   must; most often: it is bad
2> next: lineage review show toy     what there is to see
2>       lineage review approve toy  or reject, with --note WHY
2>       lineage loop run loop.yaml  goes on, or back, as you decide
exit 10
$ lineage loop status toy
loop/toy  generation 1, waiting
  check_record: 0 of 40 records pass checks.py; at least 100 % must; most often:
  it is bad
  generation  commit    perplexity  distinct_2  duplicate_rate  kept
           0  bbbbbbbb          20           -               -     -
           1  cccccccc          21       0.415               0    40
  next: lineage review show toy
""")


def test_a_later_loop_does_not_run_when_an_earlier_one_stops(
    toy: Any, run: Run
) -> None:
    """The exit code is that of the loop that stopped."""
    toy.gated("stop")
    toy.configure("b.yaml", name="b")
    done = run("loop", "run", "loop.yaml", "b.yaml")

    assert done.exit_code == 3
    assert "loop/b" not in toy.registry.branches()


def test_a_step_that_fails(toy: Any, transcript: Transcript) -> None:
    """The exit code is 1, and the status has the sentence."""
    toy.configure(steps=toy.steps("train", "broken"))

    assert transcript("loop run", "loop status") == snapshot("""\
$ lineage loop run
2> toy 0/1           perplexity 20  0.1 s
2> error: the train step failed: steps:broken raised RuntimeError: no GPU left
exit 1
$ lineage loop status
loop/toy  generation 0, failed
  the train step failed: steps:broken raised RuntimeError: no GPU left
  generation  commit    perplexity
           0  aaaaaaaa          20
  next: lineage loop run FILE
""")


def test_an_interrupted_run(toy: Any, transcript: Transcript) -> None:
    """The status says which steps are done, and the same command goes on after them."""
    toy.configure(steps=toy.steps("train", "interrupted"))
    seen = transcript("loop run", "loop status")
    toy.write("steps.py", (toy.registry.root / "steps.py").read_text().replace(
        "    raise KeyboardInterrupt", "    train(job)"
    ))  # fmt: skip

    assert seen + transcript("loop run") == snapshot("""\
$ lineage loop run
2> toy 0/1           perplexity 20  0.1 s
2> next: lineage loop run loop.yaml  goes on from here
2> \n\
exit 130
$ lineage loop status
loop/toy  generation 0, unfinished
  generation 1 has generate, check, mix
  generation  commit    perplexity
           0  aaaaaaaa          20
  next: lineage loop run FILE
$ lineage loop run
aaaaaaaaaaaa…
2> toy 1/1           check, mix reused from loop/toy generation 1
2> toy 1/1           perplexity 21  distinct_2 0.415  kept 40  0.1 s
""")


def test_status_as_json(toy: Any, run: Run) -> None:
    """Programs get every measure of every generation, and what holds the loop."""
    toy.gated("stop")
    stopped = run("loop", "run", "--format", "json")
    [state] = stopped.json()["loops"]
    tip = toy.registry.resolve("loop/toy")

    assert stopped.exit_code == 3
    [line] = run("loop", "status", "toy", "--format", "jsonl").jsonl()
    assert line == {"schema_version": 1, **state}
    assert state | {"generations": 0} == {
        "name": "toy",
        "branch": "loop/toy",
        "state": "stopped",
        "why": "check_record: 0 of 40 records pass checks.py; at least 100 % must; "
        "most often: it is bad",
        "subject": toy.registry.resolve("loop/toy@rejected"),
        "generation": 1,
        "head": tip,
        "budgets": {},
        "overrides": [],
        "reviews": {
            "generations": 1,
            "reviewed": 0,
            "generated": 40,
            "shown": 0,
            "labelled": 0,
            "seconds": [],
        },
        "filter": None,
        "generations": 0,
    }
    assert [g["id"] for g in state["generations"]][-1] == tip
    assert state["generations"][1]["metrics"]["kept"] == 40


def test_status_while_it_runs(toy: Any, run: Run) -> None:
    """A loop whose work folder somebody holds is running."""
    from lineage.loop.running.workshop import opened

    toy.configure()
    run("loop", "run")
    with opened(toy.registry, "toy"):
        [state] = run("loop", "status", "--format", "jsonl").jsonl()

    assert state["state"] == "running"


def test_status_without_loops(repo: Registry, transcript: Transcript) -> None:
    """An empty registry says how to begin; an unknown name is an error."""
    del repo

    assert transcript("loop status", "loop status tutor") == snapshot("""\
$ lineage loop status
2> no loop has run here yet
2> next: lineage loop init --text FILE  writes loop.yaml
$ lineage loop status tutor
2> error: there is no loop called 'tutor'
2> hint: `lineage loop status` lists the loops
exit 5
""")


def test_status_of_generations_made_by_hand(repo: Registry, run: Run) -> None:
    """A branch that no runner made is listed, with the reason why it cannot run."""
    repo.commit("generation", "hand", params={"mine": True})
    [state] = run("loop", "status", "--format", "json").json()["loops"]

    assert (state["name"], state["state"]) == ("hand", "idle")
    assert "no loop run made" in state["why"]


class _Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_live_line_on_a_terminal(
    toy: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Somebody who watches sees the step, how far it is and how long it still takes."""
    from lineage.cli.progress import LoopProgress
    from lineage.cli.terminal import Terminal
    from lineage.loop.running.progress import Activity

    del toy, tmp_path
    screen = _Screen()
    monkeypatch.setattr(sys, "stderr", screen)
    with LoopProgress(Terminal()) as progress:
        activity = Activity("tutor", 2, 5, "train")
        progress.started(activity)
        progress._line.wait(0)
        progress.advanced(activity, 0.25, 93.0)

    lines = [line.removesuffix("\x1b[K") for line in screen.getvalue().split("\r")]
    assert lines == snapshot(
        [
            "",
            "tutor 2/5         train   ",
            "tutor 2/5         train     ━━━╌╌╌╌╌╌╌╌╌  25 %  1 min 33 s left",
            "",
        ]
    )


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.04, "0.0 s"),
        (9.94, "9.9 s"),
        (59.4, "59 s"),
        (60, "1 min"),
        (125, "2 min 5 s"),
        (7260, "2 h 1 min"),
        (90000, "1 d 1 h"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    """Durations have two units at most."""
    from lineage.cli.progress import duration

    assert duration(seconds) == text


def test_a_save_pretrained_folder_and_a_text_run_two_gated_generations(
    repo: Registry, run: Run, tiny_llama: Path
) -> None:
    """With no help: init, and run."""
    from pydoc_data.topics import topics

    text = "\n\n".join(topics[name] for name in sorted(topics)[:12])
    (repo.root / "topics.rst").write_text(text)
    run("loop", "init", "--text", "topics.rst", "--model", tiny_llama)
    done = run("loop", "run")

    assert (done.exit_code, done.stderr.count("perplexity")) == (0, 3)
    last = repo.load(repo.resolve("loop/tiny-llama"))
    assert last.params["generation"] == 2
    assert [gate["verdict"] for gate in last.gates or ()] == ["pass", "pass"]
    assert last.metrics["perplexity"].value < 700


@pytest.mark.parametrize("line", ['["a"]', '"a"', "3"])
def test_init_names_a_first_line_that_is_no_record(
    run: Any, tmp_path: Path, line: str
) -> None:
    """Text is looked at before anything is written."""
    (tmp_path / "l.jsonl").write_text(f"{line}\n{line}\n", encoding="utf-8")
    done = run("loop", "init", "--text", "l.jsonl")

    assert (done.exit_code, "line 1 is not a JSON object" in done.stderr) == (1, True)
    assert not (tmp_path / "loop.yaml").exists()


def test_a_loop_on_what_is_tainted_is_told(toy: Any, run: Run) -> None:
    """Before it goes on, and when it begins on a dataset that somebody tainted."""
    toy.configure()
    assert "taint" not in run("loop", "run").stderr
    data = "loop/toy~1^includes(dataset)"
    run("taint", data, "--reason", "not ours to use")
    toy.configure(num_generations=2)
    toy.configure("other.yaml", name="other")
    again, other = run("loop", "run"), run("loop", "run", "other.yaml")

    line = again.stderr.splitlines()[0]
    assert line.startswith("loop/toy ! tainted by dataset ")
    assert line.endswith(": not ours to use")
    assert (again.exit_code, again.stderr.count("not ours to use")) == (0, 1)
    assert "loop/other ! tainted by dataset " in other.stderr

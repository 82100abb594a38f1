# ruff: noqa: E501 - transcripts are as wide as they are

"""`lineage log --metric NAME`: how a metric went along branches."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

import pytest
from inline_snapshot import snapshot

from lineage.measured import attest
from lineage.store.objects import Metric

if TYPE_CHECKING:
    from collections.abc import Callable

    from lineage.registry import Registry

    Run = Callable[..., Any]
    Transcript = Callable[..., str]


@pytest.fixture
def trained(repo: Registry) -> Registry:
    """A branch with a gap, a new definition, and a value that was attested."""
    values = (
        Metric(2.9, "loss", 1, "lower", 100, [2.7, 3.1]),
        Metric(2.4, "loss", 1, "lower", 100, [2.2, 2.65]),
        None,
        Metric(2.5, "loss", 1, "lower", 100, [2.3, 2.7]),
        Metric(0.6, "loss", 2, "lower"),
    )
    for n, value in enumerate(values):
        metrics = {"loss": value} if value else {}
        made = repo.commit("model", "m", params={"n": n}, metrics=metrics)
    last = repo.commit("model", "m", params={"n": n + 1}).id
    assert made.id != last
    attest(repo, last, {"loss": Metric(0.5, "loss", 2, "lower")})
    return repo


@pytest.mark.usefixtures("trained")
def test_a_plot_and_a_table(transcript: Transcript) -> None:
    """Values newest first, each with its interval and what may be said of it."""
    assert transcript("log --metric loss") == snapshot("""\
$ lineage log --metric loss
loss v2, lower is better
   0.6 │ ●
       │
       │
       │
  0.55 │
       │
       │
       │
   0.5 │       ●
       └────────
         4     5

loss v1, lower is better
   3.1 │ │
       │ │
       │ ●
       │ │
  2.65 │ │     │           │
       │       │           ●
       │       ●           │
       │       │           │
   2.2 │       │
       └────────────────────
         0                 3

model/m
  commit             value     interval  change
  aaaaaaaa  model m    0.5                 -0.1  better, no interval
    attested in event bbbbbbbb
  cccccccc  model m    0.6                       not comparable: loss v1 and loss v2
  dddddddd  model m    2.5   [2.3, 2.7]    +0.1  no verdict, overlap
  eeeeeeee  model m      -                       not measured
  ffffffff  model m    2.4  [2.2, 2.65]    -0.5  better
  gggggggg  model m    2.9   [2.7, 3.1]
""")


@pytest.mark.usefixtures("loop")
def test_two_branches_in_plain_ascii(
    run: Run, transcript: Transcript, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each branch has a mark; without UTF-8 the plot does without."""
    monkeypatch.setenv("LC_ALL", "C")
    run("branch", "loop/old", "loop/tutor~1")

    assert transcript("log --metric distinct_2 loop/tutor loop/old -n 2") == snapshot("""\
$ lineage log --metric distinct_2 loop/tutor loop/old -n 2
distinct_2 v1
   0.257 | o
         |
         |
         |
  0.2235 |
         |       *
         |
         |
    0.19 |             *
         +--------------
           0           2
  * loop/tutor   o loop/old

loop/tutor
  commit                  value  interval  change
  aaaaaaaa  generation 2   0.19            -0.023
  bbbbbbbb  generation 1  0.213            -0.044

loop/old
  commit                  value  interval  change
  bbbbbbbb  generation 1  0.213            -0.044
  cccccccc  generation 0  0.257
""")


@pytest.mark.usefixtures("trained")
def test_formats_have_every_step(run: Run) -> None:
    """JSON, JSONL and CSV have the same steps, those without a value, too."""
    whole = run("log", "--metric", "loss", "--format", "json").json()
    lines = run("log", "--metric", "loss", "--format", "jsonl").jsonl()
    rows = [
        *csv.DictReader(
            run("log", "--metric", "loss", "--format", "csv").stdout.splitlines()
        )
    ]

    [branch] = whole["branches"]
    assert (whole["metric"], branch["branch"]) == ("loss", "model/m")
    assert [step["id"] for step in branch["steps"]] == [line["id"] for line in lines]
    assert [row["value"] for row in rows] == ["0.5", "0.6", "2.5", "", "2.4", "2.9"]
    newest = branch["steps"][0]
    assert list(newest) == [
        "id", "git", "kind", "name", "number", "time", "value", "definition", "version",
        "direction", "n", "interval", "of", "event", "since", "delta", "verdict",
    ]  # fmt: skip
    assert (newest["number"], newest["delta"], newest["verdict"]) == (5, -0.1, "better")
    assert newest["event"]
    assert [s["verdict"] for s in branch["steps"]] == [
        "better", "not comparable", "no verdict", None, "better", None,
    ]  # fmt: skip


@pytest.mark.usefixtures("trained")
def test_the_past_knows_nothing_later(run: Run) -> None:
    """With --at, what was attested afterwards is not there yet."""
    events = run("events", "--format", "json").json()["events"]
    before = events[1]["id"]
    found = run("log", "--metric", "loss", "--at", before, "--format", "json").json()

    assert found["branches"][0]["steps"][0]["value"] is None


@pytest.mark.usefixtures("trained")
def test_a_drawing_beside_the_table(run: Run, repo: Registry) -> None:
    """--plot writes SVG or HTML and says where; the table is printed as ever."""
    for name, start in (("a.svg", "<svg"), ("b.html", "<!doctype html>")):
        done = run("log", "--metric", "loss", "--plot", name)

        assert done.stderr == f"drawn in {name}\n"
        assert (repo.root / name).read_text(encoding="utf-8").startswith(start)
        assert "not measured" in done.stdout


@pytest.mark.usefixtures("trained")
def test_what_makes_no_sense(transcript: Transcript) -> None:
    """Each mistake is one sentence that says what to do instead."""
    assert transcript(
        "log --metric perplexity",
        "log --metric loss --kind model",
        "log --metric loss --metric n",
        "log --plot a.svg",
        "log --metric loss --plot a.png",
        "log --metric loss --plot missing/a.svg",
        "log --metric loss --plot .git/a.svg",
        "log --metric loss -n 0 --plot a.svg",
        "log --metric loss -n 0",
        "log --all --metric nothing",
    ) == snapshot("""\
$ lineage log --metric perplexity
2> error: no commit on model/m has a metric perplexity
2> hint: there is loss
exit 5
$ lineage log --metric loss --kind model
2> error: the history of a metric takes no filters
2> hint: filters want conditions, such as --metric 'perplexity < 30'
exit 2
$ lineage log --metric loss --metric n
2> error: a history is of one metric at a time
2> hint: leave the others out: --metric loss
exit 2
$ lineage log --plot a.svg
2> error: --plot draws the history of a metric
2> hint: name it: --metric perplexity --plot perplexity.svg
exit 2
$ lineage log --metric loss --plot a.png
2> error: a.png names no drawing
2> hint: name it .svg or .html
exit 2
$ lineage log --metric loss --plot missing/a.svg
2> error: there is no folder missing to write the drawing to
exit 1
$ lineage log --metric loss --plot .git/a.svg
2> error: /test/repo/.git/a.svg is among the registry's own files
2> hint: choose another place
exit 2
$ lineage log --metric loss -n 0 --plot a.svg
2> error: there is nothing to draw
2> hint: take more with -n
exit 2
$ lineage log --metric loss -n 0

model/m
$ lineage log --all --metric nothing
2> error: no branch has a metric nothing
2> hint: `lineage show` lists the metrics of a commit
exit 5
""")


@pytest.mark.usefixtures("trained")
def test_of_several_branches_those_without_it_are_named(
    run: Run, repo: Registry
) -> None:
    """A set of branches may hold some that lack the metric; --all leaves them out."""
    repo.commit("model", "other", params={"x": 1})
    some = run("log", "--metric", "loss", "branches(model/*)", "--format", "json")
    whole = run("log", "--metric", "loss", "--all", "--format", "json")

    for done in (some, whole):
        assert [b["branch"] for b in done.json()["branches"]] == ["model/m"]
    assert some.stderr == "note: no commit on model/other has a metric loss\n"
    assert whole.stderr == ""


def test_a_name_with_an_operator_in_it_goes_in_quotes(repo: Registry, run: Run) -> None:
    """Double quotes make a name of what would be a condition."""
    repo.commit("model", "m", params={"x": 1}, metrics={"a<b": 1.5})
    found = run("log", "--metric", '"a<b"', "--format", "json").json()

    assert found["metric"] == "a<b"
    assert found["branches"][0]["steps"][0]["value"] == 1.5

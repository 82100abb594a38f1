"""`lineage attest`, and what others make of what it says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from inline_snapshot import snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., Any]
    Transcript = Callable[..., str]


def test_attesting_is_seen_by_show(loop: Any, transcript: Transcript) -> None:
    """The event's id is printed; show marks the metric with it, and lists it."""
    del loop
    assert transcript(
        "attest loop/tutor --metric accuracy=0.81,0.83,0.82 -m 'by hand'",
        "show loop/tutor",
        "attest loop/tutor --metric accuracy=0.81,0.83,0.82",
        "attest loop/tutor --withdraw accuracy",
    ) == snapshot("""\
$ lineage attest loop/tutor --metric accuracy=0.81,0.83,0.82 -m 'by hand'
aaaaaaaaaaaa…
2> said of generation tutor bbbbbbbb: accuracy
$ lineage show loop/tutor
generation 2 of tutor (HEAD -> loop/tutor)
id        bbbbbbbbbbbb…
git       cccccccccccc…
recorded  2026-01-02 03:04:05 +0000 (just now)
by        Ada Example <ada@example.com>

    generation 2 of tutor

edges
  role      commit    what                     share  evidence
  follows   dddddddd  generation tutor                observed
  includes  eeeeeeee  config tutor                    observed
  includes  ffffffff  dataset tutor-mixed             observed
  includes  gggggggg  model tutor                     observed
  includes  hhhhhhhh  dataset tutor-synthetic         observed

metrics
  name        value  interval              n  better  definition  attested
  accuracy     0.82  [0.7952, 0.8448]      3                      aaaaaaaa
  distinct_2   0.19                      900          v1
  perplexity   88.4                    4,000  lower   v1

params
  name        value
  generation  2

events
  time              event    by           message
  2026-01-02 03:04  metrics  Ada Example  accuracy 0.82: by hand
$ lineage attest loop/tutor --metric accuracy=0.81,0.83,0.82
aaaaaaaaaaaa…
2> said already of generation tutor bbbbbbbb: accuracy
$ lineage attest loop/tutor --withdraw accuracy
iiiiiiiiiiii…
2> said of generation tutor bbbbbbbb: accuracy
""")


def test_what_is_wrong_is_said(loop: Any, transcript: Transcript) -> None:
    """A recorded name, no number, nothing, both at once, and the past."""
    del loop
    assert transcript(
        "attest loop/tutor --metric perplexity=1",
        "attest loop/tutor --metric a=x",
        "attest loop/tutor --metric a=1,",
        "attest loop/tutor",
        "attest loop/tutor --withdraw a",
        "attest loop/tutor --metric a=1 --withdraw a",
        "attest nowhere --metric a=1",
    ) == snapshot("""\
$ lineage attest loop/tutor --metric perplexity=1
2> error: aaaaaaaaaaaa records perplexity itself, and that holds
2> hint: attest it under another name
exit 2
$ lineage attest loop/tutor --metric a=x
2> error: the metric a: a metric is a number, not 'x'
exit 2
$ lineage attest loop/tutor --metric a=1,
2> error: the metric a: a metric is a number, not None
exit 2
$ lineage attest loop/tutor
2> error: there is nothing to attest
2> hint: give at least one metric
exit 2
$ lineage attest loop/tutor --withdraw a
2> error: nobody attested a of aaaaaaaaaaaa
2> hint: `lineage show` lists what was attested
exit 2
$ lineage attest loop/tutor --metric a=1 --withdraw a
2> error: a is both attested and withdrawn
exit 2
$ lineage attest nowhere --metric a=1
2> error: no branch, tag or commit is called 'nowhere'
2> hint: `lineage branch` lists the branches, `lineage log` the commits
exit 5
""")


def test_a_file_has_all_that_a_metric_can_have(loop: Any, run: Run) -> None:
    """Definitions and directions come from the file; a list is one of repeats."""
    text = "a: {value: 1, direction: higher, definition: d, version: 2}\nb: [1, 3]\n"
    loop.write("m.yaml", text)
    done = run("attest", "loop/tutor", "--metrics", "m.yaml", "--format", "json")
    said = done.json()
    assert said["created"] is True
    assert said["metrics"]["a"] == {
        "value": 1, "definition": "d", "version": 2, "direction": "higher",
        "n": None, "interval": None,
    }  # fmt: skip
    assert (said["metrics"]["b"]["value"], said["metrics"]["b"]["n"]) == (2, 2)
    shown = run("show", "loop/tutor", "--format", "json").json()["metrics"]
    assert shown["a"] == {**said["metrics"]["a"], "event": said["event"]}
    assert shown["perplexity"]["event"] is None
    again = run("attest", "loop/tutor", "--metrics", "m.yaml", "--format", "json")
    assert again.json() == {**said, "created": False, "schema_version": 1}


def test_log_shows_it_among_the_headlines(loop: Any, run: Run) -> None:
    """With its trend along the branch, up to what the log knew then."""
    for number, (id_, _) in enumerate(loop.made):
        run("attest", id_, "--metric", f"accuracy={number / 10}")
    shown = run("log", "loop/tutor").stdout
    assert "accuracy 0.2 ▁▅█" in shown
    listed = run("log", "loop/tutor", "--kind", "generation", "--format", "jsonl")
    assert [r["metrics"]["accuracy"] for r in listed.jsonl()] == [0.2, 0.1, 0.0]
    events = run("events", "--format", "jsonl").jsonl()
    then = run("log", "loop/tutor", "--at", events[1]["id"]).stdout
    assert "accuracy 0.1" in then
    assert "accuracy 0.2" not in then


def test_bisect_reads_what_was_attested(loop: Any, run: Run) -> None:
    """Values that came later are looked at like those that are recorded."""
    for (id_, _), value in zip(loop.made, (0.9, 0.88, 0.3), strict=True):
        run("attest", id_, "--metric", f"accuracy={value}")
    first = loop.made[0][0]
    done = run("bisect", "accuracy", "--good", first, "--format", "json")
    assert done.json()["culprit"] == loop.made[2][0]


@pytest.mark.parametrize("command", ["undo", "undo --dry-run"])
def test_undo_says_what_answers_an_attestation(
    loop: Any, run: Run, command: str
) -> None:
    """What was said stays said; the way to take it back is named."""
    event = run("attest", loop.made[0][0], "--metric", "a=1").stdout.strip()
    done = run(*command.split(), event)
    assert done.exit_code == 4
    assert "--withdraw NAME" in done.stderr

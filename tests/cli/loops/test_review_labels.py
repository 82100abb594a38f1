"""`lineage review`: labels, edits, the audit of a filter, two people."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from inline_snapshot import snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

    Run = Callable[..., Any]
    Transcript = Callable[..., str]

CHECKS = """\
def check_record(record):
    number = int(record["text"].split()[1])
    assert number % 4, "a number that four divides"
"""


def timeless(transcript: Transcript, *commands: str) -> str:
    """As if people had decided at once."""
    return re.sub(
        r"\b[\d.]+ s( each)?$", r"0 s\1", transcript(*commands), flags=re.MULTILINE
    )


@pytest.fixture
def filtered(toy: Any, run: Run) -> Any:
    """The loop `toy`, whose filter drops a quarter, held at generation 1."""
    toy.write("checks.py", CHECKS)
    toy.configure(
        num_generations=3, gates=[{"type": "check_record"}], review={"every": 1}
    )
    assert run("loop", "run").exit_code == 10
    return toy


def test_labels_and_what_they_say_of_the_filter(
    filtered: Any, run: Run, transcript: Transcript
) -> None:
    """Blind records, labels from a file, the audit, and the loop's status."""
    lines = run("review", "show", "--blind", "--format", "jsonl").jsonl()
    assert {"stratum", "why", "flags"}.isdisjoint(lines[0])
    labels = [
        {"id": line["id"], "right": int(line["text"].split()[1]) % 4 != 0}
        for line in lines
    ]
    text = "".join(json.dumps(label) + "\n" for label in labels)
    filtered.write("labels.jsonl", text)

    assert timeless(
        transcript,
        "review show --blind -n 2",
        "review label toy --file labels.jsonl",
        "review audit toy",
        "review approve toy --note 'reads well'",
        "review list --all",
        "loop status",
    ) == snapshot("""\
$ lineage review show --blind -n 2
aaaaaaaaaaaa generation 1 of toy

2 of 40 records, in random order
  g1-1
    record 1 of 1 is good
  g1-12
    record 12 of 1 is good
2> next: lineage review label aaaaaaaaaaaa g1-1 --right  or --wrong
2>       lineage review approve aaaaaaaaaaaa             lets the loop go on
2>       lineage review reject aaaaaaaaaaaa --note WHY   keeps it aside
$ lineage review label toy --file labels.jsonl
bbbbbbbbbbbb…
2> 30 labels by Ada Example: 20 right, 10 wrong
2> next: lineage review audit toy  what labels say of the filter
$ lineage review audit toy
loop/toy, generation 1: safe
  25 % of what the model writes is wrong; the filter copes with up to 100 %

  100 %  of the right records it keeps (phi)  91 to 100 %
    0 %  of the wrong records it keeps (psi)  0 to 17 %
   25 %  of what was written is wrong (p)     18 to 30 %
  100 %  could be wrong at most (p*)          86 to 100 %
   75 %  is the margin (p* - p)               56 to 80 %

  labels drawn at random: 20 of 30 kept (20 right); 5 of 10 dropped (0 right)
  that do not count: 5 not drawn at random, 0 disputed
$ lineage review approve toy --note 'reads well'
cccccccccccc…
2> aaaaaaaaaaaa approved by Ada Example: reads well
2> next: lineage loop run FILE  the loop acts on it when it runs
$ lineage review list --all
loop  gen.  of          commit        state     by           took
toy      1  generation  aaaaaaaaaaaa  approved  Ada Example  0 s
  every generation -> reads well
2> nothing waits for review
$ lineage loop status
loop/toy  generation 1, idle
  generation  commit    perplexity  distinct_2  duplicate_rate      kept
           0  dddddddd          20           -               -         -
           1  aaaaaaaa          21        0.42               0  30 of 40
  people: 1 of 1 generation reviewed; of 40 records 30 shown, 30 labelled; 0 s each
  filter: safe
    25 % of what the model writes is wrong; the filter copes with up to 100 %
""")


def test_two_people(toy: Any, transcript: Transcript) -> None:
    """One approval of two is said, and the same person again is told."""
    toy.configure(num_generations=1, review={"every": 1, "approvals": 2})

    assert transcript(
        "loop run", "review approve toy", "review approve toy", "review list"
    ) == snapshot("""\
$ lineage loop run
2> toy 0/1           perplexity 20  0.1 s
2> toy 1/1           perplexity 21  distinct_2 0.415  kept 40  0.1 s
2> waiting: loop/toy waits for a review of generation 1, aaaaaaaaaaaa: every
2>   generation
2> next: lineage review show toy     what there is to see
2>       lineage review approve toy  or reject, with --note WHY
2>       lineage loop run loop.yaml  goes on, or back, as you decide
exit 10
$ lineage review approve toy
bbbbbbbbbbbb…
2> aaaaaaaaaaaa approved by Ada Example
2> next: lineage review approve aaaaaaaaaaaa  1 more person has to say
$ lineage review approve toy
2> error: Ada Example has approved aaaaaaaaaaaa already, which counts once
2> hint: 1 more person has to approve it
exit 2
$ lineage review list
loop  generation  waits       commit        since     approved  why
toy            1  generation  aaaaaaaaaaaa  just now  1 of 2    every generation
2> next: lineage review show toy  what there is to see
""")


def test_an_edit(filtered: Any, transcript: Transcript) -> None:
    """What was put right is counted, and the loop makes the generation from it."""
    record = {"id": "g1-1", "text": "record 1 was put right by hand"}
    filtered.write("better.jsonl", json.dumps(record) + "\n")

    assert transcript(
        "review edit toy --file better.jsonl --drop g1-2",
        "review edit toy --drop nothing",
        "loop run",
    ) == snapshot("""\
$ lineage review edit toy --file better.jsonl --drop g1-2
aaaaaaaaaaaa…
2> 1 edited, 1 dropped
2> next: lineage diff bbbbbbbbbbbb aaaaaaaaaaaa  what is different
2>       lineage loop run FILE                   the loop goes on with them
$ lineage review edit toy --drop nothing
2> error: cccccccccccc does not wait for review
2> hint: `lineage review list` shows what does
exit 2
$ lineage loop run
2> toy 1/3           generate, check reused from loop/toy generation 1
2> toy 1/3           evaluate reused from loop/toy generation 1
2> toy 1/3           perplexity 21  distinct_2 0.4452  kept 29  0.1 s
2> waiting: loop/toy waits for a review of generation 1, dddddddddddd: every
2>   generation
2> next: lineage review show toy     what there is to see
2>       lineage review approve toy  or reject, with --note WHY
2>       lineage loop run loop.yaml  goes on, or back, as you decide
exit 10
""")


ODD = {
    '{"right": true}': 'line 2 has no "id"',
    '{"id": 1, "right": true}': 'line 2: "id" is 1, not the name of a record',
    '{"id": "", "right": true}': "line 2: \"id\" is '', not the name of a record",
    '{"id": "g1-1", "Right": true}': 'line 2 has no "right"',
    '{"id": "g1-1", "right": "Yes"}': "line 2: \"right\" is 'Yes', not true or false",
    '{"id": "g1-1", "right": null}': 'line 2: "right" is null, not true or false',
    '{"id": "g1-1", "right": true, "note": 3}': 'line 2: "note" is 3, not text',
    '{"id": " G1-1 ", "right": true}': "no record is called ' G1-1 '",
    '{"id": "g1-0", "right": false}': "the record g1-0 is labelled right and wrong",
    '["g1-1", true]': "line 2 is not a JSON object",
    "wrong": "line 2 is not JSON",
    "[" * 100_000: "line 2 is not JSON",
}


def test_odd_lines_of_labels(filtered: Any, run: Run) -> None:
    """A line that says nothing clear is named with what is wrong, and none counts."""
    for line, sentence in ODD.items():
        filtered.write("odd.jsonl", f'{{"id": "g1-0", "right": true}}\n{line}\n')
        result = run("review", "label", "toy", "--file", "odd.jsonl")

        assert (result.exit_code, result.stdout) == (2, "")
        assert sentence in result.stderr
        assert ("one is called 'g1-1'" in result.stderr) == ("G1-1" in line)
    assert run("review", "audit", "toy").stderr.startswith("no record of toy has a lab")


def test_labels_from_a_spreadsheet(filtered: Any, run: Run) -> None:
    """A mark of UTF-8, CRLF, empty lines, and the same said twice are understood."""
    line = '{"id": "g1-0", "right": true%s}'
    text = "\r\n".join(("\ufeff" + line % "", "", line % ', "note": "sure"', "  "))
    filtered.write("labels.jsonl", text)
    made = run(
        *("review", "label", "toy", "--file", "labels.jsonl"),
        *("--note", "read twice", "--format", "json"),
    ).json()

    [label] = made["labels"]
    assert [*label] == ["id", "sha256", "stratum", "why", "right", "note"]
    assert (label["id"], label["right"], label["note"]) == ("g1-0", True, "sure")
    assert "right" in run("review", "label", "toy", "--right", "--file", "x").stderr


def test_what_cannot_be_labelled(filtered: Any, transcript: Transcript) -> None:
    """A record that is not there, no answer, no JSON, and no labels at all."""
    filtered.write("broken.jsonl", "{")

    assert transcript(
        "review label toy g1-99 --right",
        "review label toy g1-1",
        "review label toy --file broken.jsonl",
        "review audit",
        "review audit toy",
    ) == snapshot("""\
$ lineage review label toy g1-99 --right
2> error: no record is called 'g1-99'
2> hint: `lineage review show` says what records are called
exit 2
$ lineage review label toy g1-1
2> error: say --right or --wrong
exit 2
$ lineage review label toy --file broken.jsonl
2> error: broken.jsonl: line 1 is not JSON
exit 2
$ lineage review audit
2> error: nothing is labelled
2> hint: `lineage loop status` lists the loops
exit 5
$ lineage review audit toy
2> no record of toy has a label
2> next: lineage review show toy --blind  records to label
""")

# ruff: noqa: E501 - transcripts are as wide as they are
"""`lineage taint`, and where its marks are seen."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from inline_snapshot import snapshot

from lineage import Edge

if TYPE_CHECKING:
    from collections.abc import Callable

    from lineage.registry import Registry
    from tests.cli.conftest import Loop
    from tests.conftest import Run

    Transcript = Callable[..., str]


@pytest.mark.usefixtures("loop")
def test_tainting_listing_and_lifting(transcript: Transcript) -> None:
    """A taint is an event; it is listed, and lifted by another one."""
    assert transcript(
        "taint",
        "taint dataset/gutenberg --reason 'the licence was withdrawn'",
        "taint",
        "taint --lift dataset/gutenberg --reason 'it was another edition'",
        "taint",
        "taint --lift dataset/gutenberg --reason again",
        "status --tainted",
    ) == snapshot("""\
$ lineage taint
2> nothing is tainted
$ lineage taint dataset/gutenberg --reason 'the licence was withdrawn'
aaaaaaaaaaaa…
2> tainted dataset gutenberg bbbbbbbb
2> it reached 10 commits
$ lineage taint
event     commit    what               records  reached
aaaaaaaa  bbbbbbbb  dataset gutenberg      all       10  stands
  tainted 2026-01-02 03:04 by Ada Example: the licence was withdrawn
$ lineage taint --lift dataset/gutenberg --reason 'it was another edition'
cccccccccccc…
2> lifted from dataset gutenberg bbbbbbbb: the licence was withdrawn
$ lineage taint
event     commit    what               records  reached
aaaaaaaa  bbbbbbbb  dataset gutenberg      all        0  lifted
  tainted 2026-01-02 03:04 by Ada Example: the licence was withdrawn
  lifted 2026-01-02 03:04 by Ada Example: it was another edition
$ lineage taint --lift dataset/gutenberg --reason again
2> error: no taint of dataset/gutenberg stands
2> hint: `lineage taint` lists the taints
exit 5
$ lineage status --tainted
2> no branch and no tag is tainted
""")


@pytest.mark.usefixtures("loop")
def test_every_descendant_shows_it(transcript: Transcript) -> None:
    """log, show, diff, impact, status and a revset say it of all that came of it."""
    assert transcript(
        "-q taint loop/tutor~1^includes(model) --reason 'trained on test data'",
        "tag v1 loop/tutor~1",
        "log -n 3",
        "show loop/tutor^includes(model) --format md",
        "diff --only params",
        "diff --only params --format md",
        "status --tainted",
        "status --tainted --format jsonl",
        "log 'tainted() & kind(model)' --format md",
        "impact loop/tutor~1^includes(model) --limit 1",
    ) == snapshot("""\
$ lineage -q taint loop/tutor~1^includes(model) --reason 'trained on test data'
aaaaaaaaaaaa…
$ lineage tag v1 loop/tutor~1
2> v1 is bbbbbbbbbbbb
2> ! tainted by model tutor cccccccc: trained on test data
$ lineage log -n 3
●  dddddddd generation 2 of tutor (HEAD -> loop/tutor)     Ada Example, just now
│  ! tainted by model tutor cccccccc: trained on test data
│  perplexity 88.4 ▁▆█  distinct_2 0.19 █▃▁
│  ← model eeeeeeee · mixed ffffffff · synthetic gggggggg 50 %
│    gutenberg hhhhhhhh 50 % · config iiiiiiii
●  bbbbbbbb generation 1 of tutor (tag: v1)                Ada Example, just now
│  ! tainted by model tutor cccccccc: trained on test data
│  perplexity 83.2  distinct_2 0.213
│  ← model cccccccc · mixed jjjjjjjj · synthetic kkkkkkkk 50 %
│    gutenberg hhhhhhhh 50 % · config iiiiiiii
●  llllllll generation 0 of tutor                          Ada Example, just now
   perplexity 68.4  distinct_2 0.257
   ← model mmmmmmmm · gutenberg hhhhhhhh · config iiiiiiii
$ lineage show loop/tutor^includes(model) --format md
# model tutor

- tainted: trained on test data (by cccccccc)
- id: eeeeeeeeeeee…
- git: nnnnnnnnnnnn…
- recorded: 2026-01-02 03:04:05 +0000 (just now)
- by: Ada Example \\<ada@example.com\\>
- payload: 2 files, 1.01 kB
- from: model

## edges

| role | commit | what | share | evidence |
| --- | --- | --- | ---: | --- |
| configured\\_by | iiiiiiii | config tutor |  | observed |
| trained\\_on | ffffffff | dataset tutor-mixed |  | observed |

## files

| path | size | sha256 |
| --- | ---: | --- |
| config.json | 14 B | oooooooooooo |
| weights.bin | 1 kB | pppppppppppp |
$ lineage diff --only params
old  bbbbbbbb generation 1 of tutor (tag: v1), just now
     ! tainted by model tutor cccccccc: trained on test data
new  dddddddd generation 2 of tutor (HEAD -> loop/tutor), just now
     ! tainted by model tutor cccccccc: trained on test data

params
  path        old  new
  generation  1    2
$ lineage diff --only params --format md
- old: generation 1 of tutor, `bbbbbbbbbbbb…`
  ! tainted by model tutor cccccccc: trained on test data
- new: generation 2 of tutor, `dddddddddddd…`
  ! tainted by model tutor cccccccc: trained on test data

## params

| path | old | new |
| --- | --- | --- |
| generation | 1 | 2 |
$ lineage status --tainted
        name        commit    tainted
branch  loop/tutor  dddddddd  trained on test data (by cccccccc)
tag     v1          bbbbbbbb  trained on test data (by cccccccc)
exit 3
$ lineage status --tainted --format jsonl
{"schema_version": 1, "name": "loop/tutor", "what": "branch", "id": "dddddddddddd…", "tainted": [{"event": "aaaaaaaaaaaa…", "subject": "cccccccccccc…", "reason": "trained on test data", "perhaps": false, "records": null}]}
{"schema_version": 1, "name": "v1", "what": "tag", "id": "bbbbbbbbbbbb…", "tainted": [{"event": "aaaaaaaaaaaa…", "subject": "cccccccccccc…", "reason": "trained on test data", "perhaps": false, "records": null}]}
exit 3
$ lineage log 'tainted() & kind(model)' --format md
| id | kind | name | generation | time | author | message | metrics | names | live | tainted |
| --- | --- | --- | ---: | --- | --- | --- | --- | --- | --- | --- |
| eeeeeeeeeeee | model | tutor | 2 | 2026-01-02 03:04:05 +0000 | Ada Example \\<ada@example.com\\> |  |  |  |  | trained on test data |
| cccccccccccc | model | tutor | 1 | 2026-01-02 03:04:05 +0000 | Ada Example \\<ada@example.com\\> |  |  |  |  | trained on test data |
$ lineage impact loop/tutor~1^includes(model) --limit 1
cccccccc model tutor generation 1 reached 5 commits
2 generations, 1 model, 2 datasets, at most 1 turn away
! tainted: trained on test data

branches
  branch      since                            affected  tip
  loop/tutor  bbbbbbbb  generation 1 of tutor    2 of 2  affected

tags
  tag  commit    what
  v1   bbbbbbbb  generation 1 of tutor

reached
  commit    what                   its own  written  weights  turns  names
  bbbbbbbb  generation 1 of tutor      0 %      0 %  yes          0  tag: v1
  … 4 more; --limit 5 shows them
""")


def test_whoever_builds_on_it_or_names_it_is_told(
    loop: Loop, transcript: Transcript
) -> None:
    """Getting, recording, running and naming say it; what comes of nothing bad does not."""
    loop.write("new.txt", "new\n")
    loop.write("clean.txt", "clean\n")
    transcript("taint dataset/gutenberg --reason 'the licence was withdrawn'")
    assert transcript(
        "get dataset/gutenberg out.txt",
        "commit dataset new.txt --name new --derived-from dataset/gutenberg",
        "commit dataset new.txt --name new --derived-from dataset/gutenberg",
        "commit dataset clean.txt --name clean --origin human",
        "run --use dataset/gutenberg --output dataset/copy=copy.txt -- cp new.txt copy.txt",
        "branch mine dataset/new",
        "tag v1 loop/tutor",
        "status",
    ) == snapshot("""\
$ lineage get dataset/gutenberg out.txt
/test/repo/out.txt
2> 1 file, 1.04 kB, verified
2> ! tainted: the licence was withdrawn
$ lineage commit dataset new.txt --name new --derived-from dataset/gutenberg
aaaaaaaaaaaa…
2> dataset new recorded on dataset/new: 1 file, 4 B
2> ! tainted by dataset gutenberg bbbbbbbb: the licence was withdrawn
$ lineage commit dataset new.txt --name new --derived-from dataset/gutenberg
aaaaaaaaaaaa…
2> dataset new is unchanged on dataset/new
2> ! tainted by dataset gutenberg bbbbbbbb: the licence was withdrawn
$ lineage commit dataset clean.txt --name clean --origin human
cccccccccccc…
2> dataset clean recorded on dataset/clean: 1 file, 6 B
$ lineage run --use dataset/gutenberg --output dataset/copy=copy.txt -- cp new.txt copy.txt
dddddddddddd…
2> dataset copy recorded as dddddddd
2> ! tainted by dataset gutenberg bbbbbbbb: the licence was withdrawn
$ lineage branch mine dataset/new
2> mine is at aaaaaaaaaaaa
2> ! tainted by dataset gutenberg bbbbbbbb: the licence was withdrawn
$ lineage tag v1 loop/tutor
2> v1 is eeeeeeeeeeee
2> ! tainted by dataset gutenberg bbbbbbbb: the licence was withdrawn
$ lineage status
2> HEAD is mine
2> ! tainted by dataset gutenberg bbbbbbbb: the licence was withdrawn
2> no committed file has changed
""")


@pytest.mark.usefixtures("loop")
def test_what_cannot_be_tainted(transcript: Transcript) -> None:
    """Each mistake is a sentence, and nothing is recorded."""
    assert transcript(
        "taint dataset/gutenberg",
        "taint --reason x",
        "taint dataset/gutenberg --lift dataset/gutenberg --reason x",
        "taint dataset/gutenberg --reason ' '",
        "taint loop/tutor --record 1 --reason x",
        "taint dataset/gutenberg --record 99 --record nobody --reason x",
        "taint dataset/gutenberg --records nowhere.txt --reason x",
        "taint --lift HEAD --reason x",
        "taint",
    ) == snapshot("""\
$ lineage taint dataset/gutenberg
2> error: a taint, and what lifts it, has a reason
2> hint: --reason WHY
exit 2
$ lineage taint --reason x
2> error: one commit is tainted, or one taint is lifted
2> hint: lineage taint REV --reason WHY, or lineage taint --lift REV --reason WHY
exit 2
$ lineage taint dataset/gutenberg --lift dataset/gutenberg --reason x
2> error: one commit is tainted, or one taint is lifted
2> hint: lineage taint REV --reason WHY, or lineage taint --lift REV --reason WHY
exit 2
$ lineage taint dataset/gutenberg --reason ' '
2> error: a taint, and what lifts it, has a reason
2> hint: say what is wrong, or why it is not
exit 2
$ lineage taint loop/tutor --record 1 --reason x
2> error: no file of aaaaaaaaaaaa holds records
2> hint: records are read from JSONL, JSON, CSV, TSV, Parquet, Arrow and text
exit 1
$ lineage taint dataset/gutenberg --record 99 --record nobody --reason x
2> error: bbbbbbbbbbbb has no record '99', 'nobody'
2> hint: name a record by its number, its identity or its text
exit 5
$ lineage taint dataset/gutenberg --records nowhere.txt --reason x
2> error: nowhere.txt cannot be read: No such file or directory
exit 2
$ lineage taint --lift HEAD --reason x
2> error: no taint of HEAD stands
2> hint: `lineage taint` lists the taints
exit 5
$ lineage taint
2> nothing is tainted
""")


def test_a_copy_that_no_edge_leads_to_is_named(repo: Registry, run: Run) -> None:
    """The same files under another name are as bad, and the taint is not theirs."""
    (repo.root / "bad.txt").write_text("1\n2\n")
    (repo.root / "folder").mkdir()
    for name in ("bad.txt", "more.txt"):
        (repo.root / "folder" / name).write_text("1\n2\n" * (len(name) - 6))
    bad = repo.commit("dataset", "bad", repo.root / "bad.txt")
    edge = Edge("derived_from", bad.id)
    repo.commit("dataset", "derived", repo.root / "bad.txt", edges=[edge])
    copy = repo.commit("dataset", "copy", repo.root / "bad.txt", params={"x": 1})
    whole = repo.commit("dataset", "whole", repo.root / "folder")

    said = run("taint", "dataset/bad", "--reason", "leaked").stderr
    named = f"dataset whole {whole.id[:8]} and dataset copy {copy.id[:8]}"
    assert f"note: the same files are in {named}, which it did not reach" in said

    said = run("taint", "dataset/whole", "--reason", "leaked").stderr
    assert "note" not in said


def test_some_records_and_where_they_went(repo: Registry, run: Run) -> None:
    """Records of a file are counted in what is derived from theirs."""
    folder = repo.root

    def write(name: str, *texts: str) -> None:
        lines = (json.dumps({"text": text}) + "\n" for text in texts)
        (folder / name).write_text("".join(lines), encoding="utf-8")

    write("raw.jsonl", "one", "two", "three, with Ann's address", "four")
    write("kept.jsonl", "four", "three, with Ann's address")
    write("clean.jsonl", "two", "one")
    (folder / "bad.txt").write_text("three, with Ann's address\n1\n", encoding="utf-8")
    run("commit", "dataset", "raw.jsonl", "--name", "raw")
    for name in ("kept", "clean"):
        path = f"{name}.jsonl"
        run("commit", "dataset", path, "--name", name, "--derived-from", "dataset/raw")
    run(
        "commit",
        "model",
        "--name",
        "m",
        "--param",
        "x=1",
        "--trained-on",
        "dataset/kept",
    )
    made = run("taint", "dataset/raw", "--records", "bad.txt", "--reason", "personal")
    run("taint", "dataset/raw", "--record", "2", "--reason", "a mistake")
    found = run("taint", "--format", "json").json()["taints"]

    assert made.exit_code == 0
    assert [(t["reason"], t["records"], t["reached"]) for t in found] == [
        ("personal", 2, 3),
        ("a mistake", 1, 1),
    ]
    seen = {one["name"]: [one["low"], one["high"], one["of"]] for one in found[0]["in"]}
    assert seen == {"raw": [2, 2, 4], "kept": [1, 1, 2], "clean": [1, 1, 2]}
    assert {one["name"] for one in found[1]["in"]} == {"raw", "kept", "clean"}
    tainted = run("log", "tainted()", "--format", "jsonl").jsonl()
    marks = {one["name"]: [t["reason"] for t in one["tainted"]] for one in tainted}
    assert marks == {
        "raw": ["personal", "a mistake"],
        "kept": ["personal"],
        "clean": ["personal", "a mistake"],
        "m": ["personal"],
    }


def test_taints_of_then(loop: Loop, run: Run) -> None:
    """With --at nothing is tainted that was not yet, and lifted ones are not lifted."""
    del loop
    before = run("events", "--format", "jsonl").jsonl()[0]["id"]
    event = run("taint", "dataset/gutenberg", "--reason", "bad").stdout.strip()
    run("taint", "--lift", event, "--reason", "no")
    shown = {
        at: run("show", "--at", at, "--format", "json").json()["tainted"]
        for at in (before, event, "now")
    }

    assert [len(found) for found in shown.values()] == [0, 1, 0]
    assert run("status", "--tainted", "--at", event).exit_code == 3
    assert run("status", "--tainted", "--at", before).exit_code == 0
    assert run("taint", "loop/tutor", "--reason", "x", "--at", event).exit_code == 4


def test_undoing_a_taint_says_how_to_lift_it(loop: Loop, run: Run) -> None:
    """What was said stays said: undo names the way."""
    del loop
    event = run("taint", "dataset/gutenberg", "--reason", "bad").stdout.strip()
    done: Any = run("undo", event)

    assert done.exit_code == 4
    assert "lineage taint --lift" in done.stderr


def test_a_trace_says_it(loop: Loop, run: Run) -> None:
    """`trace` names the taint before what the commit is made of, and in JSON."""
    event = run("taint", "dataset/gutenberg", "--reason", "bad").stdout.strip()
    told = run("trace", "loop/tutor").stdout.splitlines()
    found = run("trace", "loop/tutor", "--format", "json").json()["tainted"]

    assert told[2].split() == ["tainted", "bad", "(by", f"{loop.human[:8]})"]
    assert [(one["event"], one["subject"]) for one in found] == [(event, loop.human)]


@pytest.mark.usefixtures("loop")
def test_a_tainted_generation_names_its_parts(transcript: Transcript) -> None:
    """Nothing comes of a generation itself: whoever taints one is told of what."""
    assert transcript("taint loop/tutor~1 --reason 'a bad night'") == snapshot("""\
$ lineage taint loop/tutor~1 --reason 'a bad night'
aaaaaaaaaaaa…
2> tainted generation tutor bbbbbbbb
2> nothing came of it
2> note: what comes of a generation comes of its parts: config cccccccc, model dddddddd, dataset eeeeeeee, dataset ffffffff
""")

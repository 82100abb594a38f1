# ruff: noqa: E501 - transcripts are as wide as they are
"""`lineage log`: the drawing, the filters, the formats."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Any

import pytest
from inline_snapshot import snapshot

from lineage.store.objects import Edge

if TYPE_CHECKING:
    from collections.abc import Callable

    from lineage.registry import Registry

    Run = Callable[..., Any]
    Transcript = Callable[..., str]


def test_generations_are_rows_and_what_they_are_made_of_chips(
    loop: Any, transcript: Transcript
) -> None:
    """Each generation is a row with its metrics; inputs are named, without rails."""
    assert loop.made
    assert transcript("log") == snapshot("""\
$ lineage log
●  aaaaaaaa generation 2 of tutor (HEAD -> loop/tutor)     Ada Example, just now
│  perplexity 88.4 ▁▆█  distinct_2 0.19 █▃▁
│  ← model bbbbbbbb · mixed cccccccc · synthetic dddddddd 50 %
│    gutenberg eeeeeeee 50 % · config ffffffff
●  gggggggg generation 1 of tutor                          Ada Example, just now
│  perplexity 83.2  distinct_2 0.213
│  ← model hhhhhhhh · mixed iiiiiiii · synthetic jjjjjjjj 50 %
│    gutenberg eeeeeeee 50 % · config ffffffff
●  kkkkkkkk generation 0 of tutor                          Ada Example, just now
   perplexity 68.4  distinct_2 0.257
   ← model llllllll · gutenberg eeeeeeee · config ffffffff
""")


@pytest.mark.usefixtures("loop")
def test_two_branches_meet_where_they_parted(transcript: Transcript) -> None:
    """A branch that left after generation 1 joins the other one there."""
    assert transcript(
        "branch loop/other loop/tutor~1",
        "-q commit generation --name other --metric perplexity=79.5 -m 'less noise' "
        "--follows HEAD --includes loop/tutor^includes(model)",
        "tag v1 loop/tutor",
        "log --all",
    ) == snapshot("""\
$ lineage branch loop/other loop/tutor~1
2> loop/other is at aaaaaaaaaaaa
$ lineage -q commit generation --name other --metric perplexity=79.5 -m 'less noise' --follows HEAD --includes loop/tutor^includes(model)
bbbbbbbbbbbb…
$ lineage tag v1 loop/tutor
2> v1 is cccccccccccc
$ lineage log --all
●  bbbbbbbb generation 2 of other (HEAD -> loop/other)     Ada Example, just now
│  less noise
│  perplexity 79.5
│  ← model tutor dddddddd · tutor-mixed eeeeeeee · config tutor ffffffff
│ ●  cccccccc generation 2 of tutor (loop/tutor, tag: v1)  Ada Example, just now
├─╯  perplexity 88.4 ▁▆█  distinct_2 0.19 █▃▁
│    ← model dddddddd · mixed eeeeeeee · synthetic gggggggg 50 %
│      gutenberg hhhhhhhh 50 % · config ffffffff
●  aaaaaaaa generation 1 of tutor                          Ada Example, just now
│  perplexity 83.2  distinct_2 0.213
│  ← model iiiiiiii · mixed jjjjjjjj · synthetic kkkkkkkk 50 %
│    gutenberg hhhhhhhh 50 % · config ffffffff
●  llllllll generation 0 of tutor                          Ada Example, just now
   perplexity 68.4  distinct_2 0.257
   ← model mmmmmmmm · gutenberg hhhhhhhh · config ffffffff
""")


def test_a_failed_gate_is_named(loop: Any, transcript: Transcript) -> None:
    """A generation that was stopped has a glyph of its own and says which gate."""
    gate = {"id": "diversity", "type": "diversity", "verdict": "fail", "value": 0.02}
    loop.turn(140.0, 0.02, gates=[gate], branch="loop/tutor@rejected")

    assert transcript("log loop/tutor@rejected -n 1") == snapshot("""\
$ lineage log loop/tutor@rejected -n 1
✗  aaaaaaaa generation 3 of tutor (HEAD -> loop/tutor@rejected)
│  Ada Example, just now
~  perplexity 140 ▁▂▃█  distinct_2 0.02 █▇▆▁
   gate failed: diversity
   ← model bbbbbbbb · mixed cccccccc · synthetic dddddddd 50 %
     gutenberg eeeeeeee 50 % · config ffffffff
""")


@pytest.mark.usefixtures("repo")
def test_models_that_stand_alone_are_rows(transcript: Transcript) -> None:
    """A hand-made chain reads like git log: models, with data as chips."""
    assert transcript(
        "-q commit model --name base --external hf://org/base",
        "-q commit dataset --name seed --param rows=9",
        "-q commit model --name g1 --trained-on dataset/seed "
        "--fine-tuned-from model/base --metric loss=2.5",
        "-q commit dataset --name synth --generated-by model/g1 "
        "--derived-from dataset/seed",
        "-q commit model --name g2 --trained-on dataset/synth "
        "--fine-tuned-from model/base --metric loss=2.25",
        "-q commit dataset --name loose --param rows=4",
        "log --all",
    ) == snapshot("""\
$ lineage -q commit model --name base --external hf://org/base
aaaaaaaaaaaa…
$ lineage -q commit dataset --name seed --param rows=9
bbbbbbbbbbbb…
$ lineage -q commit model --name g1 --trained-on dataset/seed --fine-tuned-from model/base --metric loss=2.5
cccccccccccc…
$ lineage -q commit dataset --name synth --generated-by model/g1 --derived-from dataset/seed
dddddddddddd…
$ lineage -q commit model --name g2 --trained-on dataset/synth --fine-tuned-from model/base --metric loss=2.25
eeeeeeeeeeee…
$ lineage -q commit dataset --name loose --param rows=4
ffffffffffff…
$ lineage log --all
○  ffffffff dataset loose (HEAD -> dataset/loose)          Ada Example, just now
◆  eeeeeeee model g2 generation 1 (model/g2)               Ada Example, just now
│  loss 2.25
│  ← model base aaaaaaaa · synth dddddddd · seed bbbbbbbb
◆  cccccccc model g1 (model/g1)                            Ada Example, just now
│  loss 2.5
│  ← seed bbbbbbbb
◆  aaaaaaaa model base at hf://org/base (model/base)       Ada Example, just now
""")


@pytest.mark.usefixtures("loop")
def test_full_draws_every_commit(transcript: Transcript) -> None:
    """--full shows parts and inputs as rows of their own, with every rail."""
    assert transcript("log --full loop/tutor~1") == snapshot("""\
$ lineage log --full loop/tutor~1
●          aaaaaaaa generation 1 of tutor                  Ada Example, just now
├─┬─┬─┬─╮  perplexity 83.2 ▁█  distinct_2 0.213 █▁
│ │ ◆ │ │  bbbbbbbb model tutor generation 1               Ada Example, just now
│ ╭─┴─╮ │
│ │   ○ │  cccccccc dataset tutor-mixed generation 1       Ada Example, just now
│ │   ├─╮
│ │   │ ○  dddddddd dataset tutor-synthetic generation 1   Ada Example, just now
│ ╭───┬─┤
● │   │ │  eeeeeeee generation 0 of tutor                  Ada Example, just now
╰─┬─────╮  perplexity 68.4  distinct_2 0.257
  │   │ ◆  ffffffff model tutor                            Ada Example, just now
  ╭───┬─╯
  □   │  gggggggg config tutor                             Ada Example, just now
      ○  hhhhhhhh dataset gutenberg (dataset/gutenberg)    Ada Example, just now
""")


@pytest.mark.usefixtures("loop")
def test_where_the_drawing_is_cut_the_rails_end(transcript: Transcript) -> None:
    """-n stops after that many rows and says that there is more."""
    assert transcript("log -n 1", "log -n 0") == snapshot("""\
$ lineage log -n 1
●  aaaaaaaa generation 2 of tutor (HEAD -> loop/tutor)     Ada Example, just now
│  perplexity 88.4 ▁▆█  distinct_2 0.19 █▃▁
~  ← model bbbbbbbb · mixed cccccccc · synthetic dddddddd 50 %
     gutenberg eeeeeeee 50 % · config ffffffff
$ lineage log -n 0
2> no such commit
""")


@pytest.mark.usefixtures("loop")
def test_a_narrow_terminal(
    transcript: Transcript, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In 44 columns lines are broken between facts, and cut, never wrapped."""
    monkeypatch.setenv("COLUMNS", "44")
    assert transcript("log -n 2") == snapshot("""\
$ lineage log -n 2
●  aaaaaaaa generation 2 of tutor (HEAD -> …
│  Ada Example, just now
│  perplexity 88.4 ▁▆█  distinct_2 0.19 █▃▁
│  ← model bbbbbbbb · mixed cccccccc
│    synthetic dddddddd 50 %
│    gutenberg eeeeeeee 50 %
│    config ffffffff
●  gggggggg generation 1 of tutor
│  Ada Example, just now
~  perplexity 83.2  distinct_2 0.213
   ← model hhhhhhhh · mixed iiiiiiii
     synthetic jjjjjjjj 50 %
     gutenberg eeeeeeee 50 %
     config ffffffff
""")


@pytest.mark.usefixtures("loop")
def test_no_graph(transcript: Transcript) -> None:
    """--no-graph prints the same rows below each other."""
    assert transcript("log --no-graph -n 2") == snapshot("""\
$ lineage log --no-graph -n 2
● aaaaaaaa generation 2 of tutor (HEAD -> loop/tutor)      Ada Example, just now
  perplexity 88.4 ▁▆█  distinct_2 0.19 █▃▁
  ← model bbbbbbbb · mixed cccccccc · synthetic dddddddd 50 %
    gutenberg eeeeeeee 50 % · config ffffffff

● gggggggg generation 1 of tutor                           Ada Example, just now
  perplexity 83.2  distinct_2 0.213
  ← model hhhhhhhh · mixed iiiiiiii · synthetic jjjjjjjj 50 %
    gutenberg eeeeeeee 50 % · config ffffffff
""")


@pytest.mark.usefixtures("loop")
def test_filters(transcript: Transcript) -> None:
    """Filters list commits of any kind, without rails."""
    assert transcript(
        "log --metric 'perplexity < 85' --kind generation",
        "log --name 'gut*'",
        "log --kind model -n 1",
        "log --until 2020-01-01",
        "log --author nobody",
        "log --param steps=250 --author ada@",
    ) == snapshot("""\
$ lineage log --metric 'perplexity < 85' --kind generation
● aaaaaaaa generation 1 of tutor                           Ada Example, just now
  perplexity 83.2 ▁█  distinct_2 0.213 █▁

● bbbbbbbb generation 0 of tutor                           Ada Example, just now
  perplexity 68.4  distinct_2 0.257
$ lineage log --name 'gut*'
○ cccccccc dataset gutenberg (dataset/gutenberg)           Ada Example, just now
$ lineage log --kind model -n 1
◆ dddddddd model tutor generation 2                        Ada Example, just now
$ lineage log --until 2020-01-01
2> no such commit
$ lineage log --author nobody
2> no such commit
$ lineage log --param steps=250 --author ada@
□ eeeeeeee config tutor                                    Ada Example, just now
""")


@pytest.mark.usefixtures("loop")
def test_filters_that_make_no_sense(transcript: Transcript) -> None:
    """Each is one sentence and a usage error."""
    assert transcript(
        "log --metric 'perplexity <'",
        "log --kind modle",
        "log --since soon",
        "log --graph --kind model",
    ) == snapshot("""\
$ lineage log --metric 'perplexity <'
2> error: the metric condition 'perplexity <' is wrong at character 13: expected a value
2> hint: write NAME OP VALUE
exit 2
$ lineage log --kind modle
2> error: 'modle' is not a kind of commit
2> hint: one of: config, dataset, model, generation
exit 2
$ lineage log --since soon
2> error: 'soon' is not a date
2> hint: write 2026-11-03, 2026-11-03T14:30, yesterday or '2 weeks ago'
exit 2
$ lineage log --graph --kind model
2> error: rails need every commit between two
2> hint: leave out --graph or the filter
exit 2
""")


def test_jsonl_has_the_documented_shape(loop: Any, run: Run) -> None:
    """Every commit is a line, newest first, with exactly the documented fields."""
    records = run("log", "--format", "jsonl").jsonl()
    newest = records[0]

    assert len(records) == len(loop.registry.ids)
    assert list(newest) == [
        "schema_version", "id", "git", "kind", "name", "time", "author", "message",
        "edges", "metrics", "params", "branches", "tags", "live", "generation",
        "tainted",
    ]  # fmt: skip
    assert newest["id"] == loop.made[-1][0]
    assert newest["git"] == loop.registry.git_oid(newest["id"])
    assert newest["author"] == "Ada Example <ada@example.com>"
    assert newest["metrics"] == {"distinct_2": 0.19, "perplexity": 88.4}
    assert newest["branches"] == ["loop/tutor"]
    assert newest["generation"] == 2
    assert all(list(edge) == ["role", "id", "evidence", "share"]
               for record in records for edge in record["edges"])  # fmt: skip


def test_json_shares(repo: Registry, run: Run) -> None:
    """A share is given as its pair of counts, and null where nobody counted."""
    seed = repo.commit("dataset", "seed", params={"rows": 2}).id
    share = {"records": [1, 4], "tokens": [10, 90]}
    edges = [Edge("derived_from", seed, share=share), Edge("configured_by", seed)]
    repo.commit("dataset", "mixed", edges=edges)

    document = run("log", "--format", "json").json()

    assert [edge["share"] for edge in document["commits"][0]["edges"]] == [None, share]
    assert document["schema_version"] == 1


@pytest.mark.usefixtures("loop")
def test_csv_and_markdown(run: Run) -> None:
    """CSV has a column per metric, Markdown a table for people."""
    rows = list(csv.DictReader(run("log", "--format", "csv").stdout.splitlines()))
    table = run("log", "--format", "md", "-n", "1").stdout.splitlines()

    assert rows[0]["metrics.perplexity"] == "88.4"
    assert rows[0]["branches"] == '["loop/tutor"]'
    assert rows[0]["params.generation"] == "2"
    assert table[1].startswith("| --- | --- |")
    assert "| generation | tutor | 2 |" in table[2].replace("---:", "")


@pytest.mark.usefixtures("repo")
def test_an_empty_registry(transcript: Transcript) -> None:
    """HEAD names nothing yet, which is said; --all is simply empty."""
    assert transcript("log", "log --all", "log --all --format json") == snapshot("""\
$ lineage log
2> error: HEAD names no commit yet
2> hint: commit something, or name a branch: `lineage branch` lists them
exit 5
$ lineage log --all
2> nothing yet
$ lineage log --all --format json
{
  "schema_version": 1,
  "commits": []
}
""")

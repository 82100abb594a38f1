# ruff: noqa: E501 - transcripts are as wide as they are
"""`lineage diff`: what changed, for people and programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from inline_snapshot import snapshot

from lineage.store.objects import Edge, Metric

if TYPE_CHECKING:
    from collections.abc import Callable

    from lineage.registry import Registry

    Run = Callable[..., Any]
    Transcript = Callable[..., str]


@pytest.mark.usefixtures("loop")
def test_generations_are_compared_part_by_part(transcript: Transcript) -> None:
    """HEAD is compared with the generation before it; it is said which is old."""
    assert transcript("diff") == snapshot("""\
$ lineage diff
old  aaaaaaaa generation 1 of tutor, just now
new  bbbbbbbb generation 2 of tutor (HEAD -> loop/tutor), just now

summary
  metrics  1 worse, 1 neither
           perplexity 83.2 → 88.4 worse, no interval
           distinct_2 0.213 → 0.19
  params   1 setting: generation 1 → 2
  config   1 setting: model/tutor/config.json:n_layer 2 → 3
  records  dataset/tutor-mixed: 20 added, 20 removed, text shifted (JS 1)
           dataset/tutor-synthetic: 10 added, 10 removed, text shifted (JS 1)
  files    4 changed

metrics
  name          old   new  change
  distinct_2  0.213  0.19  -0.023
  perplexity   83.2  88.4    +5.2  worse, no interval

params
  path        old  new
  generation  1    2

config
  path                             old  new
  model/tutor/config.json:n_layer  2    3

records dataset/tutor-mixed
              old  new
  records      20   20
  added             20
  removed      20
  duplicates   19   19

records dataset/tutor-mixed: what shifted
  column  kind             old         new  JS  KS  W1
  text    category  1 distinct  1 distinct   1

records dataset/tutor-mixed: some of them
                       file         number  record
  added 20 times       mixed.jsonl       1  {"text": "mixed 2"}
  removed 20 times     mixed.jsonl       1  {"text": "mixed 1"}
  duplicated 20 times  mixed.jsonl       1  {"text": "mixed 2"}

records dataset/tutor-synthetic
              old  new
  records      10   10
  added             10
  removed      10
  duplicates    9    9

records dataset/tutor-synthetic: what shifted
  column  kind             old         new  JS  KS  W1
  text    category  1 distinct  1 distinct   1

records dataset/tutor-synthetic: some of them
                       file             number  record
  added 10 times       synthetic.jsonl       1  {"text": "turn 2"}
  removed 10 times     synthetic.jsonl       1  {"text": "turn 1"}
  duplicated 10 times  synthetic.jsonl       1  {"text": "turn 2"}

files
           path                                     size
  changed  dataset/tutor-mixed/mixed.jsonl          400 B
  changed  dataset/tutor-synthetic/synthetic.jsonl  190 B
  changed  model/tutor/config.json                  14 B
  changed  model/tutor/weights.bin                  1 kB
2> note: the tensors of model/tutor/weights.bin are not compared: it is no state dict that torch has written
""")


def test_metrics_of_other_definitions_are_not_compared(
    repo: Registry, transcript: Transcript, run: Run
) -> None:
    """Numbers that mean different things have no difference, and it says why."""
    for version, loss in ((1, 2.5), (2, 1.5)):
        metrics = {
            "loss": Metric(loss, "cross_entropy", version, "lower"),
            "accuracy": Metric(0.25 * version, direction="higher"),
            "rows": version * 1000,
            f"only_{version}": 1,
        }
        repo.commit("model", "m", params={"lr": 0.1}, metrics=metrics)

    assert transcript("diff --only metrics") == snapshot("""\
$ lineage diff --only metrics
old  aaaaaaaa model m, just now
new  bbbbbbbb model m (HEAD -> model/m), just now

metrics
  name        old    new  change
  accuracy   0.25    0.5   +0.25  better, no interval
  loss        2.5    1.5          not comparable: cross_entropy v1 and cross_entropy v2
  only_1        1      -
  only_2        -      1
  rows      1,000  2,000  +1,000
""")
    found = run("diff", "--format", "json").json()["metrics"]
    fields = ("name", "a", "b", "delta", "better", "verdict", "direction")
    assert [tuple(metric[field] for field in fields) for metric in found] == [
        ("accuracy", 0.25, 0.5, 0.25, True, "better", "higher"),
        ("loss", 2.5, 1.5, None, None, "not comparable", "lower"),
        ("only_1", 1, None, None, None, "none", None),
        ("only_2", None, 1, None, None, "none", None),
        ("rows", 1000, 2000, 1000, None, "none", None),
    ]


def test_config_by_path(repo: Registry, run: Run) -> None:
    """Settings in a config's file are compared by dotted path."""
    path = repo.root / "loop.yaml"
    for lr, extra in ((0.002, ""), (2e-3, "seed: 1\n"), (0.001, "seed: 1\n")):
        path.write_text(f"train: {{learning_rate: {lr}}}\n{extra}", encoding="utf-8")
        run("commit", "config", path, "--name", "loop")

    assert run("diff", "HEAD~2", "HEAD", "--format", "json").json()["config"] == [
        {"path": "seed", "a": None, "b": 1, "change": "added"},
        {"path": "train.learning_rate", "a": 0.002, "b": 0.001, "change": "changed"},
    ]


def test_json_has_the_documented_shape(loop: Any, run: Run) -> None:
    """The JSON has exactly the documented fields, old as a, new as b."""
    found = run("diff", "--format", "json").json()

    assert list(found) == [
        "schema_version", "a", "b", "metrics", "params", "config", "tokenizer",
        "records", "tensors", "files", "alike", "parts", "others", "origins",
    ]  # fmt: skip
    assert (found["a"], found["b"]) == (loop.made[-2][0], loop.made[-1][0])
    assert found["metrics"][1] == {
        "name": "perplexity", "a": 83.2, "b": 88.4, "delta": 5.2, "better": False,
        "verdict": "worse", "direction": "lower",
        "a_interval": None, "b_interval": None, "a_event": None, "b_event": None,
    }  # fmt: skip
    assert found["params"] == [
        {"path": "generation", "a": 1, "b": 2, "change": "changed"}
    ]
    assert found["config"] == [
        {
            "path": "model/tutor/config.json:n_layer",
            "a": 2,
            "b": 3,
            "change": "changed",
        }
    ]
    assert list(found["files"]) == ["added", "removed", "changed", "renamed"]
    assert "model/tutor/weights.bin" in found["files"]["changed"]


def test_other_fields_that_differ_are_named(repo: Registry, run: Run) -> None:
    """The same files of another origin are not the same commit, and diff says so."""
    path = repo.root / "a.txt"
    path.write_text("text", encoding="utf-8")
    for origin in ("human", "machine"):
        run("commit", "dataset", path, "--name", "seed", "--origin", origin)
    told = run("diff")

    assert run("diff", "--format", "json").json()["others"] == ["origin"]
    assert "note: origin differs; see `lineage show`" in told.stderr


def test_what_two_generations_were_trained_on(repo: Registry, run: Run) -> None:
    """The summary begins with how much was human and how much machine-written."""
    for name, how in {
        "dataset/human": ["--origin", "human"],
        "model/first": ["--trained-on", "dataset/human"],
        "dataset/written": ["--generated-by", "model/first"],
        "dataset/mixed": ["--derived-from", "dataset/human,share=1/4",
                          "--derived-from", "dataset/written,share=3/4"],
        "model/second": ["--trained-on", "dataset/mixed"],
    }.items():  # fmt: skip
        kind, _, short = name.partition("/")
        path = repo.root / f"{short}.txt"
        path.write_text(short, encoding="utf-8")
        run("commit", kind, path, "--name", short, *how)
    run("commit", "generation", "--name", "g", "--includes", "model/first")
    run("commit", "generation", "--name", "g", "--includes", "model/second",
        "--follows", "loop/g")  # fmt: skip

    origins = run("diff", "loop/g", "--format", "json").json()["origins"]

    assert [origins[side]["human"]["exact"] for side in "ab"] == [
        [[1, 1], [1, 1]],
        [[1, 4], [1, 4]],
    ]
    assert [origins[side]["machine"]["low"] for side in "ab"] == [0, 0.75]
    assert (
        "  made of  machine-written 0 % → 75 %, human 100 % → 25 %\n"
        in run("diff", "loop/g").stdout
    )


def test_the_same_records_in_other_files(repo: Registry, run: Run) -> None:
    """Where a format changed and nothing else, it is said that the records did not."""
    for name, text in (
        ("a.json", '[{"a": 1}, {"a": 2}]'),
        ("a.jsonl", '{"a": 1}\n{"a": 2}\n'),
    ):
        (repo.root / name).write_text(text, encoding="utf-8")
        run("commit", "dataset", repo.root / name, "--name", "d")
    told = run("diff")

    assert "note: the records are the same, in other files" in told.stderr
    assert run("diff", "--format", "json").json()["alike"] == [
        {"section": "records", "label": ""}
    ]


@pytest.mark.usefixtures("loop")
def test_only_some_sections(run: Run) -> None:
    """--only leaves the other sections out of every format."""
    found = run("diff", "--only", "files,params", "--format", "json").json()
    rows = run("diff", "--only", "params", "--format", "csv").stdout

    assert list(found) == ["schema_version", "a", "b", "params", "files"]
    assert rows == snapshot("""\
section,path,change,a,b,delta,better,verdict
params,generation,changed,1,2,,,
""")


@pytest.mark.usefixtures("loop")
def test_markdown(transcript: Transcript) -> None:
    """Markdown has a table per section."""
    assert transcript("diff --only metrics,config --format md") == snapshot("""\
$ lineage diff --only metrics,config --format md
- old: generation 1 of tutor, `aaaaaaaaaaaa…`
- new: generation 2 of tutor, `bbbbbbbbbbbb…`

## summary

|  |  |
| --- | --- |
| metrics | 1 worse, 1 neither |
|  | perplexity 83.2 → 88.4 worse, no interval |
|  | distinct\\_2 0.213 → 0.19 |
| config | 1 setting: model/tutor/config.json:n\\_layer 2 → 3 |

## metrics

| name | old | new | change |  |  |
| --- | ---: | ---: | ---: | --- | --- |
| distinct\\_2 | 0.213 | 0.19 | -0.023 |  |  |
| perplexity | 83.2 | 88.4 | +5.2 | worse, no interval |  |

## config

| path | old | new |
| --- | --- | --- |
| model/tutor/config.json:n\\_layer | 2 | 3 |
""")


def test_exit_code(repo: Registry, run: Run) -> None:
    """--exit-code tells whether something differs; without it the exit code is 0."""
    for name in ("a", "b", "b"):
        repo.commit("config", name, params={"x": len(repo.ids)})

    assert run("diff", "HEAD").exit_code == 0
    assert run("diff", "HEAD", "--exit-code").exit_code == 1
    assert run("diff", "HEAD", "HEAD", "--exit-code").exit_code == 0


def test_nothing_to_see(repo: Registry, transcript: Transcript) -> None:
    """It is said when commits are the same, or differ in nothing that is compared."""
    repo.commit("config", "a", params={"x": 1})
    repo.commit("config", "b", params={"x": 1})

    assert transcript(
        "diff HEAD HEAD", "diff config/a config/b", "diff", "diff HEAD --only moods"
    ) == snapshot("""\
$ lineage diff HEAD HEAD
old  aaaaaaaa config b (HEAD -> config/b), just now
new  aaaaaaaa config b (HEAD -> config/b), just now
2> they are the same commit
$ lineage diff config/a config/b
old  bbbbbbbb config a (config/a), just now
new  aaaaaaaa config b (HEAD -> config/b), just now
2> the same metrics, params, config, tokenizer, records, tensors and files
2> note: name differs; see `lineage show`
$ lineage diff
2> error: nothing comes before aaaaaaaaaaaa on its branch
2> hint: name two revisions to compare
exit 5
$ lineage diff HEAD --only moods
2> error: 'moods' is no section of a diff
2> hint: some of metrics,params,config,tokenizer,records,tensors,files
exit 2
""")


def test_a_file_that_cannot_be_read_is_named(
    repo: Registry, transcript: Transcript
) -> None:
    """Malformed settings are a note, not an error: the rest is still compared."""
    folder = repo.root / "settings"
    folder.mkdir()
    for text in ('{"a": 1}', '{"a": 12,'):
        (folder / "a.json").write_text(text, encoding="utf-8")
        (folder / "b.toml").write_text(f"n = {len(text)}", encoding="utf-8")
        repo.commit("config", "c", folder)

    assert transcript("diff") == snapshot("""\
$ lineage diff
old  aaaaaaaa config c, just now
new  bbbbbbbb config c (HEAD -> config/c), just now

config
  path      old  new
  b.toml:n  8    9

files
           path    size
  changed  a.json  8 B → 9 B
  changed  b.toml  5 B
2> note: a.json is not compared: a.json is not JSON: Expecting property name enclosed in double quotes: line 1 column 10 (char 9)
""")


def test_surprising_values_are_still_json(repo: Registry, run: Run) -> None:
    """What YAML and TOML know and JSON does not becomes text."""
    folder = repo.root / "settings"
    folder.mkdir()
    (folder / "a.toml").write_text("x = 1", encoding="utf-8")
    repo.commit("config", "c", folder)
    (folder / "a.toml").write_text("day = 2026-01-02\nx = inf", encoding="utf-8")
    (folder / "b.yaml").write_text("x: .nan\nb: !!binary aGk=\n", encoding="utf-8")
    (folder / "c.json").write_text(json.dumps({"a.b": "\ud800"}), encoding="utf-8")
    repo.commit("config", "c", folder)

    assert run("diff", "--format", "json").json()["config"] == snapshot(
        [
            {"path": "a.toml:day", "a": None, "b": "2026-01-02", "change": "added"},
            {"path": "a.toml:x", "a": 1, "b": "inf", "change": "changed"},
            {"path": "b.yaml:b", "a": None, "b": "b'hi'", "change": "added"},
            {"path": "b.yaml:x", "a": None, "b": "nan", "change": "added"},
            {"path": 'c.json:"a.b"', "a": None, "b": "\\ud800", "change": "added"},
        ]
    )


def test_tables_stop_at_twenty_rows(repo: Registry, run: Run) -> None:
    """People see how many rows are left out; programs get all of them."""
    for n in (1, 2):
        params = {f"p{i:02}": i * n for i in range(1, 31)}
        repo.commit("config", "c", params=params)
    shown = run("diff").stdout.splitlines()
    more = run("diff", "--limit", "30", "--format", "md").stdout

    assert "  … 10 more; --limit 30 shows them" in shown
    assert len([line for line in shown if line.startswith("  p")]) == 20 + 1  # the head
    assert "more;" not in more
    assert len(run("diff", "--format", "jsonl").jsonl()) == 30


def test_values_are_told_apart_by_eye(repo: Registry, transcript: Transcript) -> None:
    """Text that looks like a number is quoted, null is not missing, long text is cut."""
    for params in (
        {"a": 1, "b": None, "d": "x", "long": "x"},
        {"a": "1", "c": None, "d": "true", "long": "y" * 500},
    ):
        repo.commit("config", "c", params=params)

    assert transcript("diff --only params") == snapshot("""\
$ lineage diff --only params
old  aaaaaaaa config c, just now
new  bbbbbbbb config c (HEAD -> config/c), just now

params
  path  old   new
  a     1     "1"
  b     null  -
  c     -     null
  d     x     "true"
  long  x     yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy…
""")


def test_more_than_a_screen_begins_with_a_summary(repo: Registry, run: Run) -> None:
    """Whatever the kind: where several sections fill a screen, they are summed up."""
    for n in (1, 2):
        params = {f"p{i:02}": i * n for i in range(1, 31)}
        repo.commit("model", "m", params=params, metrics={"loss": n})

    assert run("diff").stdout.splitlines()[2:7] == [
        "",
        "summary",
        "  metrics  1 neither",
        "           loss 1 → 2",
        "  params   30 settings: p01 1 → 2, p02 2 → 4, …",
    ]


def test_the_summary_fits_one_screen(repo: Registry, run: Run) -> None:
    """Of many parts a few are summed up and the others counted."""
    path = repo.root / "rows.jsonl"
    for n in (1, 2):
        parts = []
        for name in "abcdefgh":
            path.write_text(f'{{"text": "{name} {n}"}}\n' * n, encoding="utf-8")
            parts.append(repo.commit("dataset", name, path, params={"of": n}).id)
        edges = [Edge("includes", id_) for id_ in parts]
        metrics = {f"m{i}": Metric(i * n, direction="lower") for i in range(1, 9)}
        repo.commit("generation", "g", edges=edges, metrics=metrics)

    lines = run("diff", "loop/g~", "loop/g").stdout.splitlines()
    shown = lines[lines.index("summary") : lines.index("metrics")]

    assert lines.index("metrics") < 24
    assert "           … and 6 more parts" in shown
    assert len([line for line in shown if line.startswith("           dataset/")]) == 1


def test_parts_that_one_side_lacks_and_files_that_moved(
    repo: Registry, transcript: Transcript, run: Run
) -> None:
    """A part is named once; a file under another name is one row; overlap is said."""
    for n, file in enumerate(("a.txt", "b.txt")):
        (repo.root / "data").mkdir(exist_ok=True)
        for path in (repo.root / "data").iterdir():
            path.unlink()
        (repo.root / "data" / file).write_text("same text", encoding="utf-8")
        (repo.root / "data" / f"{n}.bin").write_bytes(b"\x00" * (n + 1))
        model = repo.commit("model", f"m{n}", repo.root / "data", params={"n": n}).id
        config = repo.commit("config", f"c{n}", params={"x": 1}).id
        parts = (model, config) if n else (model,)
        edges = [Edge("includes", id_) for id_ in parts]
        loss = Metric(3.0 - n, "loss", 1, "lower", 9, [1.0, 4.0])
        repo.commit("generation", "g", edges=edges, metrics={"loss": loss})

    assert transcript("diff loop/g~ loop/g", "diff loop/g~ loop/g --format md") == (
        snapshot("""\
$ lineage diff loop/g~ loop/g
old  aaaaaaaa generation 0 of g, just now
new  bbbbbbbb generation 0 of g (HEAD -> loop/g), just now
only in the new one: config/c1

summary
  metrics  1 neither (1 without verdict)
           loss 3 → 2 no verdict, overlap
  params   1 setting: model/m1/n 0 → 1
  files    1 added, 1 removed, 1 renamed

metrics
  name  old  new  change
  loss    3    2      -1  no verdict, overlap
    old in [1, 4], new in [1, 4]

params
  path        old  new
  model/m1/n  0    1

files
           path                             size
  removed  model/m1/0.bin                   1 B
  added    model/m1/1.bin                   2 B
  renamed  model/m1/a.txt → model/m1/b.txt  9 B
2> note: the tensors of model/m1/0.bin are not compared: it is no state dict that torch has written
2> note: the tensors of model/m1/1.bin are not compared: it is no state dict that torch has written
$ lineage diff loop/g~ loop/g --format md
- old: generation 0 of g, `aaaaaaaaaaaa…`
- new: generation 0 of g, `bbbbbbbbbbbb…`
- only in the new one: config/c1

## summary

|  |  |
| --- | --- |
| metrics | 1 neither (1 without verdict) |
|  | loss 3 → 2 no verdict, overlap |
| params | 1 setting: model/m1/n 0 → 1 |
| files | 1 added, 1 removed, 1 renamed |

## metrics

| name | old | new | change |  |  |
| --- | ---: | ---: | ---: | --- | --- |
| loss | 3 | 2 | -1 | no verdict, overlap | old in [1, 4], new in [1, 4] |

## params

| path | old | new |
| --- | --- | --- |
| model/m1/n | 0 | 1 |

## files

|  | path | size |
| --- | --- | --- |
| removed | model/m1/0.bin | 1 B |
| added | model/m1/1.bin | 2 B |
| renamed | model/m1/a.txt → model/m1/b.txt | 9 B |
2> note: the tensors of model/m1/0.bin are not compared: it is no state dict that torch has written
2> note: the tensors of model/m1/1.bin are not compared: it is no state dict that torch has written
""")
    )
    assert run(
        "diff", "loop/g~", "loop/g", "--only", "files", "--format", "csv"
    ).stdout == (
        snapshot("""\
section,path,change,a,b,delta,better,verdict
files,model/m1/1.bin,added,,,,,
files,model/m1/0.bin,removed,,,,,
files,model/m1/b.txt,renamed,model/m1/a.txt,model/m1/b.txt,,,
""")
    )


def test_commits_of_different_kinds(repo: Registry, transcript: Transcript) -> None:
    """It is said what stands for what, and what is compared at all."""
    model = repo.commit("model", "m", params={"x": 1}, metrics={"loss": 2.0}).id
    repo.commit("generation", "g", edges=[Edge("includes", model)])
    repo.commit("model", "m", params={"x": 2}, metrics={"loss": 1.0})
    repo.commit("config", "c", params={"x": 2})

    assert transcript("diff loop/g model/m", "diff model/m config/c") == snapshot("""\
$ lineage diff loop/g model/m
old  aaaaaaaa generation 0 of g (loop/g), just now
new  bbbbbbbb model m (model/m), just now

metrics
  name  old  new  change
  loss    2    1      -1

params
  path  old  new
  x     1    2
2> note: of the generation of g, its model m (cccccccccccc) is compared
$ lineage diff model/m config/c
old  bbbbbbbb model m (model/m), just now
new  dddddddd config c (HEAD -> config/c), just now

metrics
  name  old  new  change
  loss    1    -
2> note: a model and a config are compared in metrics, params and files alone
2> note: kind and name differ, too; see `lineage show`
""")

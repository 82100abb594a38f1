# ruff: noqa: E501 - transcripts are as wide as they are
"""`lineage trace --against`: an evaluation set in what a commit was trained on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from inline_snapshot import snapshot

from lineage.store.objects import Edge

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lineage.registry import Registry

    Run = Callable[..., Any]
    Transcript = Callable[..., str]

ASKED = [
    "How many people live in the old town by the river today, and how many lived there in 1900?",
    "Name the three largest lakes of the country, from the deepest to the one with most fish.",
    "Who wrote it?",
    "What does the mayor of a small town do all day when nobody comes to see her at the office?",
    "…",
]
READ = [
    "The river runs through the old town, and nobody knows how many fish are in it.",
    "HOW MANY PEOPLE live in the old town by the river today - and how many lived there in 1900",
    "Homework. Name the three largest lakes of the country, from the deepest to the one with most fish. Answer in a table.",
    "What does the mayor of a small town do each day when nobody comes to see her at the office?",
]


@pytest.fixture
def exam(repo: Registry) -> Registry:
    """A model that has read an exam in a crawl, and one that has not."""

    def dataset(name: str, texts: list[str], *edges: Edge) -> str:
        path = repo.root / f"{name}.jsonl"
        lines = (json.dumps({"text": text}) + "\n" for text in texts)
        path.write_text("".join(lines), encoding="utf-8")
        return repo.commit("dataset", name, path, edges=edges).id

    dataset("exam", ASKED)
    crawl = dataset("crawl", READ)
    mixed = dataset("mixed", [*READ, "More."], Edge("derived_from", crawl))
    clean = dataset("clean", READ[:1])
    for name, data in (("clean", clean), ("tutor", mixed)):
        repo.commit(
            "model", name, external={"uri": "s3://m"}, edges=[Edge("trained_on", data)]
        )
    return repo


@pytest.mark.usefixtures("exam")
def test_what_was_found_and_how_it_came(transcript: Transcript) -> None:
    """The answer, the way from the model to the data, and both records; exit 3."""
    assert transcript(
        "trace model/tutor --against dataset/exam --exit-code"
    ) == snapshot("""\
$ lineage trace model/tutor --against dataset/exam --exit-code
aaaaaaaa model tutor at s3://m (HEAD -> model/tutor)

against    dataset exam bbbbbbbb: 5 records, 1 without words
looked at  2 datasets, 9 records
found      3 records, 60 % of it: 1 exact, 1 contained, 1 near

where they came in
  commit    what           records  exact  contained  near  in part
  cccccccc  dataset crawl        3      1          1     1        0
    model tutor aaaaaaaa ← trained_on dataset mixed dddddddd ← derived_from dataset crawl cccccccc

records
  record              found       share  in                   times
  exam.jsonl: line 1  exact       100 %  crawl.jsonl: line 2      1
    How many people live in the old town by the river today, and how many lived there in 1900?
  exam.jsonl: line 2  contained   100 %  crawl.jsonl: line 3      1
    Name the three largest lakes of the country, from the deepest to the one with most fish.
    → {+homework+} name the three largest … one with most fish {+answer in a table+}
  exam.jsonl: line 4  near       71.4 %  crawl.jsonl: line 4      1
    What does the mayor of a small town do all day when nobody comes to see her at the office?
    → … a small town do [-all-] {+each+} day when nobody comes …
exit 3
""")


@pytest.mark.usefixtures("exam")
def test_nothing_found(transcript: Transcript) -> None:
    """A clean model says how much was looked at."""
    assert transcript(
        "trace model/clean --against dataset/exam --exit-code"
    ) == snapshot("""\
$ lineage trace model/clean --against dataset/exam --exit-code
aaaaaaaa model clean at s3://m (model/clean)

against    dataset exam bbbbbbbb: 5 records, 1 without words
looked at  1 dataset, 1 record
found      nothing of it
""")


def test_what_is_not_here_is_not_clean(exam: Registry, run: Run) -> None:
    """With --exit-code data that could not be looked at are no all-clear."""
    [entry] = exam.files(exam.resolve("dataset/clean"))
    for place in exam.payloads.cache.rglob(entry.md5[2:]):
        place.unlink()
    asked = ("trace", "model/clean", "--against", "dataset/exam")
    done = run(*asked, "--exit-code")

    assert done.exit_code == 1
    assert "clean.jsonl is not here" in done.stdout
    assert run(*asked).exit_code == 0


@pytest.mark.usefixtures("exam")
def test_markdown(transcript: Transcript) -> None:
    """Markdown has the same tables."""
    assert transcript("trace --against dataset/exam --format md") == snapshot("""\
$ lineage trace --against dataset/exam --format md
# model tutor

- commit: `aaaaaaaaaaaa…`
- against: dataset exam bbbbbbbb: 5 records, 1 without words
- looked at: 2 datasets, 9 records
- found: 3 records, 60 % of it: 1 exact, 1 contained, 1 near

## where they came in

| commit | what | records | exact | contained | near | in part | way |
| --- | --- | ---: | ---: | ---: | ---: | ---: | --- |
| cccccccc | dataset crawl | 3 | 1 | 1 | 1 | 0 | model tutor aaaaaaaa ← trained\\_on dataset mixed dddddddd ← derived\\_from dataset crawl cccccccc |

## records

| record | found | share | in | times | text | change |
| --- | --- | ---: | --- | ---: | --- | --- |
| exam.jsonl: line 1 | exact | 100 % | crawl.jsonl: line 2 | 1 | How many people live in the old town by the river today, and how many lived there in 1900? |  |
| exam.jsonl: line 2 | contained | 100 % | crawl.jsonl: line 3 | 1 | Name the three largest lakes of the country, from the deepest to the one with most fish. | → {+homework+} name the three largest … one with most fish {+answer in a table+} |
| exam.jsonl: line 4 | near | 71.4 % | crawl.jsonl: line 4 | 1 | What does the mayor of a small town do all day when nobody comes to see her at the office? | → … a small town do [-all-] {+each+} day when nobody comes … |
""")


@pytest.mark.usefixtures("exam")
def test_for_programs(run: Run) -> None:
    """JSON has everything, JSON Lines and CSV a line per record that was found."""
    asked = ("trace", "model/tutor", "--against", "dataset/exam", "--format")
    found = run(*asked, "json").json()
    lines = run(*asked, "jsonl").stdout.splitlines()

    assert {
        k: v for k, v in found.items() if k not in ("hits", "looked", "id", "against")
    } == snapshot(
        {
            "schema_version": 1,
            "records": 5,
            "wordless": 1,
            "found": 3,
            "kinds": {"exact": 1, "contained": 1, "near": 1, "part": 0},
            "untold": [],
            "absent": [],
        }
    )
    assert list(found["hits"][0]) == [
        "number", "where", "kind", "share", "source", "place", "records", "text",
        "change", "trained", "way",
    ]  # fmt: skip
    assert [step["role"] for step in found["hits"][0]["way"]] == [
        None,
        "trained_on",
        "derived_from",
    ]
    assert [each["name"] for each in found["looked"]] == ["mixed", "crawl"]
    assert [json.loads(line)["number"] for line in lines] == [1, 2, 4]
    assert [
        line.split(",")[:4] for line in run(*asked, "csv").stdout.splitlines()
    ] == snapshot(
        [
            ["number", "where", "kind", "share"],
            ["1", "exam.jsonl: line 1", "exact", "1.0"],
            ["2", "exam.jsonl: line 2", "contained", "1.0"],
            ["4", "exam.jsonl: line 4", "near", "0.7142857142857143"],
        ]
    )


@pytest.mark.usefixtures("exam")
def test_options_that_go_with_it(transcript: Transcript) -> None:
    """--column and --exit-code mean nothing of a trace alone, and a model is no exam."""
    assert transcript(
        "trace --column text", "trace --exit-code", "trace --against model/tutor",
        "trace --against dataset/exam --column question",
    ) == snapshot("""\
$ lineage trace --column text
2> error: --column goes with --against
2> hint: name a dataset there
exit 2
$ lineage trace --exit-code
2> error: --exit-code goes with --against
2> hint: name a dataset there
exit 2
$ lineage trace --against model/tutor
2> error: aaaaaaaaaaaa is a model, not a dataset
2> hint: --against takes what models are evaluated on
exit 2
$ lineage trace --against dataset/exam --column question
2> error: there is no column 'question'
2> hint: choose one with --column: text
exit 2
""")  # fmt: skip


@pytest.mark.usefixtures("exam")
def test_what_was_filtered_out_is_no_contamination(
    repo: Registry, run: Run, tmp_path: Path
) -> None:
    """A model whose data came from a crawl without the exam in it has not read it."""
    kept = tmp_path / "kept.jsonl"
    kept.write_text(json.dumps({"text": READ[0]}) + "\n", encoding="utf-8")
    source = Edge("derived_from", repo.resolve("dataset/crawl"))
    data = repo.commit("dataset", "kept", kept, edges=[source])
    repo.commit("model", "filtered", external={"uri": "s3://f"},
                edges=[Edge("trained_on", data.id)])  # fmt: skip
    asked = "trace", "model/filtered", "--against", "dataset/exam", "--exit-code"
    done = run(*asked)
    assert done.exit_code == 0
    assert "; 3 of them in nothing that a model was trained on" in done.stdout
    assert "in nothing that a model was trained on: model filtered" in done.stdout
    hits = run(*asked, "--format", "json").json()["hits"]
    assert [hit["trained"] for hit in hits] == [False] * 3
    for entry in repo.files(data.id):
        for place in repo.payloads.cache.rglob(entry.md5[2:]):
            place.unlink()
    done = run(*asked)
    assert done.exit_code == 3, "unread data may have it"


@pytest.mark.usefixtures("exam")
def test_nothing_to_look_at_is_no_all_clear(repo: Registry, run: Run) -> None:
    """Of a model without known data nothing is said to be clean; exit 1."""
    repo.commit("model", "api", external={"uri": "https://example.org/api"})
    done = run("trace", "model/api", "--against", "dataset/exam", "--exit-code")
    assert done.exit_code == 1
    assert "found      not known: there was nothing to look at" in done.stdout

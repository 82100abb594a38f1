"""`lineage trace`, for people and for programs."""

from __future__ import annotations

import csv
import io
from contextlib import closing
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
from inline_snapshot import snapshot

import lineage
from lineage.shapes import exact
from lineage.store.objects import Edge

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lineage.registry import Registry
    from tests.conftest import Run

BOOK = {"type": "human", "source": "web", "licence": "CC0"}


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """Make what docs/trace.md has as its example."""
    with closing(lineage.init(tmp_path_factory.mktemp("trace"))) as registry:
        ids: dict[str, str] = {}

        def make(kind: str, name: str, *edges: tuple[Any, ...], **more: Any) -> None:
            made = [
                Edge(role, ids[parent], share={"records": counts} if counts else None)
                for role, parent, *counts in edges
            ]
            kept = registry.commit(kind, name, edges=made, params={"a": name}, **more)
            ids[name] = kept.id

        make("dataset", "book", origin=BOOK)
        make("model", "tutor", ("trained_on", "book", 60, 60))
        make("dataset", "stories", ("generated_by", "tutor"), ("derived_from", "book"))
        make("dataset", "forum")
        parts = (("book", 60), ("stories", 40), ("forum", 20))
        edges = (("derived_from", name, count, 120) for name, count in parts)
        make("dataset", "mix", *edges)
        make("dataset", "both", ("derived_from", "book"), ("derived_from", "stories"))
        make("model", "base", external={"uri": "hf://org/base@0123"})
        tuned = ("trained_on", "mix", 120, 120), ("fine_tuned_from", "base")
        make("model", "tutor", *tuned)
        yield registry


@pytest.fixture
def example(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """Go there."""
    monkeypatch.chdir(registry.root)
    return registry


@pytest.mark.usefixtures("example")
def test_the_answer_comes_first(run: Run) -> None:
    """Shares, sources, inherited weights, what is not known, and the ancestry."""
    assert run("trace", "model/tutor").stdout == snapshot("""\
67d39241 model tutor generation 1 (HEAD -> model/tutor)

trained on  33.3 % machine-written, 50 % human, 16.7 % unknown of 120 records
            so 33.3 to 50 % machine-written, and 50 to 66.7 % human
generation  1
distance    0 to 1 machine turn from human data
evidence    declared or better, the weakest: fine_tuned_from f1550e27 of 67d39241

sources
   share  records  commit    what           origin   evidence
    50 %       60  55f72a31  dataset book   human    declared
    Ada Example: CC0, web
  33.3 %       40  631b77d5  model tutor    machine  declared
  16.7 %       20  947d7ba5  dataset forum  unknown  declared

inherited weights
  along            commit    what        evidence
  fine_tuned_from  f1550e27  model base  declared
    not known
  all together
    not known: not all records are counted

not known
  what the model was trained on: not provided
    model base f1550e27
  origin: unknown, nobody said
    dataset forum 947d7ba5

ancestry
  ◆ tutor 67d39241
  ├─ fine_tuned_from ◆ base f1550e27 declared
  └─ trained_on 100 % ○ mix 855b4bb7 declared
     ├─ derived_from 50 % ○ book 55f72a31 declared
     ├─ derived_from 33.3 % ○ stories 6bd5bad8 declared
     │  ├─ derived_from (prompts) ○ book 55f72a31 declared
     │  └─ generated_by 100 % ◆ tutor 631b77d5 declared
     │     └─ trained_on 100 % ○ book 55f72a31 declared
     └─ derived_from 16.7 % ○ forum 947d7ba5 declared
""")


@pytest.mark.usefixtures("example")
def test_markdown_says_the_same(run: Run) -> None:
    """The same facts and tables, without the drawing."""
    assert run("trace", "model/tutor", "--format", "md").stdout == snapshot("""\
# model tutor generation 1

- commit: `67d39241f688266a6336b9a22d0f5f834299ce563a290399e0c1d24caa523ca0`
- trained on: 33.3 % machine-written, 50 % human, 16.7 % unknown of 120 records
  so 33.3 to 50 % machine-written, and 50 to 66.7 % human
- generation: 1
- distance: 0 to 1 machine turn from human data
- evidence: declared or better, the weakest: fine\\_tuned\\_from f1550e27 of 67d39241

## sources

| share | records | commit | what | origin | evidence | who says so |
| ---: | ---: | --- | --- | --- | --- | --- |
| 50 % | 60 | 55f72a31 | dataset book | human | declared | Ada Example: CC0, web |
| 33.3 % | 40 | 631b77d5 | model tutor | machine | declared |  |
| 16.7 % | 20 | 947d7ba5 | dataset forum | unknown | declared |  |

## inherited weights

| along | commit | what | evidence | trained on |
| --- | --- | --- | --- | --- |
| fine\\_tuned\\_from | f1550e27 | model base | declared | not known |
| all together |  |  |  | not known: not all records are counted |

## not known

|  |  |
| --- | --- |
| what the model was trained on: not provided | model base f1550e27 |
| origin: unknown, nobody said | dataset forum 947d7ba5 |
""")


@pytest.mark.usefixtures("example")
def test_csv_has_the_sources(run: Run) -> None:
    """One line per source, with both ends of its share."""
    text = run("trace", "dataset/mix", "--format", "csv").stdout

    assert [
        (row["origin"], row["name"], row["records.low"], row["records.exact"])
        for row in csv.DictReader(io.StringIO(text))
    ] == snapshot(
        [
            ("human", "book", "0.5", "[[1, 2], [1, 2]]"),
            ("machine", "tutor", "0.3333333333333333", "[[1, 3], [1, 3]]"),
            ("unknown", "forum", "0.16666666666666666", "[[1, 6], [1, 6]]"),
        ]
    )


def test_json_is_exact(example: Registry, run: Run) -> None:
    """Shares are whole numbers that divide, beside what they are about."""
    data = run("trace", "model/tutor", "--format", "json").json()
    [line] = run("trace", "model/tutor", "--format", "jsonl").jsonl()

    [tutor] = data["made_of"]
    assert line == data
    assert data["id"] == example.resolve("model/tutor")
    assert data["distance"] == {"shortest": 0, "longest": 1, "certain": True}
    assert tutor["records"] == snapshot(
        {
            "count": 120,
            "human": {
                "low": 0.5,
                "high": 0.6666666666666666,
                "exact": [[1, 2], [2, 3]],
            },
            "machine": {
                "low": 0.3333333333333333,
                "high": 0.5,
                "exact": [[1, 3], [1, 2]],
            },
            "unknown": {"share": 0.16666666666666666, "exact": [1, 6]},
        }
    )
    assert tutor["tokens"] is None
    assert [s["path"][-1]["role"] for s in tutor["sources"]] == snapshot(
        ["derived_from", "generated_by", "derived_from"]
    )
    assert {each["id"] for each in data["ancestry"]} >= {
        link[end]
        for source in tutor["sources"]
        for link in source["path"]
        for end in ("child", "parent")
    }


@pytest.mark.usefixtures("example")
def test_depth_says_what_it_hides(run: Run) -> None:
    """The drawing ends after N steps and says how many commits lie deeper."""
    drawn = run("trace", "model/tutor", "--depth", "1").stdout.partition("ancestry")[2]

    assert drawn == snapshot("""\

  ◆ tutor 67d39241
  ├─ fine_tuned_from ◆ base f1550e27 declared
  └─ trained_on 100 % ○ mix 855b4bb7 declared, …
  … 4 commits more; --depth 3 draws all
""")


@pytest.mark.usefixtures("example")
def test_rails(run: Run) -> None:
    """With --graph every commit is a row, as `log` draws it."""
    drawn = run("trace", "dataset/stories", "--graph").stdout.partition("ancestry")[2]

    assert [line.rstrip()[:38] for line in drawn.splitlines()] == snapshot(
        [
            "",
            "  ○    6bd5bad8 dataset stories genera",
            "  ├─╮  Ada Example, just now",
            "  │ ◆  631b77d5 model tutor           ",
            "  ├─╯",
            "  ○  55f72a31 dataset book (dataset/bo",
        ]
    )


@pytest.mark.usefixtures("example")
def test_ranges_where_nobody_counted(run: Run) -> None:
    """What is only known to lie between two shares is said as both."""
    assert run("trace", "dataset/both").stdout.partition("ancestry")[0] == snapshot("""\
cb2156d9 dataset both generation 1 (dataset/both)

made of     0 % machine-written, 0 % human, 100 % unknown of its records
            so 0 to 100 % machine-written, and 0 to 100 % human
generation  1
distance    0 to 1 machine turn from human data
evidence    declared or better, the weakest: derived_from 55f72a31 of cb2156d9

sources
       share  records  commit    what          origin   evidence
  0 to 100 %           55f72a31  dataset book  human    declared
    Ada Example: CC0, web
  0 to 100 %           631b77d5  model tutor   machine  declared

not known
  how many records came from each source: not provided
    dataset both generation 1 cb2156d9

""")


def test_whole_numbers_that_programs_can_read() -> None:
    """Above 2^53 - 1 they are text, and what nobody can read is left out."""
    assert exact(Fraction(1, 3)) == [1, 3]
    assert exact(Fraction(1, 2**60)) == [1, str(2**60)]
    assert exact(Fraction(1, 2**20_000)) is None


def test_a_share_that_is_nearly_all_is_not_all(repo: Registry, run: Run) -> None:
    """Only nothing is 0 % and only everything is 100 %."""
    params, human = {"a": 1}, {"type": "human"}
    book = repo.commit("dataset", "book", origin=human, params=params).id
    forum = repo.commit("dataset", "forum", params=params).id
    million = 1_000_000
    repo.commit(
        "dataset",
        "mix",
        edges=[
            Edge("derived_from", book, share={"records": [million - 1, million]}),
            Edge("derived_from", forum, share={"records": [1, million]}),
        ],
    )

    shown = run("trace", "dataset/mix").stdout

    assert (
        "0 % machine-written, > 99.9 % human, < 0.001 % unknown of 1,000,000" in shown
    )


def test_long_lists_are_cut_and_said_to_be(repo: Registry, run: Run) -> None:
    """A hub shows people twenty sources and twelve edges; JSON has all of them."""
    roots = [
        repo.commit("dataset", f"r{n}", origin={"type": "human"}, params={"n": n}).id
        for n in range(25)
    ]
    edges = [Edge("derived_from", id_, share={"records": [1, 25]}) for id_ in roots]
    repo.commit("dataset", "mix", edges=edges)

    shown = run("trace", "dataset/mix").stdout
    data = run("trace", "dataset/mix", "--format", "json").json()

    assert "… 5 more; --limit 25 shows them" in shown
    assert "└─ … and 14 more" in shown
    assert len(data["made_of"][0]["sources"]) == 25


def test_a_config_is_made_of_no_records(repo: Registry, run: Run) -> None:
    """A commit that has no records says so, and fails at nothing."""
    repo.commit("config", "c", params={"a": 1})

    done = run("trace", "config/c")

    assert done.exit_code == 0
    assert done.stdout == snapshot("""\
602613b0 config c (HEAD -> config/c)

made of     no records
generation  0

ancestry
  □ c 602613b0
""")


def test_a_revision_that_is_not_there(repo: Registry, run: Run) -> None:
    """The error names it, and the exit code is 5."""
    del repo
    done = run("trace", "model/none")

    assert (done.exit_code, done.stdout) == (5, "")

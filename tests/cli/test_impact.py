# ruff: noqa: E501 - transcripts are as wide as they are
"""`lineage impact`: what a commit reached."""

from __future__ import annotations

import csv
import io
import json
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest
from inline_snapshot import snapshot

import lineage
from lineage.store.objects import Edge

if TYPE_CHECKING:
    from collections.abc import Callable

    from lineage.registry import Registry
    from tests.cli.conftest import Loop
    from tests.conftest import Run

    Transcript = Callable[..., str]


@pytest.mark.usefixtures("loop")
def test_what_a_dataset_reached(transcript: Transcript) -> None:
    """The summary, the branches and tags, and what it reached with its dose."""
    assert transcript(
        "tag v1 loop/tutor~1",
        "impact dataset/gutenberg",
        "impact dataset/gutenberg --limit 2",
        "impact loop/tutor",
        "impact nothing",
    ) == snapshot("""\
$ lineage tag v1 loop/tutor~1
2> v1 is aaaaaaaaaaaa
$ lineage impact dataset/gutenberg
bbbbbbbb dataset gutenberg reached 10 commits
3 generations, 3 models, 4 datasets, at most 1 turn away

branches
  branch             since                            affected  tip
  dataset/gutenberg  bbbbbbbb  itself                   1 of 1  affected
  loop/tutor         cccccccc  generation 0 of tutor    3 of 3  affected

tags
  tag  commit    what
  v1   aaaaaaaa  generation 1 of tutor

reached
  commit    what                                   its own   written  weights  turns  names
  dddddddd  model tutor                              100 %       0 %               0
  cccccccc  generation 0 of tutor                    100 %       0 %               0
  eeeeeeee  dataset tutor-synthetic generation 1       0 %     100 %               1
  ffffffff  dataset tutor-mixed generation 1      10, 50 %  10, 50 %               0
  gggggggg  model tutor generation 1              10, 50 %  10, 50 %               0
  aaaaaaaa  generation 1 of tutor                 10, 50 %  10, 50 %               0  tag: v1
  hhhhhhhh  dataset tutor-synthetic generation 2       0 %     100 %               1
  iiiiiiii  dataset tutor-mixed generation 2      10, 50 %  10, 50 %               0
  jjjjjjjj  model tutor generation 2              10, 50 %  10, 50 %               0
  kkkkkkkk  generation 2 of tutor                 10, 50 %  10, 50 %               0  loop/tutor
$ lineage impact dataset/gutenberg --limit 2
bbbbbbbb dataset gutenberg reached 10 commits
3 generations, 3 models, 4 datasets, at most 1 turn away

branches
  branch             since                            affected  tip
  dataset/gutenberg  bbbbbbbb  itself                   1 of 1  affected
  loop/tutor         cccccccc  generation 0 of tutor    3 of 3  affected

tags
  tag  commit    what
  v1   aaaaaaaa  generation 1 of tutor

reached
  commit    what                   its own  written  weights  turns  names
  dddddddd  model tutor              100 %      0 %               0
  cccccccc  generation 0 of tutor    100 %      0 %               0
  … 8 more; --limit 10 shows them
$ lineage impact loop/tutor
kkkkkkkk generation 2 of tutor reached nothing

branches
  branch      since             affected  tip
  loop/tutor  kkkkkkkk  itself    1 of 1  affected
$ lineage impact nothing
2> error: no branch, tag or commit is called 'nothing'
2> hint: `lineage branch` lists the branches, `lineage log` the commits
exit 5
""")


@pytest.mark.usefixtures("loop")
def test_impact_in_markdown(transcript: Transcript) -> None:
    """Markdown has the same tables."""
    assert transcript("impact loop/tutor~1^includes(model) --format md") == snapshot("""\
$ lineage impact loop/tutor~1^includes(model) --format md
# model tutor generation 1

`aaaaaaaaaaaa…` reached 5 commits: 2 generations, 1 model, 2 datasets, at most 1 turn away

## branches

| branch | since |  | affected | tip |
| --- | --- | --- | ---: | --- |
| loop/tutor | bbbbbbbb | generation 1 of tutor | 2 of 2 | affected |

## reached

| commit | what | its own | written | weights | turns | names |
| --- | --- | ---: | ---: | --- | ---: | --- |
| bbbbbbbb | generation 1 of tutor | 0 % | 0 % | yes | 0 |  |
| cccccccc | dataset tutor-synthetic generation 2 | 100 % | 0 % |  | 1 |  |
| dddddddd | dataset tutor-mixed generation 2 | 10, 50 % | 0 % |  | 1 |  |
| eeeeeeee | model tutor generation 2 | 10, 50 % | 0 % |  | 1 |  |
| ffffffff | generation 2 of tutor | 10, 50 % | 0 % |  | 1 | loop/tutor |
""")


def test_impact_as_data(loop: Loop, run: Run) -> None:
    """JSON has exact shares and counts, lowest and highest, of everything."""
    found = run("impact", "dataset/gutenberg", "--format", "json").json()
    last = loop.registry.load(loop.made[-1][0])
    [mine] = [one for one in found["reached"] if one["id"] == last.id]

    assert found["count"] == len(found["reached"]) == 10
    assert found["source"]["id"] == loop.human
    assert found["turns"] == 1
    assert mine["branches"] == ["loop/tutor"]
    assert mine["dose"] == snapshot(
        {
            "records": {
                "low": 0.5,
                "high": 0.5,
                "exact": [[1, 2], [1, 2]],
                "count": [10, 10],
            },
            "written": {
                "low": 0.5,
                "high": 0.5,
                "exact": [[1, 2], [1, 2]],
                "count": [10, 10],
            },
            "of": 20,
            "weights": False,
            "turns": 0,
        }
    )
    [branch] = found["branches"][1:]
    assert branch == {
        "name": "loop/tutor",
        "tip": last.id,
        "tip_is_affected": True,
        "first": loop.made[0][0],
        "clean": None,
        "affected": 3,
        "length": 3,
    }


NAMES = (
    "a,b",
    'say "so"',
    "=1+1",
    "two  spaces",
    "naïve — 数据",
    "tab;semicolon",
    "'q'",
)


def test_the_recall_list_as_a_table_keeps_every_name(repo: Registry, run: Run) -> None:
    """CSV has one line for each commit, whatever its name, branch and tag look like."""
    bad = repo.commit("dataset", "bad", params={"rows": 4}).id
    share = {"records": [1, 4]}
    made = {}
    for name in (*NAMES, "long" * 50):
        edges = [Edge("derived_from", bad, share=share)]
        ref = "plain" if name.startswith("long") else f"of/{name}"
        made[repo.commit("dataset", name, edges=edges, branch=ref).id] = name, ref
    judged = repo.commit("model", "judged", edges=[Edge("evaluated_on", bad)]).id
    text = run("impact", bad[:8], "--format", "csv").stdout
    lines = list(csv.DictReader(io.StringIO(text, newline="")))
    listed = {
        line["id"]: (
            line["name"].replace("'=", "="),  # no formula of a spreadsheet
            *json.loads(line["branches"]),
        )
        for line in lines
    }

    assert listed == {**made, judged: ("judged", "model/judged")}
    assert [line["measured_only"] for line in lines] == ["false"] * len(made) + ["true"]
    assert {line["records_high"] for line in lines[:-1]} == {"0.25"}
    assert {line["of"] for line in lines[:-1]} == {"4"}
    jsonl = run("impact", bad[:8], "--format", "jsonl").stdout.splitlines()
    assert [json.loads(line)["id"] for line in jsonl] == [*made, judged]


def test_what_was_reached_by_then(loop: Loop, run: Run) -> None:
    """With --at only what was there, and branches where they were."""
    registry, event = loop.registry, loop.registry.ids.get(loop.made[1][0]).event
    found = run("impact", "dataset/gutenberg", "--format", "json", "--at", event).json()

    assert found["reached"][-1]["id"] == loop.made[1][0]
    assert found["reached"][-1]["branches"] == ["loop/tutor"]
    assert registry.branches()["loop/tutor"] == loop.made[2][0]
    assert found["count"] == 6


def test_doses_in_tokens(repo: Registry, run: Run) -> None:
    """Shares of tokens are another question than shares of records."""
    seed = repo.commit("dataset", "seed", params={"rows": 4}).id
    share = {"records": [1, 2], "tokens": [1, 10]}
    repo.commit("dataset", "mixed", edges=[Edge("derived_from", seed, share=share)])

    def dose(*words: str) -> Any:
        [one] = run("impact", seed, "--format", "json", *words).json()["reached"]
        return one["dose"]["records"]["exact"], one["dose"]["of"]

    assert dose() == ([[1, 2], [1, 2]], 2)
    assert dose("--unit", "tokens") == ([[1, 10], [1, 10]], 10)


def test_a_range_says_where_it_begins(repo: Registry, run: Run) -> None:
    """And what to record, so that it becomes a number."""
    seed = repo.commit("dataset", "seed", params={"rows": 4}).id
    edges, origin = [Edge("derived_from", seed)], {"type": "mixed"}
    own = repo.commit("dataset", "own", edges=edges, origin=origin).id
    share = {"records": [1, 2]}
    repo.commit("dataset", "half", edges=[Edge("derived_from", own, share=share)])
    for words in (["impact", seed], ["impact", seed, "--format", "md"]):
        *_, why, how = run(*words).stdout.replace("\\", "").splitlines()

        assert why == (
            f"doses are ranges from dataset own {own[:8]} on: "
            "no share on derived_from, and it states an origin"
        )
        assert "--derived-from REV,share=N/M" in how
    assert "ranges" not in run("impact", own).stdout
    [began] = run("impact", seed, "--format", "json").json()["ranges"]
    assert began == {
        "id": own,
        "roles": ["derived_from"],
        "states_origin": True,
        "excess": False,
    }


def test_shares_of_more_than_the_whole_are_none(repo: Registry, run: Run) -> None:
    """Impact makes no number of them, and trace none: both give all that may be."""
    made = [repo.commit("dataset", n, params={"is": n}).id for n in ("bad", "good")]
    edges = [Edge("derived_from", id_, share={"records": [3, 4]}) for id_ in made]
    mixed = repo.commit("dataset", "mixed", edges=edges).id
    asked = run("impact", made[0], "--format", "json").json()
    [reached] = asked["reached"]
    [began] = asked["ranges"]

    assert reached["dose"]["records"]["exact"] == [[0, 1], [1, 1]]
    assert began == {"id": mixed, "roles": [], "states_origin": False, "excess": True}
    assert run("impact", made[0]).stdout.splitlines()[-1] == (
        f"doses are ranges from dataset mixed {mixed[:8]} on: "
        "its shares add up to more than all of it"
    )


def test_a_copy_that_nothing_leads_to_is_named(repo: Registry, run: Run) -> None:
    """It has all of the files; what came of the source or came before it is none."""
    (repo.root / "folder").mkdir()
    for number in range(12):
        (repo.root / "folder" / f"{number}.txt").write_text(f"{number}\n")
    folder = repo.root / "folder"
    first = repo.commit("dataset", "first", folder)
    edges = [Edge("derived_from", first.id)]
    bad = repo.commit("dataset", "bad", folder, edges=edges)
    repo.commit("dataset", "of bad", folder, edges=[Edge("derived_from", bad.id)])
    (folder / "more.txt").write_text("more\n")
    more = repo.commit("dataset", "more", folder)
    (folder / "0.txt").unlink()
    repo.commit("dataset", "not all", folder)
    for words in (["impact", bad.id], ["impact", bad.id, "--format", "md"]):
        assert run(*words).stdout.splitlines()[-1] == (
            f"the same files are in dataset more {more.id[:8]}, which it did not reach"
        )
    [told] = run("impact", bad.id, "--format", "json").json()["copies"]
    assert (told["id"], told["name"]) == (more.id, "more")
    with closing(lineage.open(repo.root, at=repo.ids.get(bad.id).event)) as past:
        assert past.impact(bad.id).copies == ()
    assert "same files" not in run("impact", more.id).stdout


@pytest.mark.usefixtures("loop")
def test_what_to_make_again(transcript: Transcript) -> None:
    """In order, each with what it is made from; loops with where to go on from."""
    assert transcript(
        "impact loop/tutor~1^includes(model) --plan",
        "impact loop/tutor~1^includes(model) --plan --limit 1 --format md",
        "impact loop/tutor --plan",
    ) == snapshot("""\
$ lineage impact loop/tutor~1^includes(model) --plan
once model tutor generation 1 aaaaaaaa is replaced: 5 commits to make again
a loop whose data, spec or seed change is another loop, and with the same it makes the same again: change what was wrong, and name it NAME-anew

loops to run again
  branch      generations  after                           spec
  loop/tutor            2  generation 0 of tutor bbbbbbbb  cccccccc
    lineage branch loop/tutor-anew bbbbbbbbbbbb; lineage loop run FILE

in this order
  step  commit    what                                  from step    and                                                                  config    part of, or made by
     1  dddddddd  generation 1 of tutor                 the new one  config tutor cccccccc, dataset tutor-mixed generation 1 eeeeeeee +1            its loop
     2  ffffffff  dataset tutor-synthetic generation 2  the new one  dataset gutenberg gggggggg                                           cccccccc  generation 2 of tutor hhhhhhhh
     3  iiiiiiii  dataset tutor-mixed generation 2      2            dataset gutenberg gggggggg                                                     generation 2 of tutor hhhhhhhh
     4  jjjjjjjj  model tutor generation 2              3                                                                                 cccccccc  generation 2 of tutor hhhhhhhh
     5  hhhhhhhh  generation 2 of tutor                 2, 3, 4      config tutor cccccccc                                                          its loop
$ lineage impact loop/tutor~1^includes(model) --plan --limit 1 --format md
# once model tutor generation 1 aaaaaaaa is replaced: 5 commits to make again

a loop whose data, spec or seed change is another loop, and with the same it makes the same again: change what was wrong, and name it NAME-anew

## loops to run again

| branch | generations | after | spec |  |
| --- | ---: | --- | --- | --- |
| loop/tutor | 2 | generation 0 of tutor bbbbbbbb | cccccccc | lineage branch loop/tutor-anew bbbbbbbbbbbb; lineage loop run FILE |

## in this order

| step | commit | what | from step | and | config | part of, or made by |
| ---: | --- | --- | --- | --- | --- | --- |
| 1 | dddddddd | generation 1 of tutor | the new one | config tutor cccccccc, dataset tutor-mixed generation 1 eeeeeeee +1 |  | its loop |

… 4 more; --limit 5 shows them
$ lineage impact loop/tutor --plan
nothing came of generation 2 of tutor hhhhhhhh

loops to run again
  branch      generations  after                           spec
  loop/tutor            1  generation 1 of tutor dddddddd  cccccccc
    lineage branch loop/tutor-anew dddddddddddd; lineage loop run FILE
""")


def test_a_plan_makes_parents_first_and_changes_nothing(loop: Loop, run: Run) -> None:
    """Each step comes behind those that it is made from; nothing is recorded."""
    registry = loop.registry
    before = registry.events_log.tip()
    found = run("impact", "dataset/gutenberg", "--plan", "--format", "json").json()
    done = {loop.human}
    for step in found["steps"]:
        commit = registry.load(step["id"])
        inputs = {e.id for e in commit.edges if e.role not in ("follows", "revises")}
        assert {*step["again"], *step["kept"], *step["configs"]} == inputs
        assert set(step["again"]) == inputs & {
            loop.human,
            *(s["id"] for s in found["steps"]),
        }
        assert set(step["again"]) <= done
        done.add(step["id"])
    owners = {step["id"]: step["part_of"] for step in found["steps"]}

    assert found["count"] == len(found["steps"]) == 10
    assert {owners[model] for _, model in loop.made} == {id_ for id_, _ in loop.made}
    assert [branch["commands"] for branch in found["loops"]] == [
        ["lineage loop run FILE"]
    ]
    assert registry.events_log.tip() == before
    listed = run("impact", "dataset/gutenberg", "--plan", "--format", "jsonl").jsonl()
    assert [step["id"] for step in listed] == [step["id"] for step in found["steps"]]

# ruff: noqa: E501 - transcripts are as wide as they are
"""`lineage show`: one commit, for people and programs."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from inline_snapshot import snapshot

from lineage.store.objects import Commit, Edge, Metric

if TYPE_CHECKING:
    from collections.abc import Callable

    from lineage.registry import Registry

    Run = Callable[..., Any]
    Transcript = Callable[..., str]


def test_a_generation(loop: Any, transcript: Transcript) -> None:
    """Edges, params and metrics, and what was said about it later."""
    subject = loop.made[-1][0]
    loop.registry.attest("review", subject=subject, message="fine", data={"ok": True})

    assert transcript("tag v1", "show") == snapshot("""\
$ lineage tag v1
2> v1 is aaaaaaaaaaaa
$ lineage show
generation 2 of tutor (HEAD -> loop/tutor, tag: v1)
id        aaaaaaaaaaaa…
git       bbbbbbbbbbbb…
recorded  2026-01-02 03:04:05 +0000 (just now)
by        Ada Example <ada@example.com>

    generation 2 of tutor

edges
  role      commit    what                     share  evidence
  follows   cccccccc  generation tutor                observed
  includes  dddddddd  config tutor                    observed
  includes  eeeeeeee  dataset tutor-mixed             observed
  includes  ffffffff  model tutor                     observed
  includes  gggggggg  dataset tutor-synthetic         observed

metrics
  name        value  interval      n  better  definition
  distinct_2   0.19              900          v1
  perplexity   88.4            4,000  lower   v1

params
  name        value
  generation  2

events
  time              event   by           message
  2026-01-02 03:04  tag     Ada Example  v1
  2026-01-02 03:04  review  Ada Example  fine
""")


def test_a_dataset_with_many_files(repo: Registry, transcript: Transcript) -> None:
    """Payload, origin and the first twenty files; the message is indented."""
    folder = repo.root / "many"
    folder.mkdir()
    for number in range(22):
        (folder / f"{number:02}.txt").write_text("x" * 1000 * number, encoding="utf-8")
    (folder / "empty").mkdir()
    origin = {"type": "human", "source": "a survey", "licence": "CC-BY-4.0"}
    message = "All answers.\n\nCollected in May."
    repo.commit("dataset", "survey", folder, origin=origin, message=message)

    assert transcript("show dataset/survey") == snapshot("""\
$ lineage show dataset/survey
dataset survey (HEAD -> dataset/survey)
id        aaaaaaaaaaaa…
git       bbbbbbbbbbbb…
recorded  2026-01-02 03:04:05 +0000 (just now)
by        Ada Example <ada@example.com>
payload   22 files, 231 kB
from      many
origin    human, licence CC-BY-4.0, source a survey

    All answers.

    Collected in May.

files
  path     size  sha256
  00.txt    0 B  cccccccccccc
  01.txt   1 kB  dddddddddddd
  02.txt   2 kB  eeeeeeeeeeee
  03.txt   3 kB  ffffffffffff
  04.txt   4 kB  gggggggggggg
  05.txt   5 kB  hhhhhhhhhhhh
  06.txt   6 kB  iiiiiiiiiiii
  07.txt   7 kB  jjjjjjjjjjjj
  08.txt   8 kB  kkkkkkkkkkkk
  09.txt   9 kB  llllllllllll
  10.txt  10 kB  mmmmmmmmmmmm
  11.txt  11 kB  nnnnnnnnnnnn
  12.txt  12 kB  oooooooooooo
  13.txt  13 kB  pppppppppppp
  14.txt  14 kB  qqqqqqqqqqqq
  15.txt  15 kB  rrrrrrrrrrrr
  16.txt  16 kB  ssssssssssss
  17.txt  17 kB  tttttttttttt
  18.txt  18 kB  uuuuuuuuuuuu
  19.txt  19 kB  vvvvvvvvvvvv
  … and 3 more: `lineage show --format json` lists them
""")


def test_gates_shares_and_intervals(repo: Registry, transcript: Transcript) -> None:
    """What has been measured is shown with its limits, counts and intervals."""
    seed = repo.commit("dataset", "seed", params={"rows": 3}).id
    share = {"records": [1, 3]}
    gate = {"id": "bias", "type": "bias_shift", "verdict": "pass", "value": 0.01,
            "max": 0.2, "action": "stop", "on": "dataset"}  # fmt: skip
    metrics = {
        "loss": Metric(2.5, "cross_entropy", 2, "lower", 400, [2.25, 2.75]),
        "rows": 12345,
    }
    edges = [Edge("includes", seed, "observed", share)]
    repo.commit("generation", "g", edges=edges, metrics=metrics, gates=[gate])

    assert transcript("show") == snapshot("""\
$ lineage show
generation 0 of g (HEAD -> loop/g)
id        aaaaaaaaaaaa…
git       bbbbbbbbbbbb…
recorded  2026-01-02 03:04:05 +0000 (just now)
by        Ada Example <ada@example.com>

edges
  role      commit    what                   share  evidence
  includes  cccccccc  dataset seed  1 of 3, 33.3 %  observed

metrics
  name   value  interval        n  better  definition
  loss     2.5  [2.25, 2.75]  400  lower   cross_entropy v2
  rows  12,345

gates
  gate  verdict  value  if not
  bias  pass      0.01  stop
    at most 0.2
""")


def test_without_bytes(transcript: Transcript, repo: Registry) -> None:
    """External and referenced artifacts say so."""
    (repo.root / "big.bin").write_bytes(b"1234")
    assert transcript(
        "-q commit model --name judge --external https://api.example/judge "
        f"--digest sha256:{'1' * 64}",
        "show",
        "-q commit dataset big.bin --name big --reference",
        "show",
    ) == snapshot("""\
$ lineage -q commit model --name judge --external https://api.example/judge --digest sha256:aaaaaaaaaaaa…
bbbbbbbbbbbb…
$ lineage show
model judge at https://api.example/judge (HEAD -> model/judge)
id        bbbbbbbbbbbb…
git       cccccccccccc…
recorded  2026-01-02 03:04:05 +0000 (just now)
by        Ada Example <ada@example.com>
external  https://api.example/judge, digest sha256:aaaaaaaaaaaa…
$ lineage -q commit dataset big.bin --name big --reference
dddddddddddd…
$ lineage show
dataset big by reference (HEAD -> dataset/big)
id        dddddddddddd…
git       eeeeeeeeeeee…
recorded  2026-01-02 03:04:05 +0000 (just now)
by        Ada Example <ada@example.com>
payload   1 file, 4 B, hashed in place and not stored
from      big.bin

files
  path     size  sha256
  big.bin   4 B  ffffffffffff
""")


def test_json(loop: Any, run: Run) -> None:
    """JSON has every field of the documented shape, and all events."""
    shown = run("show", "HEAD^includes(model)", "--format", "json").json()

    assert list(shown) == [
        "schema_version", "id", "git", "kind", "name", "time", "author", "message",
        "edges", "metrics", "params", "branches", "tags", "live", "generation",
        "stated", "releases", "payload", "path", "origin", "code", "external", "gates",
        "extra", "files", "tainted", "events",
    ]  # fmt: skip
    assert shown["id"] == loop.made[-1][1]
    assert [file["path"] for file in shown["files"]] == ["config.json", "weights.bin"]
    assert shown["payload"]["count"] == 2
    assert shown["payload"]["stored"] is True
    assert shown["path"] == "model"
    assert [event["type"] for event in shown["events"]] == ["commit"]
    assert {edge["name"] for edge in shown["edges"]} == {"tutor", "tutor-mixed"}


def test_json_of_a_metric(loop: Any, run: Run) -> None:
    """A metric has all its fields; what is unknown is null."""
    assert loop.made
    assert run("show", "--format", "json").json()["metrics"]["perplexity"] == {
        "value": 88.4,
        "definition": "perplexity",
        "version": 1,
        "direction": "lower",
        "n": 4000,
        "interval": None,
        "event": None,
    }


@pytest.mark.usefixtures("repo")
def test_markdown(transcript: Transcript) -> None:
    """Markdown escapes what would be markup."""
    assert transcript(
        "-q commit config --name a_b --param 'x|y=<b>' -m 'one'", "show --format md"
    ) == snapshot("""\
$ lineage -q commit config --name a_b --param 'x|y=<b>' -m 'one'
aaaaaaaaaaaa…
$ lineage show --format md
# config a\\_b

- id: aaaaaaaaaaaa…
- git: bbbbbbbbbbbb…
- recorded: 2026-01-02 03:04:05 +0000 (just now)
- by: Ada Example \\<ada@example.com\\>

> one

## params

| name | value |
| --- | --- |
| x\\|y | \\<b\\> |
""")


@pytest.mark.usefixtures("loop")
def test_revisions_that_mean_nothing(transcript: Transcript) -> None:
    """Each way to miss a commit is one sentence and exit code 5 or 2."""
    assert transcript(
        "show nope",
        "show 12",
        "show loop/tutor~9",
        "show loop/tutor^trained_on",
        "show loop/tutor^includes",
        "show loop/tutor^parent",
        "show loop/tutor^^",
        "show ''",
    ) == snapshot("""\
$ lineage show nope
2> error: no branch, tag or commit is called 'nope'
2> hint: `lineage branch` lists the branches, `lineage log` the commits
exit 5
$ lineage show 12
2> error: no branch, tag or commit is called '12'
2> hint: `lineage branch` lists the branches, `lineage log` the commits
exit 5
$ lineage show loop/tutor~9
2> error: nothing comes before aaaaaaaaaaaa on its branch
exit 5
$ lineage show loop/tutor^trained_on
2> error: bbbbbbbbbbbb has no edge trained_on
exit 5
$ lineage show loop/tutor^includes
2> error: bbbbbbbbbbbb has 4 edges includes
2> hint: candidates: cccccccccccc (config tutor), dddddddddddd (dataset tutor-mixed), eeeeeeeeeeee (model tutor), ffffffffffff (dataset tutor-synthetic)
exit 5
$ lineage show loop/tutor^parent
2> error: the revset is wrong at character 12: expected a role
2>   loop/tutor^parent
2>              ^^^^^^
2> hint: one of: trained_on, fine_tuned_from, generated_by, derived_from, selected_by, rewarded_by, distilled_from, merged_from, quantized_from, configured_by, evaluated_on, includes, follows, revises
exit 2
$ lineage show loop/tutor^^
2> error: the revset is wrong at character 12: expected a role
2>   loop/tutor^^
2>              ^
2> hint: one of: trained_on, fine_tuned_from, generated_by, derived_from, selected_by, rewarded_by, distilled_from, merged_from, quantized_from, configured_by, evaluated_on, includes, follows, revises
exit 2
$ lineage show ''
2> error: REV is empty
2> hint: give it a value, or leave it out
exit 2
""")


def test_an_ambiguous_prefix_lists_the_candidates(
    repo: Registry, transcript: Transcript
) -> None:
    """Two commits whose ids start alike are named, with what they are."""
    seen: dict[str, int] = {}
    for number in count():
        prefix = Commit("config", "c", params={"n": number}).id[:4]
        if prefix in seen:
            break
        seen[prefix] = number
    for twin in (seen[prefix], number):
        repo.commit("config", "c", params={"n": twin}, branch=f"b{twin}")

    assert transcript(f"show {prefix}").replace(prefix, "abcd") == snapshot("""\
$ lineage show abcd
2> error: 'abcd' could be 2 commits
2> hint: candidates: aaaaaaaaaaaa (config c), bbbbbbbbbbbb (config c)
exit 5
""")

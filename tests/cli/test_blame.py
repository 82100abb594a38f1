"""`lineage blame`: the answer on one screen, for programs, and proven."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from inline_snapshot import snapshot

if TYPE_CHECKING:
    from lineage.registry import Registry
    from tests.conftest import Run

WRITTEN = """\
{"completion":" it rains","generator":"%s","id":"g001-00000-00000","prompt":"Today",\
"prompt_source":"human-1","seed":7,"text":"Today it rains"}
{"completion":" it snows","generator":"%s","id":"g001-00000-00001","prompt":"Today",\
"prompt_source":"human-1","seed":8,"text":"Today it snows"}
"""


@pytest.fixture
def mixed(repo: Registry, run: Run) -> str:
    """A dataset of human and generated records; its branch."""
    Path("human.jsonl").write_text('{"id":"human-1","text":"Today the sun shone."}\n')
    Path("model.bin").write_bytes(b"weights")
    origin = ("--origin", "human", "--source", "a diary", "--licence", "CC0-1.0")
    run("commit", "dataset", "human.jsonl", "--name", "diary", *origin)
    run("commit", "model", "model.bin", "--name", "seed")
    run("commit", "config", "--name", "hot", "--param", "temperature=1.5")
    payload = repo.load(repo.resolve("model/seed")).payload
    assert payload is not None
    Path("g001.jsonl").write_text(WRITTEN % (payload.root, payload.root))
    made = ("--generated-by", "model/seed", "--configured-by", "config/hot")
    source = ("--derived-from", "dataset/diary")
    run("commit", "dataset", "g001.jsonl", "--name", "weather", *made, *source)
    Path("mix").mkdir()
    for name in ("human.jsonl", "g001.jsonl"):
        (Path("mix") / name).write_bytes(Path(name).read_bytes())
    both = ("--derived-from", "dataset/weather", *source)
    run("commit", "dataset", "mix", "--name", "mixed", *both)
    Path("model.bin").write_bytes(b"other weights")
    trained = ("--trained-on", "dataset/mixed")
    run("commit", "model", "model.bin", "--name", "pupil", *trained)
    return "dataset/mixed"


def test_one_screen_says_all(mixed: str, run: Run) -> None:
    """The way of a generated record, what it was made with, and whom it trained."""
    told = run("blame", mixed, "it snows")
    assert (told.exit_code, told.stderr) == (0, "")
    assert told.stdout == snapshot("""\
record 2 of mixed 2fe76b01, g001-00000-00001
    Today it snows

passed through
  commit    dataset  where
  2fe76b01  mixed    g001.jsonl:2
  3842d81b  weather  g001.jsonl:2  same bytes, first here

written by  seed 840f31fd, whose files have the hash that the record names
prompt      'Today'
from        human-1 of diary 48321ad2, human.jsonl:1
text        Today the sun shone.
seed        8
settings    temperature 1.5
config      hot 0e6f41bc
trained     pupil 05679261
""")
    told = run("blame", "model/pupil", "human-1")
    assert told.stdout == snapshot("""\
record 3 of mixed 2fe76b01, human-1
    Today the sun shone.

passed through
  commit    dataset  where
  2fe76b01  mixed    human.jsonl:1
  48321ad2  diary    human.jsonl:1  same bytes, first here

origin   human, licence CC0-1.0, source a diary
trained  pupil 05679261
""")


def test_programs_get_all(mixed: str, run: Run) -> None:
    """JSON has the record, its identity and every step; CSV a line per step."""
    found = run("blame", mixed, "2", "--format", "json").json()
    assert found["record"]["id"] == "g001-00000-00001"
    assert [(s["name"], s["same"]) for s in found["steps"]] == [
        ("mixed", None),
        ("weather", "bytes"),
    ]
    assert found["writers"][0]["name"] == "seed"
    assert found["writers"][0]["matches"] is True
    assert found["settings"] == {"temperature": 1.5}
    assert found["prompt"]["place"]["line"] == 1
    assert run("blame", mixed, "2", "--format", "jsonl").jsonl() == [found]
    rows = run("blame", mixed, "2", "--format", "csv").stdout.splitlines()
    assert [row.split(",")[1:6] for row in rows[1:]] == [
        ["mixed", "g001.jsonl", "2", "line", ""],
        ["weather", "g001.jsonl", "2", "line", "bytes"],
    ]
    assert (
        "| mixed | g001.jsonl:2 |" in run("blame", mixed, "2", "--format", "md").stdout
    )


def test_what_is_not_one_record_is_refused(mixed: str, run: Run) -> None:
    """Several records are listed, and none is an error; both exit 5."""
    several = run("blame", mixed, "Today")
    assert (several.exit_code, several.stdout, several.stderr) == snapshot(
        (
            5,
            "",
            """\
error: 'Today' is in 2 records of 2fe76b01dac3
  1: 'Today it rains'
  2: 'Today it snows'
hint: candidates: 1, 2
""",
        )
    )
    assert run("blame", mixed, "4").exit_code == 5
    assert run("blame", "model/seed", "1").exit_code == 5
    assert run("blame", mixed, "").exit_code == 2


def test_a_proof_is_written_once_its_root_is_stated(mixed: str, run: Run) -> None:
    """The file is there, the event named; the past states and writes nothing."""
    event = run("events", "--format", "jsonl").jsonl()[0]["id"]
    refused = run("blame", mixed, "2", "--prove", "p.json", "--at", event)
    assert refused.exit_code == 4
    assert "this is the registry as of event" in refused.stderr
    assert not Path("p.json").exists()
    told = run("blame", mixed, "2", "--prove", "p.json")
    proof = json.loads(Path("p.json").read_text(encoding="utf-8"))
    assert told.stderr == (
        "p.json: the root of 3 records is stated by the new event "
        f"{proof['event_id'][:8]}, not signed\n"
    )
    assert (proof["index"], proof["count"], len(proof["path"])) == (1, 3, 2)
    again = run("blame", mixed, "3", "--prove", "p.json")
    assert f"stated by event {proof['event_id'][:8]}" in again.stderr
    lost = run("blame", mixed, "2", "--prove", "no/where.json")
    assert (lost.exit_code, "there is no folder no" in lost.stderr) == (1, True)


def test_a_row_of_a_table_is_told_by_its_columns(repo: Registry, run: Run) -> None:
    """Of a record without a text of its own not just the longest value is shown."""
    del repo
    Path("people.csv").write_text("id,job,city\np1,Machine-inspector,Riga\n")
    run("commit", "dataset", "people.csv", "--name", "people")
    told = run("blame", "dataset/people", "p1").stdout.splitlines()
    assert told[1] == "    id p1, job Machine-inspector, city Riga"

# ruff: noqa: E501 - transcripts are as wide as they are
"""`lineage diff` of datasets: their records, for people and programs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from inline_snapshot import snapshot

if TYPE_CHECKING:
    from collections.abc import Callable

    from lineage.registry import Registry

    Run = Callable[..., Any]
    Transcript = Callable[..., str]


@pytest.fixture
def people(repo: Registry) -> None:
    """Two versions of a table: a cell changed, rows came and went, a column, too."""
    path = repo.root / "people.jsonl"
    old = [{"id": n, "age": 20 + n, "job": "ab"[n % 2]} for n in range(20)]
    new = [{**row, "from": "here"} if row["id"] == 3 else row for row in old[1:]]
    new[4] = {**new[4], "age": 90}
    new += [{"id": 50, "age": 1, "job": "c"}, {"id": 51, "age": 2, "job": "c"}]
    for rows in (old, new):
        path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
        repo.commit("dataset", "people", path)


@pytest.mark.usefixtures("people")
def test_records_for_people(transcript: Transcript) -> None:
    """Counts, columns, what moved, and some of each; a few rows of a table, if asked."""
    assert transcript("diff --only records --key id") == snapshot("""\
$ lineage diff --only records --key id
old  aaaaaaaa dataset people, just now
new  bbbbbbbb dataset people (HEAD -> dataset/people), just now

records
           old  new
  records   20   21
  added           2
  removed    1
  changed         2  age 1, from 1

records: columns
         column  old  new
  added  from    -    string

records: what shifted
  column  kind             old         new       JS       KS     W1
  age     number     mean 29.5  mean 30.38           0.09524   4.81
  id      number      mean 9.5  mean 13.86           0.09524  4.357
  job     category  2 distinct  3 distinct  0.04981

records: some of them
           file          number  record
  added    people.jsonl      20  {"id": 50, "age": 1, "job": "c"}
  added    people.jsonl      21  {"id": 51, "age": 2, "job": "c"}
  removed  people.jsonl       1  {"id": 0, "age": 20, "job": "a"}
  changed  people.jsonl       3  {"id": 3, "from": [null, "here"]}
  changed  people.jsonl       5  {"id": 5, "age": [25, 90]}
""")
    assert transcript("diff --only records --limit 1") == snapshot("""\
$ lineage diff --only records --limit 1
old  aaaaaaaa dataset people, just now
new  bbbbbbbb dataset people (HEAD -> dataset/people), just now

records
           old  new
  records   20   21
  added           4
  removed    3

records: columns
         column  old  new
  added  from    -    string

records: what shifted
  column  kind          old         new  JS       KS    W1
  age     number  mean 29.5  mean 30.38      0.09524  4.81
  … 2 more; --limit 3 shows them

records: some of them
         file          number  record
  added  people.jsonl       3  {"id": 3, "age": 23, "job": "b", "from": "here"}
  … 5 more; --limit 6 shows them
""")


@pytest.mark.usefixtures("people")
def test_records_for_programs(run: Run, transcript: Transcript) -> None:
    """JSON has everything, CSV a line per change, and what differs is an exit code."""
    found = run("diff", "--only", "records", "--key", "id", "--format", "json").json()
    [records] = found["records"]

    assert list(records) == [
        "label", "a", "b", "same_files", "added", "removed", "changed", "key",
        "changed_columns", "moved", "reordered", "duplicated", "schema", "columns",
        "sampled", "samples",
    ]  # fmt: skip
    assert (records["added"], records["removed"], records["changed"]) == (2, 1, 2)
    assert records["changed_columns"] == {"age": 1, "from": 1}
    assert transcript("diff --only records --key id --format csv") == snapshot("""\
$ lineage diff --only records --key id --format csv
section,path,change,a,b,delta,better,verdict
records,records,added,,2,,,
records,records,removed,1,,,,
records,records,changed,,2,,,
records,column:from,added,null,"[""string""]",,,
records,column:age,shifted,,,0.aaaaaaaaaaaa…,,
records,column:id,shifted,,,0.aaaaaaaaaaaa…,,
records,column:job,shifted,,,0.bbbbbbbbbbbb…,,
records,people.jsonl:20,added,,"{""id"": 50, ""age"": 1, ""job"": ""c""}",,,
records,people.jsonl:21,added,,"{""id"": 51, ""age"": 2, ""job"": ""c""}",,,
records,people.jsonl:1,removed,"{""id"": 0, ""age"": 20, ""job"": ""a""}",,,,
records,people.jsonl:3,changed,,"{""id"": 3, ""from"": [null, ""here""]}",,,
records,people.jsonl:5,changed,,"{""id"": 5, ""age"": [25, 90]}",,,
""")
    assert run("diff", "--only", "records", "--exit-code").exit_code == 1


@pytest.mark.usefixtures("people")
def test_a_key_that_does_not_tell_records_apart(transcript: Transcript) -> None:
    """It is said in one sentence, and the diff goes on without it."""
    assert "the key job is not unique" in transcript("diff --only records --key job")

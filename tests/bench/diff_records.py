"""Two JSONL files record by record, beside a plain anti-join in duckdb and oxen.

    .venv/bin/python tests/bench/diff_records.py --records 1000000

Each contestant is a process of its own, with as many threads, and does what nobody
could do with less: an anti-join says how many records the new file has that the old one
has not; a diff needs it both ways, of columns as duckdb parses them or of lines as they
are written; oxen compares by all columns. What lineage does besides (equal values in
other bytes, duplicates, order, schema, statistics, samples) is in its time. All take
turns, `--rounds` times where there are edits, once in the other cases.
"""

from __future__ import annotations

import argparse
import json
import pydoc_data
import random
import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.bench.measure import PYTHON, Contestant, Run, machine

WORDS = Path(pydoc_data.__path__[0], "topics.py")  # 700 kB of English
_JOIN = """
import duckdb, os, sys
threads = min(4, os.cpu_count())
c = duckdb.connect(config={"memory_limit": "1GB", "threads": threads})
c.execute("SET temp_directory = 'spilled'")
if sys.argv[2] == "lines":
    read = "(SELECT json::VARCHAR AS line FROM read_json_objects('{}',"
    read += " format='newline_delimited'))"
    names = ["line"]
else:
    read = "read_json('{}', format='newline_delimited')"
    about = c.execute("DESCRIBE FROM " + read.format("a.jsonl")).fetchall()
    names = [row[0] for row in about]
using = ", ".join(f'"{name}"' for name in names)
for old, new in [("a.jsonl", "b.jsonl"), ("b.jsonl", "a.jsonl")][: int(sys.argv[1])]:
    join = f"{read.format(new)} ANTI JOIN {read.format(old)} USING ({using})"
    print(c.execute(f"SELECT count(*) FROM {join}").fetchone()[0])
"""
_OURS = """
from pathlib import Path
from lineage.diff import Options
from lineage.diff.records.comparing import compare_files
from lineage.diff.records.sources import File, Sources
places = (Path(name).resolve() for name in ("a.jsonl", "b.jsonl"))
a, b = ((File("data.jsonl", p.stat().st_size, p),) for p in places)
Path("home").mkdir(exist_ok=True)
found = compare_files(Sources(a, b, 0), "", Options(KEY), Path("home").resolve(), [])
print(found.added, found.removed, found.changed)
"""
_OXEN = """
import sys
sys.path.insert(0, PLACE)
import oxen
print(oxen.diff("a.jsonl", "b.jsonl"))
"""
OLD, NEW = "a.jsonl", "b.jsonl"
BASE = "anti-joins both ways"


def record(choose: random.Random, words: list[str], number: int) -> dict[str, object]:
    """About 250 bytes: text, a category, numbers and a boolean."""
    start = choose.randrange(len(words) - 25)
    return {
        "id": f"r-{number:07d}",
        "text": " ".join(words[start : start + 25]),
        "source": choose.choice("abcd"),
        "score": round(choose.random(), 6),
        "n": choose.randrange(1000),
        "ok": choose.random() < 0.5,
    }


def write(folder: Path, count: int, case: str) -> None:
    """The two files: `edits` in one of 300, `nothing shared`, or `keys reordered`."""
    choose = random.Random(1)  # noqa: S311 - the same files each time
    words = WORDS.read_text(encoding="utf-8").split()
    folder.mkdir()
    with (folder / OLD).open("w") as old, (folder / NEW).open("w") as new:
        for number in range(count):
            row = record(choose, words, number)
            old.write(json.dumps(row) + "\n")
            if case == "keys reordered":
                new.write(json.dumps(row, sort_keys=True) + "\n")
                continue
            if case == "nothing shared":
                row["id"] = f"s-{number:07d}"
            elif choose.random() < 0.001:
                continue
            elif choose.random() < 0.001:
                row["n"] = 1000
            new.write(json.dumps(row) + "\n")
            if case == "edits" and choose.random() < 0.001:
                new.write(json.dumps(record(choose, words, count + number)) + "\n")


def contestants(folder: Path, oxen: Path | None) -> list[Contestant]:
    """Those that run here."""
    programs = {
        "anti-join": [PYTHON, "-c", _JOIN, "1", "columns"],
        BASE: [PYTHON, "-c", _JOIN, "2", "columns"],
        "the same of lines": [PYTHON, "-c", _JOIN, "2", "lines"],
        "lineage": [PYTHON, "-c", _OURS.replace("KEY", "")],
        "lineage --key id": [PYTHON, "-c", _OURS.replace("KEY", "key=('id',)")],
    }
    if oxen:
        programs["oxen"] = [PYTHON, "-c", _OXEN.replace("PLACE", repr(str(oxen)))]
    return [
        Contestant(name, command, lambda: folder) for name, command in programs.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--records", type=int, default=100_000, help="of each file")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--oxen", type=Path, help="where oxenai is installed")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lineage-bench-") as top:
        print(f"{machine(Path(top))}. Ratios are to anti-joins both ways, of columns.")
        for case in ("edits", "nothing shared", "keys reordered"):
            folder = Path(top, case.replace(" ", "-"))
            write(folder, given.records, case)
            size = sum((folder / name).stat().st_size for name in (OLD, NEW))
            print(f"\n{case}: 2 x {given.records:,} records, {size / 1e6:.0f} MB")
            rounds = given.rounds if case == "edits" else 1
            table(contestants(folder, given.oxen), rounds)
            shutil.rmtree(folder)


def table(programs: list[Contestant], rounds: int) -> None:
    runs: dict[str, list[Run]] = {each.name: [] for each in programs}
    for _ in range(rounds):
        for each in programs:
            runs[each.name].append(each.run())
    middle = {
        name: sorted(some, key=lambda run: run.wall)[rounds // 2]
        for name, some in runs.items()
    }
    base = middle[BASE]
    for name, run in middle.items():
        memory = max(each.memory for each in runs[name]) / 1e6
        print(f"  {name:24} {run.wall:7.2f} s {run.wall / base.wall:6.2f} x"
              f"  cpu {run.cpu:7.2f} s {run.cpu / base.cpu:6.2f} x"
              f"  {memory:6.0f} MB", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()

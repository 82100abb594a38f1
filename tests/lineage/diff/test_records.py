"""Records of two datasets compared: against multisets, and with files that are bad."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Timer
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineage.diff import Options, diff
from lineage.diff.records.comparing import compare_files
from lineage.diff.records.engine import engine
from lineage.diff.records.reading import Reader
from lineage.diff.records.sources import File, Sources
from lineage.records import identity

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping, Sequence

    from lineage.diff.records import RecordChanges
    from lineage.registry import Registry

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from([2**53 - 1, 2**53, 2**63, -(2**53), 10**30, 1e300, 5e-324, -0.0])
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(
        ["1", "1.0", "null", "true", "9007199254740992", "2020-01-01", ""]
    )
    | TEXTS
)
VALUES = LEAVES | st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from("xy"), inner, max_size=2)
    ),
    max_leaves=4,
)
NAMES = st.sampled_from(["a", "b", "a.b", 'q"', "~/", "é", "'", "?", ""])
RECORDS = st.dictionaries(NAMES, VALUES, max_size=3)


def compared(
    old: Mapping[str, bytes], new: Mapping[str, bytes], **options: Any
) -> tuple[RecordChanges, list[str]]:
    """The changes between files by name, and the notes."""
    notes: list[str] = []
    with TemporaryDirectory() as name:
        folder = Path(name).resolve()
        sides: list[list[File]] = [[], []]
        for number, (files, side) in enumerate(zip((old, new), sides, strict=True)):
            for path, data in sorted(files.items()):
                place = folder / f"{number}-{len(side)}"
                place.write_bytes(data)
                side.append(File(path, len(data), place))
        (folder / "home").mkdir()
        sources = Sources(tuple(sides[0]), tuple(sides[1]), 0)
        found = compare_files(sources, "", Options(**options), folder / "home", notes)
        left = [path.name for path in (folder / "home").rglob("*")]
    assert left in ([], ["comparing"])
    return found, notes


def jsonl(records: Sequence[Any]) -> bytes:
    return "".join(json.dumps(record) + "\n" for record in records).encode()


def written(records: Sequence[Any], style: random.Random) -> bytes:
    """The records in JSONL as anybody may write them."""
    lines = []
    for record in records:
        items = list(record.items())
        style.shuffle(items)
        line = json.dumps(
            dict(items),
            ensure_ascii=style.random() < 0.5,
            separators=style.choice([(",", ":"), (", ", ": "), (" ,  ", " :")]),
        )
        lines.append(line + style.choice(["\n", "\r\n", " \n", "\n\n"]))
    return "".join(lines).encode()


def multiset(records: Sequence[Any]) -> Counter[str]:
    return Counter(map(identity, records))


@settings(max_examples=20)
@given(st.lists(RECORDS, max_size=6), st.lists(RECORDS, max_size=6), st.randoms())
def test_added_and_removed_are_those_of_two_multisets(
    old: list[Any], new: list[Any], style: random.Random
) -> None:
    """Whatever the values and however they are written, counts are by identity."""
    shared = [style.choice(old) for _ in range(3)] if old else []
    new = [*new, *shared]
    style.shuffle(new)
    found, notes = compared(
        {"a.jsonl": written(old, style)}, {"a.jsonl": written(new, style)}
    )
    a, b = multiset(old), multiset(new)

    assert notes == []
    assert found.records == (len(old), len(new))
    assert (found.added, found.removed) == ((b - a).total(), (a - b).total())


@given(st.lists(RECORDS, max_size=6), st.randoms())
@settings(max_examples=15)
def test_formats_do_not_matter(records: list[Any], style: random.Random) -> None:
    """JSONL, a list in JSON and shards of either hold the same records."""
    middle = style.randrange(len(records) + 1)
    shards = {
        "x/a.jsonl": written(records[:middle], style),
        "y.jsonl": written(records[middle:], style),
    }
    found, notes = compared({"all.json": json.dumps(records).encode()}, shards)

    assert notes == []
    assert found.records == (len(records), len(records))
    assert (found.added, found.removed) == (0, 0)


CELLS = {
    "int": st.none() | st.integers(-(2**63), 2**63 - 1),
    "float": st.none() | st.floats(),
    "text": st.none() | TEXTS,
    "ok": st.none() | st.booleans(),
    "many": st.none() | st.lists(st.none() | st.integers(0, 9), max_size=2),
    "in": st.none() | st.fixed_dictionaries({"x": st.floats() | st.none()}),
}


@given(
    st.lists(st.fixed_dictionaries(CELLS), min_size=1, max_size=5),
    st.sampled_from(["parquet", "arrow", "stream"]),
)
@settings(max_examples=20)
def test_tables_hold_the_same_records(rows: list[Any], kind: str) -> None:
    """Values are the same in Parquet, in Arrow and in JSONL."""
    import pyarrow as pa
    from pyarrow import ipc, parquet

    types = {"int": pa.int64(), "float": pa.float64(), "text": pa.string(),
             "ok": pa.bool_(), "many": pa.list_(pa.int16()),
             "in": pa.struct([("x", pa.float32())])}  # fmt: skip
    table = pa.Table.from_pylist(rows, schema=pa.schema(list(types.items())))
    sink = pa.BufferOutputStream()
    if kind == "parquet":
        parquet.write_table(table, sink)
    else:
        new = ipc.new_file if kind == "arrow" else ipc.new_stream
        with new(sink, table.schema) as writer:
            writer.write_table(table)
    name = "t.parquet" if kind == "parquet" else "t.arrow"
    lines = jsonl(table.to_pylist())
    found, notes = compared({"t.jsonl": lines}, {name: sink.getvalue().to_pybytes()})

    assert notes == []
    assert found.records == (len(rows), len(rows))
    assert not found


def test_columns_that_json_does_not_have() -> None:
    """Dates, decimals, bytes and times in Parquet are the text that identities have."""
    import datetime as dt
    from decimal import Decimal

    import pyarrow as pa
    from pyarrow import parquet

    row = {"d": dt.date(2020, 2, 29), "n": Decimal("1.10"), "b": b"\x00\xff",
           "t": dt.datetime(2020, 1, 1, 12, 30, tzinfo=dt.UTC)}  # fmt: skip
    sink = pa.BufferOutputStream()
    parquet.write_table(pa.Table.from_pylist([row]), sink)
    text = {"d": "2020-02-29", "n": "1.10", "b": "00ff",
            "t": "2020-01-01T12:30:00+00:00"}  # fmt: skip
    found, notes = compared(
        {"t.parquet": sink.getvalue().to_pybytes()}, {"t.jsonl": jsonl([text])}
    )

    assert (bool(found), notes) == (False, [])


def test_csv_rows_are_text() -> None:
    """A cell is text, empty or not, quoted or not, and has no type of its own."""
    old = b'id,n,when\n1,01,2020-01-01\n2,,"a, b"\n'
    new = b'id,n,when\r\n1,1,2020-01-01\r\n2,"","a, b"\r\n'
    found, _ = compared({"t.csv": old}, {"t.csv": new}, key=("id",))

    assert (found.changed, found.added, found.removed) == (1, 0, 0)
    assert found.changed_columns == {"n": 1}
    assert found.samples[0].record == {"id": "1", "n": ["01", "1"]}


KEYED = st.dictionaries(st.integers(0, 9), st.fixed_dictionaries(
    {"x": LEAVES, "y": VALUES}), max_size=6)  # fmt: skip


@given(KEYED, KEYED, st.randoms())
@settings(max_examples=15)
def test_changed_ones_are_those_of_one_key(
    old: dict[int, Any], new: dict[int, Any], style: random.Random
) -> None:
    """With a key: changed, added and removed, and the columns, as by hand."""
    kept = {key: old[key] for key in old if style.random() < 0.3}
    new = new | kept
    sides = [[{"id": k, **v} for k, v in side.items()] for side in (old, new)]
    found, notes = compared(
        *({"a.jsonl": written(side, style)} for side in sides), key=("id",)
    )
    both = old.keys() & new.keys()
    columns = Counter(
        name
        for key in both
        for name in "xy"
        if identity({"v": old[key][name]}) != identity({"v": new[key][name]})
    )
    changed = sum(identity(old[key]) != identity(new[key]) for key in both)

    assert notes == []
    assert (found.added, found.removed) == (len(new) - len(both), len(old) - len(both))
    assert found.changed == changed
    assert dict(found.changed_columns) == dict(columns)


def test_a_key_that_is_not_unique() -> None:
    """One sentence says so, and the records are compared without it."""
    old = [{"id": 1, "x": 1}, {"id": 1, "x": 2}]
    found, notes = compared(
        {"a.jsonl": jsonl(old)}, {"a.jsonl": jsonl([{"id": 1, "x": 3}])}, key=("id",)
    )

    assert (found.changed, found.added, found.removed) == (None, 1, 2)
    [note] = notes
    assert note == (
        "the key id is not unique: 2 old records have 1 keys;"
        " what changed is shown as added and removed"
    )


def test_a_key_that_records_do_not_have() -> None:
    """Records without it come or go; 1 and 1.0 are one key, and "1" is another."""
    old = [{"id": 1, "x": 1}, {"x": 2}, {"id": "2", "x": 0}]
    new = [{"id": 1.0, "x": 2}, {"id": None, "x": 2}, {"id": 2, "x": 0}]
    found, notes = compared(
        {"a.jsonl": jsonl(old)}, {"a.jsonl": jsonl(new)}, key=("id",)
    )

    assert (found.changed, found.added, found.removed) == (1, 2, 2)
    assert notes == [
        "1 of 3 old records have no id: they can only be added or removed",
        "1 of 3 new records have no id: they can only be added or removed",
    ]


def test_records_in_another_file_or_order() -> None:
    """Moves between files are counted apart from moves within one."""
    records = [{"n": n} for n in range(9)]
    old = {"a.jsonl": jsonl(records[:5]), "b.jsonl": jsonl(records[5:])}
    new = {
        "a.jsonl": jsonl([records[1], records[0], *records[2:4]]),
        "b.jsonl": jsonl([*records[5:], records[4]]),
    }
    found, _ = compared(old, new)

    assert (found.moved, found.reordered) == (1, 1)
    assert (found.added, found.removed) == (0, 0)


@given(st.permutations(range(8)))
@settings(max_examples=15)
def test_the_fewest_that_would_have_to_move(order: list[int]) -> None:
    """What is reordered is all but a longest run that kept its order."""
    found, _ = compared(
        {"a.jsonl": jsonl([{"n": n} for n in range(8)])},
        {"a.jsonl": jsonl([{"n": n} for n in order])},
    )
    longest = [1] * 8
    for i in range(8):
        longest[i] += max(
            (longest[j] for j in range(i) if order[j] < order[i]), default=0
        )

    assert found.reordered == 8 - max(longest)


def test_duplicates_on_either_side() -> None:
    """Three copies against two: one is removed, and each side's copies are counted."""
    old, new = [{"a": 1}] * 3 + [{"a": 2}], [{"a": 1}] * 2 + [{"a": 3}] * 2
    found, _ = compared({"a.jsonl": jsonl(old)}, {"a.jsonl": jsonl(new)})

    assert (found.added, found.removed, found.duplicated) == (2, 2, (2, 2))
    assert [(s.what, s.path, s.number, s.copies, s.record) for s in found.samples] == [
        ("added", "a.jsonl", 3, 2, {"a": 3}),
        ("removed", "a.jsonl", 1, 1, {"a": 1}),
        ("removed", "a.jsonl", 4, 1, {"a": 2}),
        ("duplicated", "a.jsonl", 1, 2, {"a": 1}),
        ("duplicated", "a.jsonl", 3, 2, {"a": 3}),
    ]


def test_schema() -> None:
    """Columns that came, went and changed their type, beside those that did not."""
    old = [{"same": 1, "gone": 1, "retyped": 1, "null": None}]
    new = [{"same": 2.5, "came": [1], "retyped": "1", "null": {}}]
    found, _ = compared({"a.jsonl": jsonl(old)}, {"a.jsonl": jsonl(new)})

    assert [(c.name, c.what, c.a, c.b) for c in found.schema] == [
        ("came", "added", None, ("array",)),
        ("gone", "removed", ("number",), None),
        ("null", "retyped", ("null",), ("object",)),
        ("retyped", "retyped", ("number",), ("string",)),
    ]


@pytest.mark.parametrize("other", ["1", "1." + "0" * 400])
def test_an_integer_of_thousands_of_digits_is_shown(other: str) -> None:
    """Python makes no number of it: its digits are told, as far as there is room."""
    sides = [f'{{"a": {number}}}\n'.encode() for number in (other, "7" * 5000)]
    found, _ = compared({"a.jsonl": sides[0]}, {"a.jsonl": sides[1]})
    [added] = [sample for sample in found.samples if sample.what == "added"]

    assert str(added.record["a"]).startswith("7777")


def test_samples_are_short() -> None:
    """Long values and wide records are cut; the record that is compared is whole."""
    wide = {f"c{n:02}": n for n in range(30)}
    new = [{"text": "x" * 10_000}, wide, {"n": 10**400}]
    found, _ = compared({"a.jsonl": b""}, {"a.jsonl": jsonl(new)})
    texts = [json.dumps(sample.record) for sample in found.samples]

    assert found.added == 3
    assert max(map(len, texts)) < 400
    assert found.samples[1].record["…"] == "18 more"


BAD = {
    "no JSON": (b'{"a": 1}\n{"a": \n', "line 2 is not JSON"),
    "no object": (b'{"a": 1}\n[1]\n', "line 2 is not a JSON object"),
    "no UTF-8": (b'{"a": "\xff"}\n', "line 1 is not UTF-8 text: byte 0xff at 7"),
    "lone surrogate": (b'{"a": "\\ud800"}\n', "line 1.a is not valid Unicode text"),
}


@pytest.mark.parametrize("sort", BAD)
def test_a_file_that_is_bad(sort: str) -> None:
    """One sentence says what is wrong and where; the rest is compared."""
    data, why = BAD[sort]
    good, other = jsonl([{"n": 1}]), jsonl([{"n": 2}])
    found, notes = compared(
        {"bad.jsonl": good, "good.jsonl": good},
        {"bad.jsonl": data, "good.jsonl": other},
    )

    assert (found.records, found.added, found.removed) == ((1, 1), 1, 1)
    assert notes == [f"bad.jsonl: {why} (new); the file is not compared"]


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("t.csv", b"a,b\n1,2\n3\n", "t.csv: line 3 has 1 fields, not 2"),
        ("t.parquet", b"PAR1", "t.parquet cannot be read as Parquet: "),
        ("t.arrow", b"ARROW1", "t.arrow cannot be read as Arrow: "),
        ("t.json", b"[{}", "t.json is not JSON after record 1: no ','"),
    ],
)
def test_a_table_that_is_bad(name: str, data: bytes, why: str) -> None:
    """A damaged table is one sentence, not an exception of a library."""
    old = {name: data, "old.jsonl": jsonl([{"n": 0}])}
    found, [note] = compared(old, {"good.jsonl": jsonl([{"n": 1}])})

    assert note.startswith(why)
    assert note.count("\n") == 0
    assert (found.records, found.added, found.removed) == ((1, 1), 1, 1)


def test_a_line_that_is_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that no memory should hold is refused by its length alone."""
    monkeypatch.setattr("lineage.records.source.LONGEST", 1 << 20)
    long = b'{"a": "' + b"x" * (40 << 20) + b'"}\n'
    found, notes = compared({"a.jsonl": b"{}\n"}, {"a.jsonl": long})

    assert notes == [
        "a.jsonl: line 1 is longer than 1 MiB (new); the file is not compared"
    ]
    assert not found


def test_plain_lines_are_read_by_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    """JSONL and plain Parquet never take the slow way, record by record."""
    import pyarrow as pa
    from pyarrow import parquet

    def slow(_reader: Reader, file: File) -> str:
        raise AssertionError(file.path)

    monkeypatch.setattr(Reader, "_slow", slow)
    sink = pa.BufferOutputStream()
    parquet.write_table(pa.table({"a": [1, 2], "b": [["x"], []]}), sink)
    lines = jsonl([{"a": 1, "b": ["x"]}, {"a": 3, "b": []}])
    found, notes = compared(
        {"a.parquet": sink.getvalue().to_pybytes()}, {"a.jsonl": lines}
    )

    assert (found.added, found.removed, notes) == (1, 1, [])


def test_an_empty_file_has_no_records() -> None:
    """An empty file, or one of blank lines, holds nothing, and that is no error."""
    found, notes = compared({"a.jsonl": b""}, {"a.jsonl": b"\n \n"})

    assert (found.records, bool(found), notes) == ((0, 0), False, [])


def test_wide_records() -> None:
    """Records of hundreds of columns between them are compared all the same."""
    old = [{f"k{n}": n, "z": {"y": 1, "x": 2}} for n in range(410)]
    new = [{"z": {"x": 2, "y": 1.0}, **record} for record in old[1:]] + [{"k0": 1}]
    found, notes = compared({"a.jsonl": jsonl(old)}, {"a.jsonl": jsonl(new)})

    assert (found.added, found.removed, notes) == (1, 1, [])


def test_what_a_killed_one_left_is_swept(tmp_path: Path) -> None:
    """A comparison removes its folder, and those of others that were killed."""
    left = tmp_path / "comparing" / "00ff"
    left.mkdir(parents=True)
    (left / "duckdb_temp_storage-0.tmp").write_bytes(b"x")
    left.with_suffix(".lock").touch()
    with engine(tmp_path, ()) as database:
        database.run("CREATE TABLE t AS SELECT range AS n FROM range(10)")
        assert not left.exists()

    assert not list((tmp_path / "comparing").iterdir())


def test_the_database_is_shut_in(tmp_path: Path) -> None:
    """It reads the files that it was given, no other, and cannot be told otherwise."""
    import duckdb

    one, other = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    for path in (one, other):
        path.write_bytes(b'{"a": 1}\n')
    with engine(tmp_path, [one]) as database:
        read = "SELECT count(*) FROM read_json_objects('{}')"
        assert database.one(read.format(one)) == (1,)
        for query in (
            read.format(other),
            "SET enable_external_access = true",
            "INSTALL httpfs",
            f"COPY (SELECT 1) TO '{tmp_path}/c'",
        ):
            with pytest.raises(duckdb.Error):
                database.run(query)


def test_an_interrupt_while_duckdb_works(tmp_path: Path) -> None:
    """A key ends at once what duckdb would work on for hours."""
    long = "SELECT sum(hash(a.range + b.range)) FROM range(1000000) a, range(1000000) b"
    press = Timer(1.0, os.kill, (os.getpid(), signal.SIGINT))

    press.start()
    with pytest.raises(KeyboardInterrupt), engine(tmp_path, ()) as database:
        database.run(long)

    assert not [*(tmp_path / "comparing").iterdir()]


def test_without_duckdb(repo: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where it is not installed a note says what to install; nothing else fails."""
    for text in ("{}", '{"a": 1}'):
        (repo.root / "a.jsonl").write_text(text, encoding="utf-8")
        repo.commit("dataset", "a", repo.root / "a.jsonl")
    monkeypatch.setitem(sys.modules, "duckdb", None)
    found = diff(repo, "HEAD~1", "HEAD")

    [note] = found.notes

    assert not found.records
    assert note == (
        "records are not compared: comparing records needs duckdb;"
        " install it: pip install 'lineage-vcs[diff]'"
    )


def test_compressed_files_are_named(repo: Registry) -> None:
    """A note says of each that differs that it is not compared; others have none."""
    folder = repo.root / "data"
    folder.mkdir()
    (folder / "same.csv.zst").write_bytes(b"1")
    for number in (1, 2):
        (folder / "a.jsonl.gz").write_bytes(b"%d" % number)
        (folder / "image.png.gz").write_bytes(b"%d" % number)
        repo.commit("dataset", "a", folder)
    found = diff(repo, "HEAD~1", "HEAD", ["records"])

    assert not found.records
    assert found.notes == (
        "a.jsonl.gz is compressed, and its records are not compared",
    )


@pytest.mark.parametrize("sides", [(b"no JSON", None), (None, b"no JSON")])
def test_a_side_of_which_nothing_can_be_read(
    repo: Registry, sides: tuple[bytes | None, bytes | None]
) -> None:
    """The other side's records are not called added or removed: nobody knows."""
    for name, data in zip("ab", sides, strict=True):
        path = repo.root / f"{name}.jsonl"
        path.write_bytes(data or jsonl([{"n": 1}]))
        repo.commit("dataset", "d", path)

    found = diff(repo, "HEAD~1", "HEAD", ["records"])

    which = "old" if sides[0] else "new"
    assert not found.records
    assert found.notes[-1] == (
        f"records are not compared: nothing of the {which} side can be read"
    )


def test_a_side_of_which_nothing_is_here(repo: Registry) -> None:
    """Where the bytes of one side are gone nothing is compared, and a note says why."""
    for name in "ab":
        path = repo.root / f"{name}.jsonl"
        path.write_bytes(jsonl([{"from": name}]))
        made = repo.commit("dataset", "d", path)
    [entry] = repo.files(made.id)
    for place in repo.payloads.cache.rglob(entry.md5[2:]):
        place.unlink()

    found = diff(repo, "HEAD~1", "HEAD", ["records"])

    assert not found.records
    [note] = found.notes
    assert note.startswith("b.jsonl ")
    assert note.endswith(", and its records are not compared")


def test_files_of_both_sides_are_not_read(
    repo: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shards that are the same bytes, wherever they lie, are never opened."""
    folder = repo.root / "data"
    folder.mkdir()
    for name, number in (("a", 1), ("b", 2), ("c", 2)):
        (folder / f"{name}.jsonl").write_bytes(jsonl([{"n": number}]))
    repo.commit("dataset", "a", folder)
    (folder / "a.jsonl").rename(folder / "z.jsonl")
    (folder / "c.jsonl").unlink()
    (folder / "d.jsonl").write_bytes(jsonl([{"n": 3}]))
    repo.commit("dataset", "a", folder)
    read: list[str] = []
    whole = Reader.read

    def watched(reader: Reader, file: File, take: Any) -> str:
        read.append(file.path)
        return whole(reader, file, take)

    monkeypatch.setattr(Reader, "read", watched)
    [found] = diff(repo, "HEAD~1", "HEAD", ["records"]).records

    assert read == ["c.jsonl", "d.jsonl"]
    assert (found.same_files, found.added, found.removed) == (2, 1, 1)

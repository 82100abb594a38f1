"""Tables and text read by SQL: the same records as row by row, or none."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineage.diff.records.engine import engine
from lineage.diff.records.reading import Reader
from lineage.diff.records.sources import File
from lineage.records import rows_of
from tests.lineage.diff.test_records import compared

PIECES = [b"a", b"1", b",", b"\t", b'"', b'""', b"\n", b" ", b"\r\n", b"\xc3\xa9", b"'",
          b"#", b"\\", b"NULL", b"\x00", b"\r", b"\x0b", b"\xff", b"\x1f"]  # fmt: skip
LOOSE = st.lists(st.sampled_from(PIECES), max_size=12).map(b"".join)
BARE = st.lists(st.sampled_from([b"a", b"1", b" ", b"\\", b"#"]), max_size=3)
INSIDE = st.lists(
    st.sampled_from([b"a", b"\n", b'""', b",", b" ", b"\t", b"\r\n"]), max_size=4
)
CELL = BARE.map(b"".join) | INSIDE.map(lambda some: b'"' + b"".join(some) + b'"')


@st.composite
def tables(draw: st.DrawFn) -> tuple[str, bytes]:
    """A name and what stands in the file, a table more or less."""
    kind, mark = draw(
        st.sampled_from([(".csv", b","), (".tsv", b"\t"), (".txt", b" ")])
    )
    end = draw(st.sampled_from([b"\n", b"\r\n"]))
    rows = draw(st.lists(st.tuples(CELL, CELL), max_size=4))
    body = end.join(mark.join(row) for row in rows) + draw(st.sampled_from([b"", end]))
    return kind, b"x" + mark + b"y" + end + draw(st.just(body) | LOOSE)


@settings(max_examples=6)
@given(st.lists(tables(), min_size=10, max_size=30))
def test_what_the_database_reads_is_what_is_there(
    many: list[tuple[str, bytes]],
) -> None:
    """Any bytes as CSV, TSV or text: read by SQL they are the same records.

    Or they are not read by SQL at all: it refuses them, or it is not asked.
    """
    with TemporaryDirectory() as name:
        folder = Path(name).resolve()
        places = [folder / str(number) for number in range(len(many))]
        with engine(folder, places) as database:
            for place, (kind, data) in zip(places, many, strict=True):
                place.write_bytes(data)
                file = File(f"t{kind}", len(data), place)
                found = None
                with suppress(Exception):  # then it is read the other way
                    fast = Reader(database, lambda _: None)._fast(file)
                    found = database.rows(fast) if fast else None
                if found is not None:
                    rows = [row.data for row in rows_of(place, file.path)]
                    assert [json.loads(document) for (document,) in found] == rows


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("t.csv", b'id,text\n2,\n1,"a ""b"" c, ""d"""\n'),
        ("t.csv", b"id,text\r\n1,a\r\n2,b\r\n"),
        ("t.tsv", b"id\ttext\n1\ta, b\n2\tc\n"),
        ("t.txt", b"one\n\n \ntwo\n"),
    ],
)
def test_plain_tables_are_read_by_the_database(
    name: str, data: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ordinary CSV, TSV and text never take the slow way, record by record."""

    def slow(_reader: Reader, file: File) -> str:
        raise AssertionError(file.path)

    monkeypatch.setattr(Reader, "_slow", slow)
    found, notes = compared(
        {name: data}, {name: data + data.splitlines(keepends=True)[-1]}
    )

    assert (found.records, found.added, notes) == ((2, 3), 1, [])
    assert found.duplicated == (0, 1)


def test_lines_of_tables_with_other_columns_are_not_the_same() -> None:
    """The same line below another header is another record."""
    old, new = b"a,b\n1,2\n3,4\n", b"b,a\n1,2\n3,4\n"
    found, notes = compared({"t.csv": old}, {"t.csv": new})

    assert (found.added, found.removed, notes) == (2, 2, [])


def test_lists_in_json_are_read_by_the_database(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A list over lines as it likes; what is no list takes the other way."""
    whole, slow = Reader._slow, []

    def watched(reader: Reader, file: File) -> str:
        slow.append(file.path)
        return whole(reader, file)

    monkeypatch.setattr(Reader, "_slow", watched)
    old, new = b'[{"a": 1},\n{"a":\n2} ,{"a": 2}]\n', b'{"a": 1}\n{"a":\n3}'
    found, notes = compared({"old.json": old}, {"new.json": new})

    assert (found.records, found.added, found.removed) == ((3, 2), 1, 2)
    assert (notes, slow) == ([], ["new.json"])

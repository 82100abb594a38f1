"""Finding a record by its bytes: the same answers as reading all of them."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lineage.errors import StoreError
from lineage.records import Row, rows_of
from lineage.records.lookup import looking
from lineage.records.source import LONGEST, Source
from lineage.records.values import has

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

text = st.text(
    st.characters(codec="utf-8") | st.sampled_from('aab "/\\\n\r,\té😀'), max_size=6
)
records = st.lists(
    st.fixed_dictionaries({"id": text, "text": text, "n": text}), min_size=1, max_size=9
)

_EMPTY = {"id": "", "text": "", "n": ""}


def _jsonl(wanted: list[dict[str, str]], *, ascii_: bool, blank: bool) -> bytes:
    lines = [json.dumps(row, ensure_ascii=ascii_).encode() for row in wanted]
    return (b"\r\n \n" if blank else b"\n").join(lines)


def _csv(wanted: list[dict[str, str]], delimiter: str) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, ["id", "text", "n"], delimiter=delimiter)
    writer.writeheader()
    writer.writerows(wanted)
    return out.getvalue().encode()


def _plain_csv(wanted: list[dict[str, str]]) -> bytes:
    """Without a quote, and blank lines between the rows."""
    lines = [",".join(_tame(value) for value in row.values()) for row in wanted]
    return ("id,text,n\n" + "\n\n".join(lines) + "\n").encode()


def _tame(value: str) -> str:
    return "".join(c for c in value if c.isalnum()) or "0"


def _text(wanted: list[dict[str, str]]) -> bytes:
    return "\n".join(" ".join(row["text"].split()) for row in wanted).encode()


def _columns(wanted: list[dict[str, str]], *, parquet: bool) -> bytes:
    import pyarrow as pa
    from pyarrow import ipc
    from pyarrow import parquet as pq

    table, out = pa.Table.from_pylist(wanted), pa.BufferOutputStream()
    if parquet:
        pq.write_table(table, out, row_group_size=2)
    else:
        with ipc.new_stream(out, table.schema) as writer:
            writer.write_table(table, max_chunksize=2)
    return bytes(out.getvalue())


WRITERS: dict[str, Callable[[list[dict[str, str]]], bytes]] = {
    "plain.jsonl": lambda rows: _jsonl(rows, ascii_=False, blank=False),
    "escaped.jsonl": lambda rows: _jsonl(rows, ascii_=True, blank=False),
    "blank.jsonl": lambda rows: b"\n\n" + _jsonl(rows, ascii_=True, blank=True),
    "marked.jsonl": lambda rows: (
        b"\xef\xbb\xbf" + _jsonl(rows, ascii_=True, blank=False) + b"\n"
    ),
    "list.json": lambda rows: json.dumps(rows, indent=1).encode(),
    "a.csv": lambda rows: _csv(rows, ","),
    "plain.csv": _plain_csv,
    "a.tsv": lambda rows: _csv(rows, "\t"),
    "a.txt": _text,
    "a.parquet": lambda rows: _columns(rows, parquet=True),
    "a.arrow": lambda rows: _columns(rows, parquet=False),
}


@pytest.mark.parametrize("name", WRITERS)
@settings(max_examples=12)
@given(wanted=records, piece=text.filter(bool))
@example(wanted=[_EMPTY, _EMPTY], piece="\n")  # which blank lines have
@example(wanted=[_EMPTY, _EMPTY], piece=" ")
def test_a_search_finds_what_reading_finds(
    tmp_path_factory: pytest.TempPathFactory,
    name: str,
    wanted: list[dict[str, str]],
    piece: str,
) -> None:
    """Counts, numbers, places and pieces of text are those of all rows in turn."""
    path = tmp_path_factory.getbasetemp() / name
    path.write_bytes(WRITERS[name](wanted))
    rows = list(rows_of(path, name))
    with looking(Source(path, name)) as lookup:
        assert lookup.count() == len(rows)
        for row in rows:
            hit = lookup.nth(row.number)
            assert hit is not None
            assert (hit.line, hit.data) == (row.line, row.data)
        assert lookup.nth(len(rows) + 1) is None
        for one in [piece, *(t for row in rows for t in _values(row))]:
            for whole in (False, True):
                found = [
                    (lookup.number(hit), hit.line, hit.data, hit.raw)
                    for hit in lookup.holding(one, whole=whole)
                    if has(hit.data, one, whole=whole)
                ]
                assert found == [
                    (row.number, row.line, row.data, row.raw)
                    for row in rows
                    if has(row.data, one, whole=whole)
                ]


def _values(row: Row) -> list[str]:
    return [str(value) for value in row.data.values() if value][:1]


@pytest.mark.parametrize(
    "name", [n for n in WRITERS if not n.startswith(("list", "a.p", "a.a"))]
)
@settings(max_examples=12)
@given(wanted=records)
def test_copies_of_a_line_are_whole_records(
    tmp_path_factory: pytest.TempPathFactory, name: str, wanted: list[dict[str, str]]
) -> None:
    """A line is found where it is a record, and never inside of one."""
    path = tmp_path_factory.getbasetemp() / name
    path.write_bytes(WRITERS[name](wanted))
    rows = list(rows_of(path, name))
    with looking(Source(path, name)) as lookup:
        for row in rows:
            raw = row.raw or b""
            wanted_lines = [
                other.line
                for other in rows
                if (other.raw or b"").strip(b"\r\n") == raw.strip(b"\r\n")
            ]
            assert [hit.line for hit in lookup.copies(raw)] == wanted_lines


def test_numbers_are_found_as_they_are_written(tmp_path: Path) -> None:
    """A whole value may be a number, in JSON and in columns alike."""
    import pyarrow as pa
    from pyarrow import parquet

    data: list[dict[str, Any]] = [{"n": 5, "x": None}, {"n": 15, "x": [["5"]]}]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, data)))
    parquet.write_table(pa.Table.from_pylist(data), tmp_path / "a.parquet")
    for name in ("a.jsonl", "a.parquet"):
        with looking(Source(tmp_path / name, name)) as lookup:
            found = [hit.data["n"] for hit in lookup.holding("5", whole=True)]
            assert found[0] == 5


def test_an_empty_file_has_no_records(tmp_path: Path) -> None:
    """Nothing is found in nothing."""
    for name in ("a.jsonl", "a.csv", "a.txt"):
        (tmp_path / name).touch()
        with looking(Source(tmp_path / name, name)) as lookup:
            assert lookup.count() == 0
            assert lookup.nth(1) is None
            assert list(lookup.holding("x", whole=False)) == []


def test_a_found_line_that_is_too_long_is_refused(tmp_path: Path) -> None:
    """A piece in a line of 65 MiB does not bring the line into memory."""
    (tmp_path / "a.jsonl").write_bytes(
        b'{"n":1}\n{"text":"' + b"y" * LONGEST + b'x"}\n'
    )
    with (
        looking(Source(tmp_path / "a.jsonl", "a.jsonl")) as lookup,
        pytest.raises(StoreError, match=r"a\.jsonl: line 2 is longer than 64 MiB"),
    ):
        list(lookup.holding("yx", whole=False))


def test_a_quoted_field_is_no_row(tmp_path: Path) -> None:
    """A line inside a field that looks like a row is not taken for one."""
    (tmp_path / "a.csv").write_bytes(b'x,y\n1,"a\n2,b\n"\n2,b\n')
    with looking(Source(tmp_path / "a.csv", "a.csv")) as lookup:
        assert [hit.line for hit in lookup.copies(b"2,b\n")] == [5]

"""Records of datasets: every format gives the same rows, and says what is wrong."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineage.errors import LineageError, StoreError, UsageError
from lineage.records import Row, identity, rows, rows_of
from lineage.records.formats import record_paths
from lineage.records.source import LONGEST

if TYPE_CHECKING:
    from pathlib import Path

    from lineage.registry import Registry

ROWS = [
    {"id": "a", "text": "one, two"},
    {"id": "b", "text": 'a "quote"\nand a line'},
    {"id": "c", "text": "größer 😀"},
]


def committed(repo: Registry, files: dict[str, bytes]) -> str:
    """Record files as one dataset; its id."""
    for path, data in files.items():
        target = repo.root / "data" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return repo.commit("dataset", "records", repo.root / "data").id


def _jsonl(records: list[dict[str, Any]]) -> bytes:
    lines = (json.dumps(record, ensure_ascii=False) + "\n" for record in records)
    return "".join(lines).encode()


def _delimited(records: list[dict[str, str]], delimiter: str) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(records[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(records)
    return out.getvalue().encode()


def _parquet(records: list[dict[str, Any]]) -> bytes:
    import pyarrow as pa
    from pyarrow import parquet

    out = pa.BufferOutputStream()
    parquet.write_table(pa.Table.from_pylist(records), out)
    return bytes(out.getvalue())


def _arrow(records: list[dict[str, Any]], *, stream: bool) -> bytes:
    import pyarrow as pa
    from pyarrow import ipc

    table, out = pa.Table.from_pylist(records), pa.BufferOutputStream()
    opened = (ipc.new_stream if stream else ipc.new_file)(out, table.schema)
    with opened as writer:
        writer.write_table(table, max_chunksize=2)
    return bytes(out.getvalue())


FORMATS = {
    "a.jsonl": _jsonl(ROWS),
    "a.ndjson": _jsonl(ROWS),
    "a.JSONL": b"\xef\xbb\xbf" + _jsonl(ROWS).replace(b"\n", b"\r\n\n"),
    "list.json": json.dumps(ROWS, indent=1).encode(),
    "lines.json": _jsonl(ROWS),
    "a.csv": _delimited(ROWS, ","),
    "a.tsv": _delimited(ROWS, "\t"),
    "a.parquet": _parquet(ROWS),
    "stream.arrow": _arrow(ROWS, stream=True),
    "file.arrow": _arrow(ROWS, stream=False),
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_the_same_records(repo: Registry, name: str) -> None:
    """A dataset's records are the same in each format, counted from 1."""
    found = list(rows(repo, committed(repo, {name: FORMATS[name]})))
    assert [row.data for row in found] == ROWS
    assert [(row.path, row.number) for row in found] == [(name, n) for n in (1, 2, 3)]


def test_lines_of_text_are_records(repo: Registry) -> None:
    """A text's lines are records without their ends; blank ones are none."""
    id_ = committed(repo, {"a.txt": b"one \r\n\n  \ntwo\nlast"})
    found = [(row.line, row.data, row.raw) for row in rows(repo, id_)]
    assert found == [
        (1, {"text": "one "}, b"one \r\n"),
        (4, {"text": "two"}, b"two\n"),
        (5, {"text": "last"}, b"last"),
    ]


def test_shards_follow_each_other_by_path(repo: Registry) -> None:
    """Numbers run on from file to file; lines begin again in each."""
    files = {"b/1.jsonl": b'{"n":3}\n', "a.jsonl": b'{"n":1}\n\n{"n":2}'}
    found = list(rows(repo, committed(repo, files)))
    places = [(row.where, row.number, row.data["n"]) for row in found]
    assert places == [
        ("a.jsonl: line 1", 1, 1),
        ("a.jsonl: line 3", 2, 2),
        ("b/1.jsonl: line 1", 3, 3),
    ]


def test_a_row_of_a_csv_file_keeps_its_lines(repo: Registry) -> None:
    """A quoted field over several lines is one record, with its bytes as they are."""
    id_ = committed(repo, {"a.csv": b'x,y\n1,"a\nb"\n\n2,c\n'})
    found = [(row.line, row.data, row.raw) for row in rows(repo, id_)]
    assert found == [
        (2, {"x": "1", "y": "a\nb"}, b'1,"a\nb"\n'),
        (5, {"x": "2", "y": "c"}, b"2,c\n"),
    ]


def test_a_folder_that_datasets_saved_is_its_rows(repo: Registry) -> None:
    """All splits of a DatasetDict count; the files about it do not."""
    from datasets import Dataset, DatasetDict

    splits = {
        "train": Dataset.from_list(ROWS[:2]),
        "test": Dataset.from_list(ROWS[2:]),
    }
    DatasetDict(splits).save_to_disk(str(repo.root / "data"))
    found = list(rows(repo, committed(repo, {"README.txt": b"about\n"})))
    assert [row.data["id"] for row in found] == ["c", "a", "b"]
    assert found[0].where == "test/data-00000-of-00001.arrow: record 1"


def test_only_wanted_columns_are_read(repo: Registry) -> None:
    """Parquet and Arrow leave out what nobody asked for."""
    id_ = committed(
        repo, {"a.parquet": _parquet(ROWS), "b.arrow": FORMATS["file.arrow"]}
    )
    found = list(rows(repo, id_, columns=["id"]))
    assert [row.data for row in found] == [{"id": r["id"]} for r in ROWS] * 2


def test_what_is_beside_data_describes_it() -> None:
    """JSON counts where there is no data, text where there is no JSON either."""
    assert record_paths(["b.txt", "a.json", "c.csv", "d.md"]) == ["c.csv"]
    assert record_paths(["b.txt", "a.json"]) == ["a.json"]
    assert record_paths(["b.txt", "a.txt", "x"]) == ["a.txt", "b.txt"]


def test_a_dataset_without_records_is_refused(repo: Registry) -> None:
    """A folder of images has no rows, and the error says what would have."""
    id_ = committed(repo, {"a.png": b"\x89PNG"})
    with pytest.raises(LineageError, match=r"no file of .* holds records"):
        list(rows(repo, id_))


def test_bytes_that_are_not_here_are_named(repo: Registry) -> None:
    """A file whose bytes are gone, or not whole, is an error that names it."""
    id_ = committed(repo, {"a.jsonl": b'{"n":1}\n'})
    path = repo.payloads.loose(repo.files(id_)[0].md5)
    assert path
    path.chmod(0o644)
    path.write_bytes(b"")
    with pytest.raises(LineageError, match=r"a\.jsonl does not have its recorded"):
        list(rows(repo, id_))
    for copy in repo.payloads.cache.rglob(path.name):
        copy.unlink()
    with pytest.raises(LineageError, match=r"a\.jsonl is not here"):
        list(rows(repo, id_))


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.jsonl", b'{"n":1}\n{"n"\n', "a.jsonl: line 2 is not JSON"),
        ("a.jsonl", b'\n"text"\n', "a.jsonl: line 2 is not a JSON object"),
        ("a.jsonl", b"[" * 9999, "a.jsonl: line 1 is not JSON"),
        (
            "a.jsonl",
            b'{"n":1}\ncaf\xe9',
            "a.jsonl: line 2 is not UTF-8 text: byte 0xe9",
        ),
        ("a.json", b'[{"n":1}, {"n" 2}]' + b" " * 99, "a.json: record 2 is not JSON"),
        ("a.json", b'[{"n":1},]', "a.json: record 2 is not JSON"),
        ("a.json", b'[{"n":1} {"n":2}]', "a.json is not JSON after record 1: no ','"),
        ("a.json", b'[{"n":1}', "a.json is not JSON after record 1: no ','"),
        ("a.json", b'[{"n":1}] 5', "a.json is not JSON: something follows its list"),
        ("a.json", b"[1]", "a.json: record 1 is not a JSON object"),
        ("a.json", b"[" * 9999, "a.json: record 1 is not JSON"),
        ("a.json", b'[{"n":"\xff"}]', "a.json is not UTF-8 text"),
        ("a.csv", b"a,a\n1,2\n", "a.csv has two columns 'a'"),
        ("a.csv", b"a,b\n1,2\n3\n", "a.csv: line 3 has 1 fields, not 2"),
        ("a.csv", b'a,b\n1,2\n"x', "a.csv is not CSV after line 2: unexpected end"),
        ("a.parquet", b"PAR1 and no more", "a.parquet cannot be read as Parquet"),
        ("a.arrow", b"ARROW1 and no more", "a.arrow cannot be read as Arrow"),
        ("a.arrow", b"no more", "a.arrow cannot be read as Arrow"),
        ("a.txt", b"one\ncaf\xe9", "a.txt: line 2 is not UTF-8 text: byte 0xe9 at 3"),
    ],
)
def test_what_is_malformed_is_named_in_a_sentence(
    tmp_path: Path, name: str, data: bytes, said: str
) -> None:
    """One sentence with the file and the place."""
    path = tmp_path / "bytes"
    path.write_bytes(data)
    with pytest.raises(StoreError, match=re.escape(said)):
        list(rows_of(path, name))


@pytest.mark.parametrize(
    ("name", "begin", "said"),
    [
        ("a.jsonl", b'{"text":"', "a.jsonl: line 1 is longer than 64 MiB"),
        ("a.txt", b"x\n", "a.txt: line 2 is longer than 64 MiB"),
        ("a.csv", b'x\n"', "a.csv: line 2 is longer than 64 MiB"),
        ("a.json", b'[{"text":"', "a.json: record 1 is longer than 64 MiB"),
    ],
)
def test_a_line_of_two_gigabytes_fills_no_memory(
    tmp_path: Path, name: str, begin: bytes, said: str
) -> None:
    """A line without an end is refused once it is too long, in little memory."""
    path = tmp_path / name
    with path.open("wb") as file:
        file.write(begin + b"y" * (LONGEST + (2 << 20)))
        file.truncate(2 << 30)
    code = """
import resource, sys
from pathlib import Path
from lineage.records import rows_of
path = Path(sys.argv[1])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    list(rows_of(path, path.name))
except Exception as error:
    print(error)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    told = subprocess.run(
        [sys.executable, "-c", code, path], capture_output=True, text=True, check=True
    )
    sentence, grown = told.stdout.splitlines()
    assert sentence == said
    assert int(grown) < 6 * LONGEST >> 10  # KiB


def test_many_quoted_lines_fill_no_memory(tmp_path: Path) -> None:
    """A quote that is never closed does not swallow the file."""
    path = tmp_path / "a.csv"
    with path.open("wb") as file:
        file.write(b'x\n"')
        for _ in range((LONGEST >> 20) + 1):
            file.write(b"y" * ((1 << 20) - 1) + b"\n")
    with pytest.raises(StoreError, match="the row at line 2 is longer than 64 MiB"):
        list(rows_of(path, "a.csv"))


def test_progress_adds_up_to_the_bytes(repo: Registry) -> None:
    """Progress counts the bytes of all files."""
    seen: list[int] = []
    files = {"a.jsonl": b'{"n":1}\n' * 300_000, "b.jsonl": b'{"n":1}\n'}
    id_ = committed(repo, files)
    assert sum(1 for _ in rows(repo, id_, progress=seen.append)) == 300_001
    assert sum(seen) == sum(map(len, files.values()))
    assert len(seen) > 2


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner)
    ),
    max_leaves=4,
)
records = st.lists(st.dictionaries(st.text(max_size=3), values), max_size=6)


@settings(max_examples=50)
@given(records, st.integers(0, 3))
def test_json_comes_back_however_it_is_laid_out(
    tmp_path_factory: pytest.TempPathFactory, wanted: list[Any], indent: int
) -> None:
    """A list over many lines, and objects on one each, give the same records."""
    folder = tmp_path_factory.mktemp("layout")
    texts = {
        "list.json": json.dumps(wanted, indent=indent or None),
        "many.json": " ".join(json.dumps(r, indent=indent or None) for r in wanted),
        "lines.jsonl": "\n".join(map(json.dumps, wanted)),
    }
    expected = [identity(record) for record in wanted]
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
        assert [row.identity for row in rows_of(folder / name, name)] == expected


def test_an_identity_is_the_sum_of_canonical_json() -> None:
    """Order and spacing do not matter, and anybody can recompute it."""
    line = '{"b": 1.0, "a": "\\u00e9"}'
    assert identity(json.loads(line)) == sha256('{"a":"é","b":1}'.encode()).hexdigest()


def test_what_json_does_not_have_is_written_as_text() -> None:
    """Numbers without a JSON form, times and bytes have an identity too."""
    data = {
        "big": 2**60,
        "day": date(2026, 11, 1),
        "exact": Decimal("1.50"),
        "long": timedelta(milliseconds=1500),
        "raw": b"\x00\xff",
        "some": [math.nan, math.inf, -math.inf],
        "when": datetime(2026, 11, 1, tzinfo=UTC),
    }
    text = (
        '{"big":"1152921504606846976","day":"2026-11-01","exact":"1.50","long":"1.5",'
        '"raw":"00ff","some":["NaN","Infinity","-Infinity"],'
        '"when":"2026-11-01T00:00:00+00:00"}'
    )
    assert identity(data) == sha256(text.encode()).hexdigest()


def test_a_record_without_an_identity_is_named() -> None:
    """Half a character, which JSON can spell, has no bytes in UTF-8."""
    row = Row("a.jsonl", 7, 9, json.loads('{"text": "\\ud800"}'), b"")
    with pytest.raises(UsageError, match=r"a.jsonl: line 9.text is not valid Unicode"):
        _ = row.identity

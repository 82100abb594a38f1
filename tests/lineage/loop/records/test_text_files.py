"""Human text is read as it is, or refused in one sentence."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineage.errors import StoreError
from lineage.loop.records.text_files import (
    Columns,
    Example,
    Text,
    paragraphs,
    read_file,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@given(st.text(alphabet=st.sampled_from("ab \n\r\té🎉")))
def test_paragraphs_join_to_the_text(text: str) -> None:
    """Nothing is lost or changed between paragraphs."""
    assert "".join(paragraphs(text)) == text


def test_paragraphs_end_at_blank_lines() -> None:
    """A blank line, spaces on it or not, belongs to the paragraph before it."""
    text = "a\nb\n\nc\n \t\n\nd"
    assert list(paragraphs(text)) == ["a\nb\n\n", "c\n \t\n\n", "d"]


@pytest.mark.parametrize(
    ("text", "ends"),
    [("a line\n" * 500, "\n"), ("word " * 500, " "), ("x" * 2500, "x")],
)
def test_long_paragraphs_are_cut(text: str, ends: str) -> None:
    """Text without blank lines is cut at line ends, else spaces, else anywhere."""
    pieces = list(paragraphs(text))
    assert "".join(pieces) == text
    assert len(pieces) > 2
    assert all(len(piece) <= 1000 and piece.endswith(ends) for piece in pieces)


def test_a_text_file(tmp_path: Path) -> None:
    """A .txt is paragraphs, without its byte order mark."""
    path = tmp_path / "a.txt"
    path.write_bytes("\ufeffé\n\nb\n".encode())
    assert read_file(path) == [Text("a.txt", "é\n\n", 1), Text("a.txt", "b\n", 2)]


def test_a_jsonl_file(tmp_path: Path) -> None:
    """A .jsonl is one document per line, whatever line separators are in the text."""
    path = tmp_path / "a.jsonl"
    path.write_bytes('{"body":"a\u2028b"}\r\n\n{"body":"c"}'.encode())
    documents = [Text("a.jsonl", "a\u2028b", row=1), Text("a.jsonl", "c", row=2)]
    assert read_file(path, Columns("body")) == documents


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("a.txt", b"caf\xe9 noir", "a.txt is not UTF-8 text: byte 0xe9 at 3"),
        ("a.txt", b"", "a.txt has no text in it"),
        ("a.txt", b" \n\n ", "a.txt has no text in it"),
        ("a.jsonl", b"\n", "a.jsonl has no text in it"),
        ("a.jsonl", b'{"text":""}', "a.jsonl has no text in it"),
        ("a.jsonl", b'{"text":"x"}\n{"text"\n', "a.jsonl: line 2 is not JSON"),
        ("a.jsonl", b"[" * 9999, "a.jsonl: line 1 is not JSON"),
        ("a.jsonl", b"\n[1]\n", "a.jsonl: line 2 is not a JSON object"),
        ("a.jsonl", b'{"body":"x"}', "a.jsonl: line 1 has no column 'text', only body"),
        ("a.jsonl", b'{"text":7}', "a.jsonl: line 1: 'text' is not text"),
        ("a.jsonl", b'{"text":"\\ud800"}', "a.jsonl: line 1: 'text' is not text"),
    ],
)
def test_bad_files(tmp_path: Path, name: str, data: bytes, sentence: str) -> None:
    """What is wrong with a file is one sentence that names it and the place."""
    (tmp_path / name).write_bytes(data)
    with pytest.raises(StoreError) as caught:
        read_file(tmp_path / name)
    assert str(caught.value) == f"{tmp_path}/{sentence}"


def test_a_missing_column_shows_the_others(tmp_path: Path) -> None:
    """The sentence says which columns there are."""
    (tmp_path / "a.jsonl").write_text('{"title":"x","body":"y"}')
    with pytest.raises(StoreError) as caught:
        read_file(tmp_path / "a.jsonl")
    assert str(caught.value).endswith("has no column 'text', only body, title")
    assert caught.value.hint == "set dataset.text_column"


def test_missing_files(tmp_path: Path) -> None:
    """A file that is not there, or is a folder, is named."""
    with pytest.raises(StoreError, match=r"a\.txt cannot be read: No such file"):
        read_file(tmp_path / "a.txt")
    (tmp_path / "b.txt").mkdir()
    with pytest.raises(StoreError, match=r"b\.txt cannot be read: Is a directory"):
        read_file(tmp_path / "b.txt")


ROWS: list[dict[str, Any]] = [
    {"id": n, "question": f"What is {n}?", "answer": f"It is\n{n}, “really”."}
    for n in range(2500)
]
COLUMNS = Columns(prompt="question", completion="answer")


def as_jsonl(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def as_csv(path: Path, rows: list[dict[str, Any]]) -> Path:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def as_parquet(path: Path, rows: list[dict[str, Any]]) -> Path:
    import pyarrow as pa
    from pyarrow import parquet

    parquet.write_table(pa.Table.from_pylist(rows), path, row_group_size=700)
    return path


def as_folder(path: Path, rows: list[dict[str, Any]]) -> Path:
    import pyarrow as pa
    from datasets import Dataset

    Dataset(pa.Table.from_pylist(rows)).save_to_disk(path, num_shards=min(3, len(rows)))
    return path


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("a.jsonl", as_jsonl),
        ("a.csv", as_csv),
        ("a.parquet", as_parquet),
        ("saved", as_folder),
    ],
)
def test_every_format_gives_the_same_examples(
    tmp_path: Path,
    name: str,
    write: Callable[[Path, list[dict[str, Any]]], Path],
) -> None:
    """Row after row, over row groups and shards; a missing column is named."""
    path = write(tmp_path / name, ROWS)
    pieces = read_file(path, COLUMNS)
    assert [piece.example for piece in pieces] == [
        Example(row["question"], row["answer"]) for row in ROWS
    ]
    assert [piece.row for piece in pieces] == list(range(1, 2501))
    assert pieces[3].text == "What is 3?It is\n3, “really”."
    with pytest.raises(StoreError) as caught:
        read_file(path, Columns(messages="chat"))
    sentence = "has no column 'chat', only answer, id, question"
    assert str(caught.value).endswith(sentence)
    assert caught.value.hint == "set dataset.messages_column"


CHAT = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "One?"},
    {"role": "assistant", "content": "Two."},
    {"role": "user", "content": "Three?"},
    {"role": "assistant", "content": "Four."},
]


@pytest.mark.parametrize(
    ("name", "write"),
    [("a.jsonl", as_jsonl), ("a.parquet", as_parquet), ("saved", as_folder)],
)
def test_chats(
    tmp_path: Path,
    name: str,
    write: Callable[[Path, list[dict[str, Any]]], Path],
) -> None:
    """The last turn is the answer; the system's is no text of either."""
    path = write(tmp_path / name, [{"chat": CHAT}])
    [piece] = read_file(path, Columns(messages="chat"))
    assert piece.text == "One?\n\nTwo.\n\nThree?\n\nFour."
    assert piece.example is not None
    assert piece.example[:2] == ("One?\n\nTwo.\n\nThree?", "Four.")
    assert piece.example.fields() == {"messages": CHAT}


@pytest.mark.parametrize(
    ("chat", "sentence"),
    [
        ("hello", "is not a list of messages"),
        ([], "is not a list of messages"),
        ([*CHAT, "and"], "is not a list of messages"),
        ([{"role": "owl", "content": "x"}], "is not a list of messages"),
        ([{"role": "user", "content": None}], "is not a list of messages"),
        (CHAT[:2], "does not end with an answer"),
        (CHAT[2:3], "does not end with an answer"),
    ],
)
def test_what_is_no_chat(tmp_path: Path, chat: Any, sentence: str) -> None:
    """It is said where it stands."""
    path = as_jsonl(tmp_path / "a.jsonl", [{"chat": CHAT}, {"chat": chat}])
    with pytest.raises(StoreError) as caught:
        read_file(path, Columns(messages="chat"))
    assert str(caught.value) == f"{path}: line 2: 'chat' {sentence}"


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("a.csv", b"", "has no column 'text', nor any other"),
        ("a.csv", b'text\n"open', "is not CSV after line 1: unexpected end of data"),
        (
            "a.csv",
            b"text,more\nx,y\n\xff,z\n",
            "line 3 is not UTF-8 text: byte 0xff at 0",
        ),
        ("a.csv", b"more,text\nx\n", "line 2 has 1 fields, not 2"),
        ("a.parquet", b"PAR", "cannot be read as Parquet"),
    ],
)
def test_bad_tables(tmp_path: Path, name: str, data: bytes, sentence: str) -> None:
    """One sentence each, too."""
    (tmp_path / name).write_bytes(data)
    with pytest.raises(StoreError, match=sentence):
        read_file(tmp_path / name)


def test_folders_that_are_no_dataset(tmp_path: Path) -> None:
    """Several splits are listed; anything else is not read."""
    from datasets import Dataset, DatasetDict

    one = Dataset.from_dict({"text": ["x"]})
    DatasetDict({"train": one, "test": one}).save_to_disk(tmp_path / "both")
    with pytest.raises(StoreError, match="has several splits") as caught:
        read_file(tmp_path / "both")
    assert caught.value.hint == "give one of them: both/train, both/test"
    assert read_file(tmp_path / "both" / "test")[0].text == "x"
    with pytest.raises(StoreError, match="is no folder that Dataset"):
        read_file(tmp_path)


def test_large_tables_are_read_in_little_memory(tmp_path: Path) -> None:
    """Of a file of 64 MB no more than a few batches are in memory at once."""
    import pyarrow as pa
    from pyarrow import parquet

    path = tmp_path / "large.parquet"
    schema = pa.schema({"text": pa.string(), "other": pa.string()})
    with parquet.ParquetWriter(path, schema, compression="none") as writer:
        for group in range(16):
            texts = [f"{group} {n} {'x' * 1000}" for n in range(2000)]
            columns = [texts, ["y" * 1000] * 2000]
            writer.write_table(pa.table(columns, schema=schema), row_group_size=2000)
    assert path.stat().st_size > 32_000_000
    code = """
import resource, sys
from pathlib import Path
from lineage.loop.records.tables import rows
given = rows(Path(sys.argv[1]), {"text_column": "text"})
next(given)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
count = 1 + sum(1 for _ in given)
print(count, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    said = subprocess.run(
        [sys.executable, "-c", code, path], capture_output=True, text=True, check=True
    )
    count, grown = map(int, said.stdout.split())
    assert count == 32_000
    assert grown < 24_000  # KiB

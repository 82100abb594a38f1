"""Human text is read as it is, or refused in one sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lineage.errors import StoreError
from lineage.loop.text_files import Text, paragraphs, read_file

if TYPE_CHECKING:
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
    documents = [Text("a.jsonl", "a\u2028b"), Text("a.jsonl", "c")]
    assert read_file(path, "body") == documents


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
        ("a.jsonl", b'{"body":"x"}', "a.jsonl: line 1 has no column 'text'"),
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
    """The hint says which columns there are."""
    (tmp_path / "a.jsonl").write_text('{"title":"x","body":"y"}')
    with pytest.raises(StoreError) as caught:
        read_file(tmp_path / "a.jsonl")
    assert caught.value.hint == "set dataset.text_column; columns here: body, title"


def test_missing_files(tmp_path: Path) -> None:
    """A file that is not there, or is a folder, is named."""
    with pytest.raises(StoreError, match=r"cannot read .*a\.txt: No such file"):
        read_file(tmp_path / "a.txt")
    (tmp_path / "b.txt").mkdir()
    with pytest.raises(StoreError, match=r"cannot read .*b\.txt: Is a directory"):
        read_file(tmp_path / "b.txt")

"""Tokens of a vocab.txt: each line has one, whatever Unicode takes for a line's end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lineage.diff.tokenizer.reading import read_tokenizer

if TYPE_CHECKING:
    from pathlib import Path


def test_only_a_newline_ends_a_token(tmp_path: Path) -> None:
    """Ids are those of the libraries that load the file."""
    path = tmp_path / "vocab.txt"
    path.write_bytes("[UNK]\r\na\u2028b\n\u0085\nc\n".encode())
    found = read_tokenizer(["vocab.txt"], lambda name: tmp_path / name)
    assert found.vocabulary == {"[UNK]": 0, "a\u2028b": 1, "\u0085": 2, "c": 3}

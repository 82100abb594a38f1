"""JSONL that people give a loop."""

import pytest

from lineage.loop.records.jsonl import json_lines


def test_lines_keep_their_numbers() -> None:
    """Blank lines are counted and left out, and a byte order mark is no text."""
    content = '\ufeff{"a": 1}\n\n  \r\n"é"'.encode()

    assert list(json_lines(content)) == [(1, {"a": 1}), (4, "é")]


@pytest.mark.parametrize("line", [b"{", b"\xff", b"[" * 99_999])
def test_a_line_that_is_not_json_is_named(line: bytes) -> None:
    """Half a value, bytes that are no UTF-8 and endless nesting are no JSON."""
    with pytest.raises(ValueError, match=r"^line 2 is not JSON$"):
        list(json_lines(b"1\n" + line))

"""The one table, the one JSON, the one CSV."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest
from inline_snapshot import snapshot

from lineage.cli.render import (
    Column,
    Record,
    csv_lines,
    document,
    json_line,
    markdown,
    table,
)
from lineage.cli.terminal import Terminal

RECORDS = [
    {"name": "a", "what": "something long that can be cut", "n": 5},
    {"name": "漢字", "what": "x|y\n*z*", "n": 12345},
]
COLUMNS = (
    Column("name", lambda r: r["name"]),
    Column("what", lambda r: r["what"], flexible=True),
    Column("n", lambda r: str(r["n"]), right=True),
)


def test_table() -> None:
    """Columns are aligned by what they take on a terminal, not by characters."""
    assert "\n".join(table(Terminal(), RECORDS, COLUMNS)) == snapshot("""\
name  what                                n
a     something long that can be cut      5
漢字  x|y *z*                         12345\
""")


def test_a_sentence_stands_below_its_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes as many lines as it needs, and nothing of it is cut."""
    told = Column("told", lambda r: f"{r['what']}, which is said in full", below=True)
    monkeypatch.setenv("COLUMNS", "30")
    assert "\n".join(table(Terminal(), RECORDS, (COLUMNS[0], told))) == snapshot("""\
name
a
  something long that can be
  cut, which is said in full
漢字
  x|y *z*, which is said in
  full\
""")


def test_a_narrow_table_is_cut_where_it_may_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Flexible columns give way, down to a width where they still say something."""
    monkeypatch.setenv("COLUMNS", "30")
    assert "\n".join(table(Terminal(), RECORDS, COLUMNS)) == snapshot("""\
name  what                   n
a     something long t…      5
漢字  x|y *z*            12345\
""")
    monkeypatch.setenv("COLUMNS", "5")
    assert "\n".join(table(Terminal(), RECORDS, COLUMNS)) == snapshot("""\
name  what          n
a     somethi…      5
漢字  x|y *z*   12345\
""")


def test_no_records_no_table() -> None:
    """An empty table has no header either."""
    assert list(table(Terminal(), [], COLUMNS)) == []


def test_markdown_escapes_markup() -> None:
    """Cells cannot break the table or become markup."""
    assert "\n".join(markdown(RECORDS, COLUMNS)) == snapshot("""\
| name | what | n |
| --- | --- | ---: |
| a | something long that can be cut | 5 |
| 漢字 | x\\|y \\*z\\* | 12345 |\
""")


def test_markdown_makes_no_links() -> None:
    """Names cannot lead anybody anywhere, nor stand for other characters."""
    records = [{"name": "[x](javascript:1) &#x41; ![y](http://e)"}]

    assert list(markdown(records, COLUMNS[:1]))[2] == (
        r"| [x\](javascript:1) \&#x41; ![y\](http://e) |"
    )


def test_csv_reads_back() -> None:
    """Objects are spread over columns, lists and booleans are JSON."""
    records: list[Record] = [
        {"id": 'say "hi"', "metrics": {"loss": 0.1}, "tags": ["a", "b"], "head": True},
        {"id": "two\nlines", "metrics": {"loss": None, "n.m": 2}, "tags": []},
    ]
    rows = list(csv.DictReader(io.StringIO("\n".join(csv_lines(records)))))

    assert rows == [
        {"id": 'say "hi"', "metrics.loss": "0.1", "tags": '["a", "b"]',
         "head": "true", "metrics.n.m": ""},
        {"id": "two\nlines", "metrics.loss": "", "tags": "[]", "head": "",
         "metrics.n.m": "2"},
    ]  # fmt: skip


def test_csv_holds_no_formula() -> None:
    """What a spreadsheet would work out is text there, and reads back by one rule."""
    texts = [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "'=1",
        "''=1",
        "'q'",
        "a=1",
    ]
    records: list[Record] = [{"text": text, "n": -1} for text in texts]
    rows = list(csv.DictReader(io.StringIO("\n".join(csv_lines(records)), newline="")))

    assert not [row["text"] for row in rows if row["text"][0] in "=+-@\t\r"]
    assert [re.sub(r"^'(?='*[=+@\t\r-])", "", row["text"]) for row in rows] == texts
    assert {row["n"] for row in rows} == {"-1"}


def test_json_has_its_version_first() -> None:
    """Every document starts with the version of its shape, on one line or many."""
    for text in (document({"a": "ä"}), json_line({"a": "ä"})):
        assert list(json.loads(text)) == ["schema_version", "a"]
        assert "ä" in text
    assert "\n" not in json_line({"a": {"b": [1]}})


def test_json_refuses_what_is_not_json() -> None:
    """NaN never gets out."""
    with pytest.raises(ValueError, match="JSON"):
        document({"a": float("nan")})

"""What is said of others stands on notes that say what was read, where and when."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
NOTE = re.compile(r"\[\^([a-z0-9-]+)\]")


def _notes(text: str) -> dict[str, str]:
    found = re.findall(r"^\[\^([a-z0-9-]+)\]: (.*)$", text, re.MULTILINE)
    assert len(found) == len(dict(found)), "a note is there twice"
    return dict(found)


def test_every_note_is_there_and_used() -> None:
    """A cell leads to its note, and no note is left over."""
    text = (ROOT / "docs/compare.md").read_text(encoding="utf-8")
    used = NOTE.findall(re.sub(r"^\[\^.*$", "", text, flags=re.MULTILINE))
    assert set(used) == set(_notes(text))


def test_every_note_says_when_and_where() -> None:
    """A note has a date, and a link to where the other project speaks."""
    text = (ROOT / "docs/compare.md").read_text(encoding="utf-8")
    for name, note in _notes(text).items():
        if name.startswith("bench-"):
            assert "benchmarks.md#" in note
            continue
        assert re.search(r"\b(read|tried|listed|searched)\b.*2026-\d\d-\d\d", note), (
            name
        )
        assert re.search(r"\]\(https?://", note), name


@pytest.mark.parametrize("page", ["README.md", "docs/compare.md"])
def test_tables_have_a_cell_for_each_column(page: str) -> None:
    """No cell was lost: rows are as wide as their heads."""
    lines = (ROOT / page).read_text(encoding="utf-8").split("\n")
    width = 0
    for number, line in enumerate(lines, start=1):
        if not line.startswith("|"):
            width = 0
            continue
        cells = len(re.findall(r"(?<!\\)\|", re.sub(r"`[^`]*`", "", line)))
        width = width or cells
        assert cells == width, f"{page}:{number}"

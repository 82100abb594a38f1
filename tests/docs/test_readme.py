"""The README does what it says, and says nothing that no page bears out."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
# A number in digits: those in words ("ten", "a million") are sizes, not figures.
FIGURE = re.compile(r"\d[\d,.]*\d|\d")


def _rows(text: str, heading: str) -> list[list[str]]:
    """Give the cells of the first table below a heading, without its head."""
    [_, below] = text.split(f"\n## {heading}\n")
    lines = [line for line in below.split("\n## ")[0].split("\n") if line[:1] == "|"]
    return [[cell.strip() for cell in line[1:-1].split("|")] for line in lines[2:]]


def test_it_runs(runs: Callable[[str], None]) -> None:
    """What a stranger types first prints what the page shows."""
    runs("README.md")


def test_it_is_read_in_one_go() -> None:
    """It stays a page: what is longer has its own."""
    assert README.count("\n") <= 230


@pytest.mark.parametrize("row", _rows(README, "Measured"), ids=lambda row: row[0][:30])
def test_every_figure_was_printed(row: list[str]) -> None:
    """A figure in the README stands in the page of benchmarks, beside its command."""
    printed = (ROOT / "docs/benchmarks.md").read_text(encoding="utf-8")
    *_, ours, others, command = row
    for figure in FIGURE.findall(f"{ours} {others}"):
        assert re.search(rf"(?<![\d.,]){re.escape(figure)}(?![\d,])", printed), figure
    [typed, *_] = re.findall(r"`([^`]*)`", command)
    assert typed.removeprefix("tests/bench/") in printed
    assert (ROOT / typed.split()[0]).is_file()


def test_the_short_table_is_of_the_long_one() -> None:
    """What is said of others in short is a row of the page that has the notes."""
    compare = (ROOT / "docs/compare.md").read_text(encoding="utf-8")
    for question, *_ in _rows(README, "What others do, and do not"):
        assert f"\n| {question}" in compare, question


def test_every_extra_is_told() -> None:
    """The page on installing has each extra, and none that is not there."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = set(project["project"]["optional-dependencies"]) - {"dev", "docs", "fuzz"}
    page = (ROOT / "docs/install.md").read_text(encoding="utf-8")
    [table] = re.findall(r"\| extra \|.*?\n\n", page, re.DOTALL)
    first = [line.split("|")[1] for line in table.split("\n")[2:] if line]
    assert {name for cell in first for name in re.findall(r"`(\w+)`", cell)} == extras

"""The tutorial and the how-tos are run, and say what happens."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

DOCS = Path(__file__).parents[2] / "docs"
LESSONS = [DOCS / "tutorial.md", *sorted((DOCS / "howto").glob("*.md"))]


@pytest.mark.parametrize("page", LESSONS, ids=lambda page: page.stem)
def test_lesson_says_what_happens(page: Path, runs: Callable[[Path], None]) -> None:
    """Every command of a lesson works, and prints what the lesson says."""
    runs(page)

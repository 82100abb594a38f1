"""The tutorial and the how-tos are run, and say what happens."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
LESSONS = [ROOT / "docs/tutorial.md", *sorted((ROOT / "docs/howto").glob("*.md"))]


@pytest.mark.parametrize("page", LESSONS, ids=lambda page: page.stem)
def test_lesson_says_what_happens(page: Path, runs: Callable[[str], None]) -> None:
    """Every command of a lesson works, and prints what the lesson says."""
    runs(str(page.relative_to(ROOT)))

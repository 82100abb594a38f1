"""Pages about the registry of `lineage demo --fast` are run in a copy of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.demo import other_text

if TYPE_CHECKING:
    from tests.demo import Demo
    from tests.docs.conftest import Runs

PAGES = ("blame", "contamination", "diff", "diff-records", "formats", "impact", "trace")


@pytest.mark.skipif(
    other_text(), reason="this Python's documentation has other words in it"
)
@pytest.mark.parametrize("page", PAGES)
def test_page_says_what_the_demo_shows(page: str, demo: Demo, runs: Runs) -> None:
    """Every command works, and prints what the page says."""
    runs(f"docs/{page}.md", DEMO=str(demo.folder))

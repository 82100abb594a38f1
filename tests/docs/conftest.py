from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.docs.transcripts import run_page

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]
UPDATE = bool(os.environ.get("UPDATE_DOCS"))


@pytest.fixture
def runs(tmp_path: Path) -> Callable[[str], None]:
    """Run a page, by its path in the checkout; UPDATE_DOCS=1 writes it anew."""
    return lambda page: run_page(ROOT / page, tmp_path / "page", update=UPDATE)

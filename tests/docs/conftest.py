from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.docs.transcripts import run_page

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

UPDATE = bool(os.environ.get("UPDATE_DOCS"))


@pytest.fixture
def runs(tmp_path: Path) -> Callable[[Path], None]:
    """Run a page; with UPDATE_DOCS=1 write what it says anew."""
    return lambda page: run_page(page, tmp_path / "page", update=UPDATE)

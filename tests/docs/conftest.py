from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

import pytest

from tests.docs.transcripts import run_page

ROOT = Path(__file__).parents[2]
UPDATE = bool(os.environ.get("UPDATE_DOCS"))


class Runs(Protocol):
    """Run a page, by its path in the checkout; UPDATE_DOCS=1 writes it anew."""

    def __call__(self, page: str, **environment: str) -> None: ...


@pytest.fixture
def runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Runs:
    def runs(page: str, **environment: str) -> None:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        run_page(ROOT / page, tmp_path / "page", update=UPDATE)

    return runs

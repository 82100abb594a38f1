"""A real Chromium: the system's, or the one that `make` got from Playwright."""

from __future__ import annotations

import shutil
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser


def _found() -> str | None:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if place := shutil.which(name):
            return place
    own = Path(sys.prefix, "browsers").glob("chromium*/*/*headless?shell")
    return next(map(str, own), None)


CHROMIUM = _found()
needed = pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium here")


@contextmanager
def started() -> Iterator[Browser]:
    """Start Chromium, for as long as the block lasts."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox"]
        )
        yield browser
        browser.close()

"""The tutorial, the how-tos and what is like them are run, and say what happens."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.remotes.conftest import KEY, SECRET, s3_server
from tests.tools import WHAT_AN_AUDITOR_HAS, skip_without

if TYPE_CHECKING:
    from tests.docs.conftest import Runs

ROOT = Path(__file__).parents[2]
SERVED = ROOT / "docs/howto/s3-postgres.md"
PAGES = ("docs/tutorial.md", "docs/evidence.md")
LESSONS = {*map(ROOT.joinpath, PAGES), *(ROOT / "docs/howto").glob("*.md")} - {SERVED}


@pytest.mark.parametrize("page", sorted(LESSONS), ids=lambda page: page.stem)
def test_lesson_says_what_happens(page: Path, runs: Runs) -> None:
    """Every command of a lesson works, and prints what the lesson says."""
    if page.stem == "audit":  # it has both chairs: that of the auditor, too
        skip_without(*WHAT_AN_AUDITOR_HAS)
    runs(str(page.relative_to(ROOT)))


def test_lesson_with_servers(tmp_path: Path, database: str, runs: Runs) -> None:
    """So it is where files lie on S3 and the index in PostgreSQL."""
    (tmp_path / "buckets" / "tutor").mkdir(parents=True)
    with s3_server(tmp_path / "buckets") as server:
        settings = server.at("tutor")
        runs(
            str(SERVED.relative_to(ROOT)),
            S3=settings["endpointurl"],
            DATABASE=database,
            AWS_ACCESS_KEY_ID=KEY,
            AWS_SECRET_ACCESS_KEY=SECRET,
            AWS_DEFAULT_REGION=settings["region"],
        )

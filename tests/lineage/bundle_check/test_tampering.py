"""Whatever is done to a bundle, both checkers find it, and call it the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lineage.bundle_check.bag import Bag
from tests.lineage.bundle_check.cases import CASES, Attack, Case
from tests.lineage.bundle_check.conftest import Office, by_script, by_tool

_TABLE = Path(__file__).parents[3] / "docs" / "bundle.md"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.what)
def test_a_tampering_is_found_by_both(
    case: Case, office: Office, tmp_path: Path
) -> None:
    """By `verify.sh` and by `lineage verify`, under one name."""
    bag = Bag.read(office.bundles["all"])
    case.does(Attack(bag, office, tmp_path))
    path = bag.write(tmp_path / "given.zip")
    held = office.held(*case.held)

    for by in (by_tool, by_script):
        verdict = by(path, *held)
        assert verdict.code == 3, verdict.said
        assert case.finding in verdict.findings, verdict.said


def test_the_table_in_the_docs_is_what_is_tried() -> None:
    """docs/bundle.md has a line for each tampering, and for no other."""
    text = _TABLE.read_text(encoding="utf-8").partition("## What was tried")[2]
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert rows[1:] == [case.row for case in CASES]

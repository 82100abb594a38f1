"""Bundles that nobody touched pass, whatever their registry went through."""

from __future__ import annotations

import pytest

from lineage import bundle
from tests.lineage.bundle_check.conftest import Office, by_script, by_tool


@pytest.mark.parametrize("level", bundle.LEVELS)
def test_a_clean_bundle_passes_both(office: Office, level: str) -> None:
    """With all that an auditor can hold, nothing is found."""
    held = office.held("signers", "since", "tsa-ca", "anchor")
    for by in (by_tool, by_script):
        verdict = by(office.bundles[level], *held)
        assert (verdict.code, verdict.findings) == (0, set()), verdict.said

"""Bundles that nobody touched pass, whatever their registry went through."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

import lineage
from lineage import bundle
from lineage.bundle_check import Held, Maker, check
from lineage.store.objects import Edge
from tests.lineage.bundle.conftest import House, house
from tests.lineage.bundle_check.conftest import Office, by_script, by_tool, hand_out

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["house"]  # pytest finds the fixture here


@pytest.mark.parametrize("level", bundle.LEVELS)
def test_a_clean_bundle_passes_both(office: Office, level: str) -> None:
    """With all that an auditor can hold, nothing is found."""
    held = office.held("signers", "since", "tsa-ca", "anchor")
    for by in (by_tool, by_script):
        verdict = by(office.bundles[level], *held)
        assert (verdict.code, verdict.findings) == (0, set()), verdict.said


def test_nothing_is_left_open_for_who_holds_everything(office: Office) -> None:
    """Every check is made, and passes."""
    held = Held(
        signers=office.signers,
        since=office.seen,
        tsa_ca=office.folder / "tsa" / "root.pem",
        anchor=office.fingerprint("ada"),
        maker=Maker(bundle.AGENT, bundle.again),
    )
    checked = check(office.bundles["all"], held)
    assert {one.state for one in checked.checks} == {"passed"}, checked
    assert checked.event == office.newest


def test_a_registry_that_went_through_everything(house: House, tmp_path: Path) -> None:
    """Two logs that met, an erasure, a revoked key, names that trip over a shell."""
    path = house.bundle(tmp_path / "it.zip")

    verdict = by_tool(path, "--signers", str(house.signers), "--since", house.seen)

    assert verdict.findings == set(), verdict.said


def test_what_was_committed_again_and_again(tmp_path: Path) -> None:
    """That the same was made a third time is an event, and no statement left out."""
    with closing(lineage.init(tmp_path / "registry")) as registry:
        for _ in range(4):
            registry.commit("config", "judge", params={"seed": 7}, branch="loop/tutor")
        path = hand_out(registry, tmp_path / "it.zip")
    for by in (by_tool, by_script):
        verdict = by(path)
        assert verdict.findings == set(), verdict.said


def test_a_registry_without_keys(tmp_path: Path) -> None:
    """Nothing is signed, and the bundle says so: whole, and by nobody."""
    with closing(lineage.init(tmp_path / "registry")) as registry:
        made = registry.commit("config", "judge", params={"seed": 7})
        parts = [Edge("includes", made.id)]
        registry.commit("generation", "tutor", edges=parts, branch="loop/tutor")
        path = hand_out(registry, tmp_path / "it.zip", "all")

    for by in (by_tool, by_script):
        verdict = by(path)
        assert (verdict.code, verdict.findings) == (0, set()), verdict.said
    states = {one.name: one.state for one in check(path).checks}
    open_ = {name for name, state in states.items() if state == "not checked"}
    assert {"signature", "unsigned", "signer", "role", "since"} <= open_

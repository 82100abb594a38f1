"""Lies that no manifest can show: the report is made again, and differs."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from lineage import bundle
from lineage.audit.obligations.filling import addressed
from lineage.audit.obligations.template import load
from lineage.audit.report import report
from lineage.bundle_check import Checked, Held, Maker, check
from tests.lineage.bundle_check.bag import Bag

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.lineage.bundle_check.conftest import Office

REPORT = "data/report.json"


@pytest.fixture(scope="module")
def answering(office: Office, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle whose report answers a template."""
    path = tmp_path_factory.mktemp("answering") / "given.zip"
    with closing(office.open()) as registry:
        made = report(registry, "loop/tutor")
        made = addressed(made, "authority", load("eu-annex-iv"))
        bundle.export(registry, made, path)
    return path


def _checked(path: Path, agent: str = bundle.AGENT) -> Checked:
    return check(path, Held(maker=Maker(agent, bundle.again)))


def _why(checked: Checked) -> str:
    return next(one.why for one in checked.checks if one.name == "report")


def _share(told: Any) -> None:
    made_of = told["loops"][0]["generations"][-1]["made_of"]
    made_of["machine"], made_of["human"] = made_of["human"], made_of["machine"]
    made_of["machine"]["share"] = 0.01


def _coverage(told: Any) -> None:
    told["obligations"]["coverage"]["not provided"] = 0


def _answer(told: Any) -> None:
    fields = [one for item in told["obligations"]["items"] for one in item["fields"]]
    field = next(one["field"] for one in fields if one["field"]["status"] == "recorded")
    field["value"] = "all is well"


def _oversight(told: Any) -> None:
    told["loops"][0]["oversight"] = {}


LIES: dict[str, Callable[[Any], None]] = {
    "another share": _share,
    "no gaps": lambda told: told["gaps"].clear(),
    "no changes": lambda told: told["changes"].clear(),
    "fewer generators": lambda told: told["generators"].clear(),
    "a better coverage": _coverage,
    "another answer": _answer,
    "nothing of the reviews": _oversight,
}


@pytest.mark.parametrize("lie", LIES)
def test_what_is_added_up_or_told_in_words_is_made_again(
    lie: str, answering: Path, office: Office, tmp_path: Path
) -> None:
    """A lie in report.json is found though it was signed with the real key."""
    bag = Bag.read(answering)
    told = bag.report
    LIES[lie](told)
    assert told != bag.report
    bag.keep_report(told)
    bag.sign(office.keys["ada"])
    found = _checked(bag.write(tmp_path / "given.zip")).findings
    assert REPORT in {one.where for one in found if one.check == "report"}


@pytest.mark.parametrize("name", ["data/report.html", "data/formats/prov.json"])
def test_other_forms_of_the_report_are_made_again(
    name: str, answering: Path, office: Office, tmp_path: Path
) -> None:
    """So are the page and the machine formats."""
    bag = Bag.read(answering)
    bag.swap(name, "tutor", "tutro")
    bag.sign(office.keys["ada"])
    found = _checked(bag.write(tmp_path / "given.zip")).findings
    assert {(one.check, one.where) for one in found} == {("report", name)}


def test_the_report_of_a_template_passes(answering: Path) -> None:
    """What answers were made of is no finding, and all of it was made again."""
    checked = _checked(answering)
    assert not checked.findings
    assert not _why(checked)


def test_what_cannot_be_made_again_is_said(answering: Path) -> None:
    """Another version of lineage may lay out the same report otherwise."""
    checked = _checked(answering, agent="lineage 99")
    assert not checked.findings
    assert f"{bundle.AGENT} made it, and this is lineage 99" in _why(checked)

"""Attesting metrics of a commit later."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lineage import measured
from lineage.errors import NotFound, UsageError
from lineage.store.metric import Metric

if TYPE_CHECKING:
    from lineage import Registry


@pytest.fixture
def model(repo: Registry) -> str:
    made = repo.commit("model", "m", params={"x": 1}, metrics={"loss": 2.0})
    return made.id


def test_what_holds_already_is_not_said_again(repo: Registry, model: str) -> None:
    """The same metric once more is no event; part of it new is one."""
    whole = Metric(0.5, "accuracy", 1, "higher", 10, [0.4, 0.6])
    said = measured.attest(repo, model, {"a": whole}, message="by hand")
    assert said.created
    count = len(list(repo.events()))
    assert measured.attest(repo, model, {"a": whole}) == (said.event, False)
    assert len(list(repo.events())) == count
    assert measured.attested(repo, model)["a"].metric == whole
    assert measured.attested(repo, model)["a"].event.message == "by hand"
    assert measured.attest(repo, model, {"a": whole, "b": Metric(1)}).created
    assert measured.attest(repo, model, {"a": Metric(0.5)}).created


def test_what_was_attested_can_be_taken_back(repo: Registry, model: str) -> None:
    """Null in its place; after that it can be said anew."""
    measured.attest(repo, model, {"a": Metric(1), "b": Metric(2)})
    measured.attest(repo, model, {"a": None})
    assert measured.metrics(repo, model).keys() == {"loss", "b"}
    with pytest.raises(UsageError, match="nobody attested a of"):
        measured.attest(repo, model, {"a": None})
    measured.attest(repo, model, {"a": Metric(1)})
    assert measured.metrics(repo, model)["a"].value == 1


def test_what_nobody_would_hear_is_refused(repo: Registry, model: str) -> None:
    """Nothing at all, a recorded name, and a commit that is not here."""
    count = len(list(repo.events()))
    with pytest.raises(UsageError, match="nothing to attest"):
        measured.attest(repo, model, {})
    with pytest.raises(UsageError, match="records loss itself, and that holds"):
        measured.attest(repo, model, {"loss": Metric(1)})
    with pytest.raises(NotFound):
        measured.attest(repo, "0" * 64, {"a": Metric(1)})
    assert len(list(repo.events())) == count

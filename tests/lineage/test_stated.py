"""What people state of a commit."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

import lineage
from lineage.errors import NotAllowed, NotFound, UsageError
from lineage.stated import LONGEST, STATEMENT, state, stated

if TYPE_CHECKING:
    from lineage.registry import Registry


@pytest.fixture
def model(repo: Registry) -> str:
    return repo.commit("model", "m", params={"x": 1}).id


def texts(registry: Registry, id_: str) -> dict[str, str]:
    return {field: said.text for field, said in stated(registry, id_).items()}


def test_the_newest_text_of_a_field_holds(repo: Registry, model: str) -> None:
    """Fields are sorted; each says which event it is from, and who said it."""
    first = state(repo, model, {"purpose": "sums", "limits": "no\nproofs"})
    second = state(repo, model, {"purpose": "sums of two numbers"}, message="asked")
    found = stated(repo, model)
    assert texts(repo, model) == {
        "limits": "no\nproofs",
        "purpose": "sums of two numbers",
    }
    assert [said.event for said in found.values()] == [first.event, second.event]
    assert found["limits"].by == {"name": "Ada Example", "email": "ada@example.com"}
    with closing(lineage.open(repo.root, at=first.event)) as then:
        assert texts(then, model)["purpose"] == "sums"
        with pytest.raises(NotAllowed, match="as of event"):
            state(then, model, {"purpose": "x"})


def test_what_was_said_so_is_not_said_again(repo: Registry, model: str) -> None:
    """But by somebody else, whose word it is not yet."""
    first = state(repo, model, {"purpose": "sums"})
    assert state(repo, model, {"purpose": "sums"}) == (first.event, False)
    repo.git.run("config", "user.name", "Bob")
    assert state(repo, model, {"purpose": "sums"}).created
    assert stated(repo, model)["purpose"].by["name"] == "Bob"


def test_a_statement_can_be_taken_back(repo: Registry, model: str) -> None:
    """Null in its place; then nobody states it."""
    state(repo, model, {"purpose": "sums", "limits": "none"})
    state(repo, model, {"limits": None})
    assert texts(repo, model) == {"purpose": "sums"}
    with pytest.raises(UsageError, match="nobody stated limits of"):
        state(repo, model, {"limits": None})


@pytest.mark.parametrize(
    ("given", "match"),
    [
        ({}, "nothing to state"),
        ({"Purpose": "x"}, "is not the name of a field"),
        ({"a" * 65: "x"}, "is not the name of a field"),
        ({"a": " \n"}, "the text of a is empty"),
        ({"a": "ä" * (LONGEST // 2) + "x"}, "longer than 64 KiB"),
        ({"a": "x\x1b[31m"}, "has control characters"),
        ({"a": "\ud800"}, "has control characters"),
    ],
)
def test_what_cannot_be_stated_is_refused(
    repo: Registry, model: str, given: dict[str, str], match: str
) -> None:
    """Nothing of it is recorded."""
    tip = repo.events_log.tip()
    with pytest.raises(UsageError, match=match):
        state(repo, model, given)
    with pytest.raises(NotFound):
        state(repo, "0" * 64, {"a": "x"})
    assert repo.events_log.tip() == tip
    assert state(repo, model, {"a.b-c_1": "ä" * (LONGEST // 2)}).created


@pytest.mark.parametrize(
    "said", [None, [], "x", {"a": 1}, {"a": ""}, {"A": "x"}, {"a": "x\0"}, {"a": []}]
)
def test_a_malformed_statement_says_nothing(
    repo: Registry, model: str, said: Any
) -> None:
    """Of an event that another tool wrote wrongly, what can be read is read."""
    state(repo, model, {"a": "mine"})
    repo.attest(STATEMENT, subject=model, data={"stated": said})
    assert texts(repo, model) == {"a": "mine"}
    if isinstance(said, dict):
        data = {"stated": {**said, "b": "heard", "a": None} if "a" in said else said}
        repo.attest(STATEMENT, subject=model, data=data)
        assert texts(repo, model) in ({"b": "heard"}, {"a": "mine"})

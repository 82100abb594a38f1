"""What was live, where and when."""

from __future__ import annotations

import random
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

import lineage
from lineage.errors import NotFound, UsageError
from lineage.releases import live, release, releases, retire
from lineage.sharing import remotes
from lineage.sharing.clone import clone
from lineage.sharing.pull import pull
from lineage.sharing.push import push
from lineage.statements import Statements

if TYPE_CHECKING:
    from pathlib import Path

    from lineage.registry import Registry


def made(registry: Registry, name: str, x: int) -> str:
    return registry.commit("model", name, params={"x": x}).id


def spans(registry: Registry) -> list[tuple[str, str, bool]]:
    """Environment, subject, whether it is over; the oldest first."""
    return [(r.environment, r.subject, r.until is not None) for r in releases(registry)]


def test_a_newer_release_of_a_name_ends_the_one_before(repo: Registry) -> None:
    """Other names and other environments stay as they are."""
    a, b, other = made(repo, "a", 1), made(repo, "a", 2), made(repo, "b", 1)
    first = release(repo, a, "production")
    release(repo, other, "production")
    release(repo, a, "staging")
    second = release(repo, b, "production", message="v2")
    assert spans(repo) == [
        ("production", a, True),
        ("production", other, False),
        ("staging", a, False),
        ("production", b, False),
    ]
    old, new = releases(repo)[0], releases(repo)[-1]
    assert (old.event, old.ended, old.until) == (first.event, second.event, new.since)
    assert (new.kind, new.name, new.until) == ("model", "a", None)
    assert release(repo, b, "production") == (second.event, False)
    assert {one.subject for one in live(repo, "production")} == {b, other}


def test_what_is_retired_is_live_no_more(repo: Registry) -> None:
    """Only what is live can be retired; the error says what is."""
    a, b = made(repo, "a", 1), made(repo, "a", 2)
    release(repo, a, "eu/prod")
    with pytest.raises(NotFound, match="is not live in eu/prod") as caught:
        retire(repo, b, "eu/prod")
    assert caught.value.hint == f"live there: model a {a[:8]}"
    done = retire(repo, a, "eu/prod", message="recalled")
    assert releases(repo)[0].ended == done.event
    assert live(repo) == ()
    with pytest.raises(NotFound) as caught:
        retire(repo, a, "eu/prod")
    assert caught.value.hint == "nothing is live there"
    for wrong in ("", "-x", "a\nb", "a..b"):
        with pytest.raises(UsageError, match="the environment"):
            release(repo, a, wrong)


@pytest.mark.parametrize("seed", [1, 2])
def test_every_past_is_told_as_it_was(repo: Registry, seed: int) -> None:
    """After each of many events, what is live is what a plain dictionary says."""
    chance = random.Random(seed)  # noqa: S311
    ids = {made(repo, name, x): name for name in "ab" for x in range(3)}
    now: dict[tuple[str, str], str] = {}
    then: list[tuple[str, set[tuple[str, str]]]] = []
    for _ in range(30):
        id_, where = chance.choice(list(ids)), chance.choice(["x", "y"])
        on = chance.random() < 0.7
        data = {"environment": where, "live": on}
        event = repo.attest("release", subject=id_, data=data)
        if on:
            now[where, ids[id_]] = id_
        elif now.get((where, ids[id_])) == id_:
            del now[where, ids[id_]]
        then.append((event, {(where, id_) for (where, _), id_ in now.items()}))
    for event, wanted in then:
        with closing(lineage.open(repo.root, at=event)) as past:
            assert {(r.environment, r.subject) for r in live(past)} == wanted
    for one in releases(repo):  # of one name in one place, no two overlap
        ends = [r.since for r in releases(repo) if r.ended and r.event == one.ended]
        assert all(one.until is not None and one.until >= end for end in ends)


@pytest.mark.parametrize(
    "data",
    [{}, {"environment": "x"}, {"live": True}, {"environment": "", "live": True},
     {"environment": "x", "live": 1}, {"environment": ["x"], "live": True}],
)  # fmt: skip
def test_a_malformed_release_says_nothing(repo: Registry, data: dict[str, Any]) -> None:
    """It is no reason to refuse the others."""
    a = made(repo, "a", 1)
    release(repo, a, "x")
    repo.attest("release", subject=a, data=data)
    assert spans(repo) == [("x", a, False)]


def test_clones_agree_on_what_is_live(repo: Registry, tmp_path: Path) -> None:
    """Two machines release apart; after they met both say the same, and why."""
    a, b = made(repo, "a", 1), made(repo, "a", 2)
    repo.git.run("init", "--quiet", "--bare", str(tmp_path / "hub.git"))
    remotes.add(repo, "origin", str(tmp_path / "hub.git"))
    push(repo, remotes.find(repo))
    with closing(clone(str(tmp_path / "hub.git"), tmp_path / "theirs")) as theirs:
        release(repo, a, "x")
        release(theirs, b, "x")
        push(repo, remotes.find(repo))
        pull(theirs, remotes.find(theirs))
        push(theirs, remotes.find(theirs))
        pull(repo, remotes.find(repo))
        assert spans(repo) == spans(theirs) == [("x", a, True), ("x", b, False)]


def test_a_list_of_an_older_version_is_made_again(repo: Registry) -> None:
    """One that was written when fewer types were noted is not believed."""
    a = made(repo, "a", 1)
    release(repo, a, "x")
    assert len(live(repo)) == 1
    from lineage.noted import _write

    older = type("Older", (Statements,), {"TYPES": frozenset({"metrics"})})
    _write(repo, older(tip=repo.events_log.tip()))
    with closing(lineage.open(repo.root)) as again:
        assert len(live(again)) == 1

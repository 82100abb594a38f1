"""Points in time: which event a moment means, and the registry as it was then."""

from __future__ import annotations

import shutil
from contextlib import closing
from dataclasses import replace
from datetime import time
from itertools import count
from typing import TYPE_CHECKING

import pytest

import lineage
from lineage.errors import Ambiguous, NotAllowed, NotFound, UsageError
from lineage.moments import event_at, find_event, moment_of
from lineage.names_ops import (
    delete_branch,
    delete_tag,
    rename_branch,
    set_branch,
    set_tag,
)
from lineage.search import Filters, search
from lineage.store.canonical import digest
from lineage.store.events import now
from lineage.store.objects import Event
from lineage.store.views import Move, Target
from lineage.undo import undo
from lineage.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lineage import Registry


def note(registry: Registry, when: str) -> str:
    """Append an event of a time of our choice; returns its git oid."""
    event = Event("note", when, registry.actor())
    with registry.events_log.locked() as lock:
        return registry.record(event, lock=lock).git


@pytest.fixture
def years(repo: Registry) -> dict[str, str]:
    """Append events whose clock goes on, back and on again; git oids by time."""
    stamps = (
        "2031-11-01T10:00:00.500000Z",
        "2031-11-03T23:59:59.999999Z",
        "2039-01-01T00:00:00.000000Z",
        "2031-11-02T08:00:00.000000Z",
        "2031-11-04T08:00:00.000000Z",
    )
    return {stamp: note(repo, stamp) for stamp in stamps}


@pytest.mark.parametrize(
    ("text", "stamp"),
    [
        ("2031-11-01", "2031-11-01T10:00:00.500000Z"),
        ("2031-11-01T10:00:00.6", "2031-11-01T10:00:00.500000Z"),
        ("2031-11-01T12:00:00.5+02:00", "2031-11-01T10:00:00.500000Z"),
        ("2031-11-03", "2031-11-02T08:00:00.000000Z"),
        ("2031-11-02T07:59:59", "2031-11-01T10:00:00.500000Z"),
        ("2031-11-04T08:00", "2031-11-04T08:00:00.000000Z"),
        ("2040-01-01", "2031-11-04T08:00:00.000000Z"),
    ],
)
def test_the_newest_event_of_a_moment(
    repo: Registry, years: dict[str, str], text: str, stamp: str
) -> None:
    """It is the newest by the log's order whose own time is not later.

    Fractions of seconds, zones and clocks that go back are minded.
    """
    assert event_at(repo, text) == years[stamp]


def test_no_event_so_early(repo: Registry) -> None:
    """A time before the first event is an error that says when the log began."""
    with pytest.raises(NotFound, match="no event at or before 1999-01-01") as caught:
        event_at(repo, "1999-01-01")
    began = next(iter(repo.events()))[1].time
    assert caught.value.hint == f"the first one is of {began}"


def test_events_by_prefix(repo: Registry) -> None:
    """Four digits of an event's id or of its git oid name it; a commit's do not."""
    made = repo.commit("config", "c", params={"x": 1})
    logged = next(repo.events_log.iterate())

    for text in (logged.event.id[:4], logged.event.id, logged.git[:5], logged.git):
        assert event_at(repo, text) == logged.git
        assert find_event(repo, text) == logged
    for other in (made.id, made.git, "f" * 64):
        with pytest.raises(NotFound, match="there is no event"):
            event_at(repo, other)
    for wrong in ("abc", "nonsense", "2031-13-01", ""):
        with pytest.raises(UsageError, match="is not a date"):
            event_at(repo, wrong)


def test_an_ambiguous_prefix(repo: Registry) -> None:
    """A prefix of several events is an error that lists them."""
    known = {repo.attest("note")[:4] for _ in range(20)}
    last = next(repo.events_log.iterate()).event.id
    draft = Event("note", now(), repo.actor(), "#", prev=(last,))
    before, _, after = draft.encoded.partition(b"#")
    tries = ((str(n), before + str(n).encode() + after) for n in count())
    text = next(text for text, data in tries if digest(data)[:4] in known)
    same = replace(draft, message=text)
    with repo.events_log.locked() as lock:
        id_ = repo.record(same, lock=lock).event.id
    with pytest.raises(Ambiguous, match="could be 2 events") as caught:
        find_event(repo, id_[:4])
    assert f"{id_[:12]} (note)" in caught.value.candidates


def test_words_for_moments() -> None:
    """Days and times ago; a bare day is its beginning or its end, as is asked."""
    start, end = moment_of("yesterday", time.min), moment_of("yesterday", time.max)
    assert start[:10] == end[:10]
    assert (start[10:], end[10:]) == ("T00:00:00.000000Z", "T23:59:59.999999Z")
    assert moment_of("2 weeks ago", time.max) < moment_of("13 days ago", time.max)
    assert moment_of("1 hour ago", time.max) < moment_of("now", time.max) <= now()
    assert moment_of("today", time.max) > now()
    for wrong in ("2 moons ago", "-1 days ago", "999999 weeks ago", "soon"):
        with pytest.raises(UsageError, match="is not a date"):
            moment_of(wrong, time.max)


def facts(registry: Registry) -> tuple[object, ...]:
    """Everything that a registry answers, but for what a clone keeps for itself."""
    names = {space: registry.names(space) for space in ("heads", "tags", "spent")}
    return (
        names,
        {record.id for record in registry.ids},
        len(registry.ids),
        list(registry.events()),
        registry.head,
        sorted(search(registry, Filters(kind="config"))),
    )


def test_a_registry_as_it_was(repo: Registry) -> None:
    """Opened at each event, it answers what it answered then."""
    steps = (
        lambda: repo.commit("config", "c", params={"x": 1}),
        lambda: repo.commit("config", "c", params={"x": 2}),
        lambda: set_tag(repo, "v1"),
        lambda: set_branch(repo, "old", "config/c~1"),
        lambda: set_branch(repo, "old", "config/c", force=True),
        lambda: rename_branch(repo, "old", "older"),
        lambda: delete_tag(repo, "v1"),
        lambda: repo.attest("note"),
        lambda: repo.commit("config", "d", params={"x": 2}),
    )
    then = {}
    for step in steps:
        step()
        then[repo.events_log.tip()] = facts(repo)
    for event, expected in then.items():
        assert event
        with closing(lineage.open(".", at=event)) as past:
            assert facts(past) == expected
    assert facts(repo) == expected


def test_head_of_a_time_is_a_branch_that_is_there(repo: Registry) -> None:
    """A branch that was deleted by then is not HEAD; the one moved before it is."""
    repo.commit("config", "c", params={"x": 1})
    set_branch(repo, "gone")
    delete_branch(repo, "gone")
    tip = repo.events_log.tip()
    with closing(lineage.open(".", at=tip)) as past:
        assert past.head == "config/c"


def test_the_past_is_not_written(repo: Registry) -> None:
    """Whatever writes is refused, before anything is kept."""
    made = repo.commit("config", "c", params={"x": 1})
    tip = repo.events_log.tip()
    with closing(lineage.open(".", at=tip)) as past:
        for write in (
            lambda: past.commit("dataset", "d", __file__),
            lambda: past.attest("note", subject=made.id),
            lambda: set_branch(past, "b"),
            lambda: delete_branch(past, "config/c"),
        ):
            with pytest.raises(NotAllowed, match="this is the registry as of event"):
                write()
    assert repo.events_log.tip() == tip
    assert not list(repo.root.glob(".dvc/cache/files/**/*"))


def test_the_lookup_file_survives_a_look_back(repo: Registry) -> None:
    """A commit that was not known then is not found then, and is found now."""
    first = repo.commit("config", "c", params={"x": 1})
    tip = repo.events_log.tip()
    second = repo.commit("config", "c", params={"x": 2})
    for _ in range(2):
        with closing(lineage.open(".", at=tip)) as past:
            assert [record.id for record in past.ids] == [first.id]
            assert not past.ids.find(second.id)
            with pytest.raises(NotFound):
                past.load(second.id)
        for path in repo.home.glob("ids*"):
            path.unlink()
    with closing(lineage.open(".")) as present:
        assert {record.id for record in present.ids} == {first.id, second.id}


def test_logs_that_were_merged(repo: Registry, tmp_path: Path) -> None:
    """Each side's past knows what that side knew, and time goes by the own chain.

    A commit that both made is in both pasts, whoever's event is read first.
    """
    repo.commit("config", "base", params={"x": 0})
    other = shutil.copytree(repo.root, tmp_path / "other")
    with closing(lineage.open(other)) as theirs:
        both = theirs.commit("config", "both", params={"x": 1}).id
        only_theirs = theirs.commit("config", "theirs", params={"x": 2}).id
        foreign = theirs.events_log.tip()
    only_ours = repo.commit("config", "ours", params={"x": 3}).id
    assert repo.commit("config", "both", params={"x": 1}).id == both
    own = repo.events_log.tip()
    assert own
    assert foreign
    repo.git.run("fetch", "-q", str(other), "refs/lineage/*:refs/theirs/*")
    named = repo.git.ref("refs/theirs/heads/config%2Ftheirs")
    target = Target(only_theirs, named or "")
    pull = Event("pull", now(), repo.actor(), data={"remote": "other"})
    with repo.events_log.locked() as lock:
        move = Move("heads/config/theirs", None, target)
        repo.events_log.append(pull, [move], [], lock=lock, merged=[foreign])
    for _ in range(2):
        with closing(lineage.open(".", at=own)) as past:
            known = {record.id for record in past.ids}
            assert known >= {both, only_ours}
            assert only_theirs not in known
        with closing(lineage.open(".", at=foreign)) as past:
            known = {record.id for record in past.ids}
            assert known >= {both, only_theirs}
            assert only_ours not in known
        with closing(lineage.open(".")) as present:
            assert len(present.ids) == 4
            assert not present.events_log.is_own(foreign)
            assert event_at(present, foreign) == foreign
        for path in repo.home.glob("ids*"):
            path.unlink()
    undo(repo)
    assert "config/theirs" not in repo.branches()
    assert verify(repo).problems == []


@pytest.mark.parametrize("at", ["1999-12-31", "soon", "000000000000"])
def test_a_registry_that_cannot_be_opened_leaves_no_process(
    repo: Registry, children: Callable[[], set[str]], at: str
) -> None:
    """The git that was asked for the moment ends with the answer that there is none."""
    repo.close()
    before = children()
    with pytest.raises((NotFound, UsageError)):
        lineage.open(at=at)
    assert children() == before


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("9" * 23, f"'{'9' * 23}' is not a date"),
        ("2026-W99", "'2026-W99' is not a date"),
        ("2026-13-01", "'2026-13-01' is not a date: month must be in 1..12"),
    ],
)
def test_only_a_date_is_told_what_is_wrong_in_it(text: str, said: str) -> None:
    """Digits of another kind have no month that could be wrong."""
    with pytest.raises(UsageError) as refused:
        moment_of(text, time.max)
    assert str(refused.value) == said

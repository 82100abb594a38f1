"""What becomes of names when two machines that worked apart meet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from lineage.errors import NotAllowed
from lineage.names_ops import (
    delete_branch,
    delete_tag,
    protect_branch,
    set_branch,
    set_tag,
)
from lineage.sharing import remotes
from lineage.sharing.pull import pull
from lineage.undo import redo, undo
from lineage.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable

    from lineage.registry import Registry

    Sound = Callable[[Registry], None]
    Hub = Any


def test_what_one_side_changed_is_what_it_made_of_it(hub: Hub, sound: Sound) -> None:
    """New, moved and deleted branches and tags of both sides are all there."""
    ours = hub.first()
    for name in ("b", "c"):
        set_branch(ours, name, "main")
    hub.push(ours)
    theirs = hub.clone()
    one, two = hub.commit(ours, 1), hub.commit(theirs, 2, "b")
    set_tag(ours, "mine", one.id)
    set_tag(theirs, "yours", two.id)
    delete_branch(theirs, "c")
    pulled = hub.exchange(theirs, ours)

    assert ours.branches() == {"main": one.id, "b": two.id}
    assert ours.tags() == {"mine": one.id, "yours": two.id}
    assert (pulled.fetched.events, pulled.fetched.commits) == (3, 1)
    assert (pulled.merged.doubled, pulled.merged.renamed) == ({}, {})
    sound(ours)


def test_a_branch_that_both_moved_is_kept_twice(hub: Hub, sound: Sound) -> None:
    """Ours keeps the name; the next meeting of the same two gives a second name."""
    ours = hub.first()
    theirs = hub.clone()
    one, two = hub.commit(ours, 1), hub.commit(theirs, 2)
    pulled = hub.exchange(theirs, ours)

    assert ours.branches() == {"main": one.id, "main@origin": two.id}
    assert pulled.merged.doubled == {"main": "main@origin"}

    three, four = hub.commit(ours, 3), hub.commit(theirs, 4)
    hub.exchange(theirs, ours)
    assert ours.branches() == {"main": three.id, "main@origin": four.id}  # 2, then 4

    set_branch(theirs, "main", two.id, force=True)
    five = hub.commit(theirs, 5)
    hub.exchange(theirs, ours)
    assert ours.branches() == {
        "main": three.id,
        "main@origin": four.id,
        "main@origin.2": five.id,
    }
    sound(ours)


def test_the_second_name_is_no_longer_than_git_takes(hub: Hub, sound: Sound) -> None:
    """The end of a long name gives way to the remote's, and one more to a number."""
    ours = hub.first()
    theirs = hub.clone()
    remote = f"team/{'r' * 60}"
    ours.git.run("remote", "add", remote, str(hub.path))
    names = [f"{'n' * 190}{end}" for end in "ab"]
    for number, name in enumerate(names):
        hub.commit(ours, 10 + number, name)
        hub.commit(theirs, 20 + number, name)
    hub.push(theirs)
    doubled = pull(ours, remotes.find(ours, remote)).merged.doubled

    assert set(doubled) == set(names)
    assert [len(other) for other in doubled.values()] == [248, 248]  # / takes three
    assert sorted(other[-4:] for other in doubled.values()) == ["rr.2", "rrrr"]
    hub.push(ours)
    sound(ours)
    delete_branch(ours, doubled[names[0]])


def test_the_later_version_stands(hub: Hub, sound: Sound) -> None:
    """One machine goes on from what the other one had published elsewhere."""
    ours = hub.first()
    theirs = hub.clone()
    one = hub.commit(ours, 1)
    set_branch(ours, "work", one.id)
    hub.exchange(ours, theirs)
    set_branch(ours, "late", one.id)
    two = hub.commit(theirs, 2)
    set_branch(theirs, "late", two.id)
    pulled = hub.exchange(theirs, ours)

    assert pulled.merged.doubled == {}
    assert ours.branches() == {"main": two.id, "work": one.id, "late": two.id}
    sound(ours)


def test_an_origin_is_no_earlier_version(hub: Hub) -> None:
    """That one head was made from the other does not make it the later one."""
    from lineage import Edge

    ours = hub.first()
    theirs = hub.clone()
    one = hub.commit(ours, 1, "x")
    hub.exchange(ours, theirs)
    delete_branch(theirs, "x")
    hub.push(theirs)
    hub.pull(ours)
    set_branch(ours, "x", one.id)
    edges = [Edge("derived_from", one.id)]
    made = theirs.commit("config", "d", params={"x": 1}, edges=edges, branch="x")
    hub.exchange(theirs, ours)

    assert ours.branches()["x"] == one.id
    assert ours.branches()["x@origin"] == made.id


@pytest.mark.parametrize("deleter", ["ours", "theirs"])
def test_what_one_side_deleted_and_the_other_moved_is_kept(
    deleter: str, hub: Hub, sound: Sound
) -> None:
    """Nobody loses work because somebody else tidied up."""
    ours = hub.first()
    theirs = hub.clone()
    mover = theirs if deleter == "ours" else ours
    made = hub.commit(mover, 1)
    delete_branch(ours if deleter == "ours" else theirs, "main")
    hub.exchange(theirs, ours)

    assert ours.branches() == {"main": made.id}
    sound(ours)


def test_of_two_tags_the_published_one_keeps_the_name(hub: Hub, sound: Sound) -> None:
    """A tag never moves, so ours takes another name, and both machines agree."""
    ours = hub.first()
    theirs = hub.clone()
    one, two = hub.commit(ours, 1, "a"), hub.commit(theirs, 2, "b")
    set_tag(ours, "v1", one.id)
    set_tag(theirs, "v1", two.id)
    pulled = hub.exchange(theirs, ours)

    other = f"v1@{one.id[:8]}"
    assert pulled.merged.renamed == {"v1": other}
    assert ours.tags() == {"v1": two.id, other: one.id}
    [(_, event)] = [pair for pair in ours.events() if pair[0] == pulled.event]
    assert event.data == {"remote": "origin", "renamed": {"v1": other}}

    hub.exchange(ours, theirs)
    assert theirs.tags() == ours.tags()
    sound(theirs)


@pytest.mark.parametrize("deleter", ["ours", "theirs"])
def test_a_tag_that_one_side_deleted_is_spent(
    deleter: str, hub: Hub, sound: Sound
) -> None:
    """What was agreed on and deleted is deleted on both."""
    ours = hub.first()
    set_tag(ours, "v1", "main")
    hub.push(ours)
    theirs = hub.clone()
    delete_tag(ours if deleter == "ours" else theirs, "v1")
    hub.commit(theirs, 2)
    hub.exchange(theirs, ours)

    assert ours.tags() == {}
    assert set(ours.names("spent")) == {"v1"}
    sound(ours)


def test_a_name_that_was_spent_apart(hub: Hub, sound: Sound) -> None:
    """A tag of ours whose name they have spent is renamed; the same tag is spent."""
    ours = hub.first()
    theirs = hub.clone()
    one, two = hub.commit(ours, 1, "a"), hub.commit(theirs, 2, "b")
    set_tag(ours, "v1", one.id)
    set_tag(theirs, "v1", two.id)
    delete_tag(theirs, "v1")
    for registry in (ours, theirs):
        set_tag(registry, "same", "main")
    delete_tag(theirs, "same")
    hub.exchange(theirs, ours)

    assert ours.tags() == {f"v1@{one.id[:8]}": one.id}
    assert set(ours.names("spent")) == {"v1", "same"}
    sound(ours)


def test_head_is_a_branch_after_a_pull(hub: Hub) -> None:
    """One that the other side has deleted is left for the one that moved last."""
    ours = hub.first()
    theirs = hub.clone()
    set_branch(theirs, "b", "main")
    hub.exchange(theirs, ours)
    assert theirs.head == "b"
    delete_branch(ours, "b")
    hub.exchange(ours, theirs)

    assert theirs.head == "main"


def test_the_same_commit_made_twice(hub: Hub, sound: Sound) -> None:
    """Both machines record the same content: one commit, brought by two events."""
    ours = hub.first()
    theirs = hub.clone()
    made = {hub.commit(registry, 7) for registry in (ours, theirs)}
    hub.exchange(theirs, ours)

    assert len(made) == 1
    assert len(ours.ids) == 2
    assert [len(e.commits) for _, e in ours.events()].count(1) == 3
    sound(ours)


def test_parts_of_loops_meet_too(hub: Hub, sound: Sound) -> None:
    """Work in progress of a loop is one machine's: ours stays, theirs is kept."""
    ours = hub.first()
    theirs = hub.clone()
    for number, registry in enumerate((ours, theirs)):
        registry.commit("config", "p", params={"n": number}, ref="runs/l/1/config")
    mine, other = (r.names("runs")["l/1/config"] for r in (ours, theirs))
    hub.exchange(theirs, ours)

    assert ours.names("runs") == {"l/1/config": mine}
    assert ours.git.ref(f"refs/lineage/attic/{other.git}") == other.git
    hub.git("gc", "--quiet", "--prune=now", where=ours.root)
    sound(ours)


def test_nothing_new_makes_no_event(hub: Hub) -> None:
    """Two machines do not tell each other of their pulls for ever."""
    ours = hub.first()
    theirs = hub.clone()
    hub.commit(theirs, 1)
    assert hub.exchange(theirs, ours).event
    assert hub.pull(ours).event is None
    assert hub.exchange(ours, theirs).event is None
    assert hub.push(theirs).events == 0
    before = theirs.events_log.tip()

    hub.commit(theirs, 2)
    pushed = hub.push(theirs)  # after the pull of the other one, which it has not

    assert (pushed.events, pushed.commits) == (2, 1)
    assert next(theirs.events())[1].type == "pull"
    assert theirs.events_log.tip() != before
    assert verify(theirs).problems == []


def test_several_bases(hub: Hub, sound: Sound) -> None:
    """Machines that pull from each other crosswise meet all the same."""
    from lineage.sharing import remotes
    from lineage.sharing.fetch import fetch
    from lineage.sharing.pull import join, pull

    ours = hub.first()
    theirs = hub.clone()
    remotes.add(ours, "peer", str(theirs.root))
    remotes.add(theirs, "peer", str(ours.root))
    hub.commit(ours, 1, "a")
    hub.commit(theirs, 2, "b")
    here, there = (fetch(r, remotes.find(r, "peer")) for r in (ours, theirs))
    join(ours, here)
    join(theirs, there)
    three, four = hub.commit(ours, 3, "a"), hub.commit(theirs, 4, "b")
    delete_branch(theirs, "main")
    ours_tip, theirs_tip = ours.events_log.tip(), theirs.events_log.tip()
    pulled = pull(ours, remotes.find(ours, "peer"))

    assert pulled.event
    bases = hub.git("merge-base", "--all", ours_tip, theirs_tip, where=ours.root)
    assert len(bases.split()) == 2
    assert ours.branches() == {"a": three.id, "b": four.id}
    sound(ours)


@pytest.mark.parametrize("spent", [False, True])
def test_a_pull_is_undone(*, spent: bool, hub: Hub, sound: Sound) -> None:
    """Our names are back, renamed tags too; redo brings theirs again."""
    ours = hub.first()
    theirs = hub.clone()
    one, two = hub.commit(ours, 1), hub.commit(theirs, 2)
    set_tag(ours, "v1", one.id)
    set_tag(theirs, "v1", two.id)
    if spent:
        delete_tag(theirs, "v1")
    before = ours.branches(), ours.tags()
    pulled = hub.exchange(theirs, ours)
    after = ours.branches(), ours.tags()
    assert before != after

    assert undo(ours, pulled.event).undone.type == "pull"
    assert (ours.branches(), ours.tags()) == before
    redo(ours)
    assert (ours.branches(), ours.tags()) == after
    undo(ours)
    sound(ours)
    hub.push(ours)
    hub.pull(theirs)
    sound(theirs)


def test_an_undone_pull_moves_no_protected_branch_back(hub: Hub) -> None:
    """What came forward by a pull stays, once it is protected."""
    ours = hub.first()
    theirs = hub.clone()
    protect_branch(ours, "main")
    made = hub.commit(theirs, 2)
    hub.exchange(theirs, ours)
    with pytest.raises(NotAllowed, match="main is protected"):
        undo(ours)
    assert ours.branches()["main"] == made.id

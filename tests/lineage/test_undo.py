"""Undo: every move of names can be taken back, wholly or not at all."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lineage.errors import LineageError, NotAllowed, NotFound, UsageError
from lineage.names_ops import (
    delete_branch,
    delete_tag,
    protect_branch,
    rename_branch,
    set_branch,
    set_tag,
    unprotect_branch,
)
from lineage.store.git_objects import parse_tree
from lineage.store.views import Move, Target
from lineage.undo import redo, undo

if TYPE_CHECKING:
    from collections.abc import Callable

    from lineage import Registry

    Sound = Callable[[Registry], None]


def view(registry: Registry) -> dict[str, Any]:
    """Give the trees of all names but the spent ones, which an undo adds to."""
    tree = registry.git.blob(f"{registry.events_log.tip()}:view")
    spaces = parse_tree(tree) if tree else {}
    return {space: entry.oid for space, entry in spaces.items() if space != "spent"}


def newest(registry: Registry) -> str:
    return next(iter(registry.events()))[0]


def config(registry: Registry, number: int, branch: str | None = None) -> str:
    return registry.commit("config", "c", params={"x": number}, branch=branch).id


NAMES = st.sampled_from(["a", "b", "a/b"])
STEPS = st.one_of(
    st.tuples(st.just("commit"), st.integers(0, 3), NAMES),
    st.tuples(st.just("part"), st.integers(0, 3), NAMES),
    st.tuples(st.just("branch"), NAMES, NAMES),
    st.tuples(st.just("rename"), NAMES, NAMES),
    st.tuples(st.just("delete"), NAMES),
    st.tuples(st.just("tag"), NAMES, NAMES),
    st.tuples(st.just("untag"), NAMES),
    st.tuples(st.just("protect"), NAMES),
    st.tuples(st.just("unprotect"), NAMES),
    st.tuples(st.just("drop")),
    st.tuples(st.just("undo")),
)


def do(registry: Registry, step: tuple[Any, ...], example: int) -> None:
    """Take a step; one that makes no sense is refused and moves nothing."""
    kind, *args = (f"{example}{x}" if x in ("a", "b", "a/b") else x for x in step)
    actions: dict[Any, Callable[..., object]] = {
        "commit": lambda n, branch: config(registry, n, branch),
        "part": lambda n, name: registry.commit(
            "config", "c", params={"x": n}, ref=f"runs/{name}/part"
        ),
        "branch": lambda name, rev: set_branch(registry, name, rev, force=True),
        "rename": lambda old, new: rename_branch(registry, old, new),
        "delete": lambda name: delete_branch(registry, name),
        "tag": lambda name, branch: set_tag(registry, name, branch),
        "untag": lambda name: delete_tag(registry, name),
        "protect": lambda name: protect_branch(registry, name),
        "unprotect": lambda name: unprotect_branch(registry, name),
        "drop": lambda: registry.drop_runs(f"{example}a/"),
        "undo": lambda: undo(registry),
    }
    with suppress(LineageError):
        actions[kind](*args)


@given(steps=st.lists(STEPS, min_size=2, max_size=12))
@settings(max_examples=25, suppress_health_check=list(HealthCheck))
def test_undone_in_reverse_every_view_comes_back(
    repo: Registry, steps: list[tuple[Any, ...]]
) -> None:
    """Whatever moved, undoing each event gives every earlier view again.

    But for a protected branch, which does not go back: then nothing moves at all.
    """
    example, views = len(list(repo.events())), {}
    for step in steps:
        before, was = repo.events_log.tip(), view(repo)
        do(repo, step, example)
        logged = next(repo.events_log.iterate())
        if logged.git != before and logged.event.refs:
            views[logged.event.id] = was
    for event, was in reversed(views.items()):
        present = repo.events_log.tip()
        if not undone(repo, event):
            assert repo.events_log.tip() == present
            break
        assert view(repo) == was


def undone(registry: Registry, event: str) -> bool:
    """Whether protection let an event be undone."""
    try:
        undo(registry, event)
    except NotAllowed as error:
        if "is protected" not in str(error):
            raise
        return False
    return True


def test_undo_goes_further_back_and_redo_comes_again(repo: Registry) -> None:
    """Undo after undo goes back, redo after redo comes again, to both ends."""
    states = [view(repo)]
    for number in range(3):
        config(repo, number)
        repo.attest("note")
        states.append(view(repo))
    for expected in (states[2], states[1], states[0]):
        undo(repo)
        assert view(repo) == expected
    with pytest.raises(NotFound, match="nothing to undo"):
        undo(repo)
    redo(repo)
    redo(repo)
    assert view(repo) == states[2]
    undo(repo)
    assert view(repo) == states[1]
    for expected in (states[2], states[3]):
        redo(repo)
        assert view(repo) == expected
    with pytest.raises(NotFound, match="nothing to redo"):
        redo(repo)


def test_redo_ends_where_something_new_moved(repo: Registry) -> None:
    """What was undone before another move is brought back by its name only."""
    config(repo, 1)
    taken = undo(repo)
    set_tag(repo, "v1", taken.undone.refs[0].after or "")
    with pytest.raises(NotFound, match="nothing to redo"):
        redo(repo)
    undo(repo, taken.event)
    assert "config/c" in repo.branches()


def test_what_has_moved_since_is_named_and_nothing_changes(repo: Registry) -> None:
    """Of several names one that moved is enough: the later event is named."""
    first, second = config(repo, 1), config(repo, 2)
    targets = [Target(id_, repo.git_oid(id_)) for id_ in (first, second)]
    repo.move("branch", [Move("heads/a", None, targets[0])])
    both = [Move("heads/a", targets[0], targets[1]), Move("heads/b", None, targets[1])]
    repo.move("branch", both)
    event = newest(repo)
    set_branch(repo, "b", first, force=True)
    later = newest(repo)
    tip = repo.events_log.tip()

    with pytest.raises(
        NotAllowed, match=rf"event {later[:8]} .branch. moved the branch b later"
    ) as caught:
        undo(repo, event)
    assert caught.value.hint.startswith(
        f"`lineage undo {later[:8]}` first; it is by Ada"
    )
    assert repo.events_log.tip() == tip

    undo(repo, later)
    undo(repo, event)
    assert (repo.branches()["a"], "b" in repo.branches()) == (first, False)


def test_what_is_in_the_way_leads_back(repo: Registry) -> None:
    """Whoever does what the hints say, again and again, comes to the event's undo.

    An undo that is in the way has left older moves standing: these are named.
    """
    for number in range(4):
        config(repo, number)
    events = [id_ for id_, _ in repo.events()]
    undo(repo)
    redo(repo)
    undo(repo)
    asked = []
    while "config/c" in repo.branches():
        try:
            undo(repo, events[3])
        except NotAllowed as error:
            asked.append(error.hint.split("`")[1].removeprefix("lineage undo "))
            undo(repo, asked[-1])
    assert asked == [events[1][:8], events[2][:8]]


def test_an_event_is_undone_once(repo: Registry) -> None:
    """Undone again, it names the undo to take back, also where the names would fit."""
    first, second = config(repo, 1), config(repo, 2)
    set_branch(repo, "b", first)
    event = newest(repo)
    taken = undo(repo, event)
    set_branch(repo, "b", first)
    with pytest.raises(NotAllowed, match="is undone already") as caught:
        undo(repo, event)
    assert taken.event[:8] in caught.value.hint
    assert second in repo.branches().values()


def test_a_tag_that_was_undone_is_spent(repo: Registry) -> None:
    """Its name cannot mean something else; redo gives it its own commit again."""
    first, second = config(repo, 1), config(repo, 2)
    set_tag(repo, "v1", first)
    undo(repo)
    assert repo.tags() == {}
    with pytest.raises(NotAllowed, match="v1 was a tag once"):
        set_tag(repo, "v1", second)
    redo(repo)
    assert repo.tags() == {"v1": first}
    assert repo.names("spent") == {}
    delete_tag(repo, "v1")
    undo(repo)
    assert repo.tags() == {"v1": first}


def test_head_follows(repo: Registry) -> None:
    """HEAD is the branch that is back, and never one that is gone."""
    config(repo, 1)
    set_branch(repo, "b")
    undo(repo)
    assert repo.head == "config/c"
    rename_branch(repo, "config/c", "d")
    undo(repo)
    assert (repo.head, list(repo.branches())) == ("config/c", ["config/c"])


@pytest.mark.parametrize("type_", ["init", "review", "gate", "attest"])
def test_what_moved_no_name_is_not_undone(repo: Registry, type_: str) -> None:
    """It says so, and what to do instead."""
    id_ = newest(repo) if type_ == "init" else repo.attest(type_)
    with pytest.raises(NotAllowed, match=rf"\({type_}\) moved no name") as caught:
        undo(repo, id_)
    assert caught.value.hint


def test_no_event_is_not_the_newest(repo: Registry) -> None:
    """An empty word, as of a variable that was not set, takes nothing back."""
    first = config(repo, 1)
    with pytest.raises(UsageError, match="'' is not the id of an event"):
        undo(repo, "")
    assert repo.branches() == {"config/c": first}


def test_the_tip_that_was_left_stays_reachable(repo: Registry, sound: Sound) -> None:
    """After an undo and git's own gc, redo finds the commit as it was."""
    config(repo, 1)
    second = config(repo, 2)
    undo(repo)
    repo.git.run("gc", "--prune=now", "--quiet")
    redo(repo)
    assert repo.branches() == {"config/c": second}
    sound(repo)


def test_a_dry_run_writes_nothing(repo: Registry) -> None:
    """It gives the moves that an undo would make, and refuses what that would."""
    config(repo, 1)
    tip = repo.events_log.tip()
    tried = undo(repo, dry_run=True)
    assert (tried.event, repo.events_log.tip()) == ("", tip)
    assert tried.moves == undo(repo).moves


def test_a_protected_branch_only_moves_forward(repo: Registry) -> None:
    """Whoever writes: no deletion, renaming, force, undo or loop gets past it."""
    first, second = config(repo, 1, "b"), config(repo, 2, "b")
    stranger = config(repo, 9, "other")
    protect_branch(repo, "b")
    ends = [Target(id_, repo.git_oid(id_)) for id_ in (second, first, stranger)]
    for refused in (
        lambda: delete_branch(repo, "b"),
        lambda: rename_branch(repo, "b", "c"),
        lambda: set_branch(repo, "b", first, force=True),
        lambda: set_branch(repo, "b", "other", force=True),
        lambda: repo.move("pull", [Move("heads/b", ends[0], ends[2])]),
        lambda: repo.commit("config", "c", params={"x": 5}, branch="b", revise=False),
    ):
        tip = repo.events_log.tip()
        with pytest.raises(NotAllowed, match="the branch b is protected"):
            refused()
        assert repo.events_log.tip() == tip
    third = config(repo, 3, "b")
    with pytest.raises(NotAllowed, match="the branch b is protected"):
        undo(repo)
    assert repo.branches()["b"] == third
    unprotect_branch(repo, "b")
    undo(repo)
    assert (repo.branches()["b"], list(repo.names("protected"))) == (third, ["b"])
    with pytest.raises(NotFound, match="no branch x is protected"):
        unprotect_branch(repo, "x")


def test_no_writer_moves_a_tag(repo: Registry) -> None:
    """Nor lets it go unspent, nor makes its spent name mean something else."""
    first, second = config(repo, 1), config(repo, 2)
    one, two = (Target(id_, repo.git_oid(id_)) for id_ in (first, second))
    set_tag(repo, "v1", first)
    set_tag(repo, "old", first)
    delete_tag(repo, "old")
    for moves in (
        [Move("tags/v1", one, two)],
        [Move("tags/v1", one, None)],
        [Move("tags/old", None, one)],
        [Move("spent/old", one, None)],
        [Move("spent/old", one, None), Move("tags/old", None, two)],
    ):
        with pytest.raises(NotAllowed):
            repo.move("tag", moves)
    assert repo.tags() == {"v1": first}

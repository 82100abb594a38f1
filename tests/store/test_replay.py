"""The log from its beginning: what was forged, moved or cut off is found."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from lineage.names_ops import (
    delete_tag,
    protect_branch,
    rename_branch,
    set_branch,
    set_tag,
)
from lineage.store import names
from lineage.store.events import now
from lineage.store.git_objects import GitObject, TreeEntry, parse_tree, tree
from lineage.store.objects import Event, RefChange
from lineage.store.views import Move, Target
from lineage.undo import undo
from lineage.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable

    from lineage import Registry

    Run = Any
    Change = Callable[[bytes], bytes]

ZERO = "0" * 64


def config(registry: Registry, number: int) -> Target:
    made = registry.commit("config", "c", params={"x": number})
    return Target(made.id, made.git)


def put(registry: Registry, *objects: GitObject) -> None:
    """Make the last of `objects` the newest event, as whoever can write refs can."""
    registry.git.write(objects)
    registry.git.run("update-ref", names.EVENTS, objects[-1].oid)


def newest(registry: Registry) -> GitObject:
    found = registry.git.read(names.EVENTS)
    assert found
    return found[1]


def found(registry: Registry, run: Run) -> list[str]:
    """What verify says of the log; the command's exit code is that of a problem.

    That it is not the log that this clone knew, which it says too, is not counted.
    """
    assert run("verify").exit_code == 3
    said = [problem.what for problem in verify(registry).problems]
    return [what for what in said if not what.startswith("the log has lost")]


NOT_NAMED = "the event does not name the one that its git commit comes after"
NOT_THERE = "the event moves a name from where it was not"
NOT_THE_ONE = "its git commit is not the one that follows from the events"


def test_every_change_of_names_can_be_replayed(repo: Registry) -> None:
    """Branches, tags, parts and statements of a real log follow from each other."""
    one, two = config(repo, 1), config(repo, 2)
    set_branch(repo, "b", one.id)
    set_branch(repo, "b", two.id, force=True)
    rename_branch(repo, "b", "ä/%2F")
    set_tag(repo, "v1", one.id)
    delete_tag(repo, "v1")
    repo.commit("config", "c", params={"x": 3}, ref="runs/l/1/config")
    repo.drop_runs("l/")
    repo.attest("note\nof two lines", message="\0")

    assert verify(repo).problems == []


@pytest.mark.parametrize("space", ["heads", "tags"])
def test_a_forged_view_is_found(space: str, repo: Registry, run: Run) -> None:
    """A name put where no event moved it, though every event is as it was."""
    one, _ = config(repo, 1), config(repo, 2)
    _, bucket, name = names.view_path(f"{space}/config/c")
    leaves = tree({name: TreeEntry("160000", one.git)})
    buckets = tree({bucket: TreeEntry("40000", leaves.oid)})
    view = tree({space: TreeEntry("40000", buckets.oid)})
    root = parse_tree(repo.git.blob(f"{names.EVENTS}^{{tree}}") or b"")
    top = tree({**root, "view": TreeEntry("40000", view.oid)})
    forged = newest(repo).data.replace(newest(repo).data[5:45], top.oid.encode())
    put(repo, leaves, buckets, view, top, GitObject("commit", forged))
    if space == "heads":
        assert repo.branches() == {"config/c": one.id}  # what every reader believes

    assert found(repo, run) == [NOT_THE_ONE]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda data: re.sub(rb"parent .{40}\n", b"", data), [NOT_NAMED]),
        (lambda data: re.sub(rb"(author .*> )\d+", rb"\g<1>7", data), [NOT_THE_ONE]),
        (lambda data: data.replace(b"\n\n", b"\nencoding x\n\n", 1), [NOT_THE_ONE]),
        (lambda data: re.sub(rb"(Lineage-Event: ).", rb"\1x", data), [NOT_THE_ONE]),
    ],
)
def test_another_git_commit_of_an_event_is_found(
    change: Change, expected: list[str], repo: Registry, run: Run
) -> None:
    """A log that was cut off, and headers or trailers that do not belong to it."""
    config(repo, 1)
    put(repo, GitObject("commit", change(newest(repo).data)))

    assert found(repo, run) == expected


def test_a_shallow_log_is_found(repo: Registry, run: Run) -> None:
    """Git can be made to hide where a log begins."""
    config(repo, 1)
    tip = str(repo.events_log.tip())
    (repo.git.common / "shallow").write_text(f"{tip}\n", encoding="utf-8")

    assert found(repo, run) == ["the events before it are missing"]


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ([(ZERO, "one")], "moves a name to or from 000000000000, which no event br"),
        ([("one", "one")], NOT_THERE),
        ([(None, "one")], NOT_THERE),
        ([("two", "two")], NOT_THE_ONE),
        ([("two", None)], NOT_THE_ONE),
        ([], NOT_THE_ONE),
    ],
)
def test_an_event_that_says_something_else_is_found(
    said: list[tuple[str | None, str | None]], expected: str, repo: Registry, run: Run
) -> None:
    """It moves a branch back, and tells of another move, or of none."""
    one, two = config(repo, 1), config(repo, 2)
    ids = {"one": one.id, "two": two.id}
    refs = [
        RefChange("heads/config/c", *(id_ and ids.get(id_, id_) for id_ in pair))
        for pair in said
    ]
    prev = (next(iter(repo.events()))[0],)
    event = Event("branch", now(), repo.actor(), prev=prev, refs=tuple(refs))
    move = Move("heads/config/c", two, one)
    put(repo, *repo.events_log.objects(event, [move], [repo.events_log.tip() or ""]))
    assert repo.branches() == {"config/c": one.id}

    [what] = found(repo, run)
    assert expected in what


def test_a_commit_has_one_git_commit(repo: Registry, run: Run) -> None:
    """A later event cannot put something else in the place of a commit."""
    one, two = config(repo, 1), config(repo, 2)
    event = Event("import", now(), repo.actor(), commits=((one.id, two.git),))
    with repo.events_log.locked() as lock:
        repo.record(event, lock=lock)

    assert found(repo, run) == [f"the event gives {one.id[:12]} another git commit"]
    assert repo.git_oid(one.id) == one.git


def forge(
    registry: Registry, moves: list[Move], type_: str = "branch", **data: str
) -> None:
    """Append an event that moves names, past all that would refuse it."""
    event = Event(
        type_,
        now(),
        registry.actor(),
        prev=(next(iter(registry.events()))[0],),
        refs=tuple(move.change() for move in moves),
        data=data,
    )
    tip = registry.events_log.tip()
    put(registry, *registry.events_log.objects(event, moves, [tip or ""]))


@pytest.mark.parametrize(
    ("names_", "expected"),
    [
        ([("tags/v1", 1, 2)], "the tag v1 names"),
        ([("tags/v1", 1, None)], "cannot go without spending"),
        ([("tags/old", None, 1)], "old was a tag once"),
        ([("spent/old", 1, None)], "can only be a tag of its commit again"),
        ([("heads/config/c", 2, 1)], "config/c is protected: it only moves forward"),
        ([("heads/config/c", 2, None)], "config/c is protected: it is not deleted"),
    ],
)
def test_an_event_that_does_what_no_writer_may_is_found(
    names_: list[tuple[str, int | None, int | None]],
    expected: str,
    repo: Registry,
    run: Run,
) -> None:
    """A tag that moves, a spent name in use, a protected branch that goes back."""
    one, two = config(repo, 1), config(repo, 2)
    at = {None: None, 1: one, 2: two}
    for name in ("v1", "old"):
        set_tag(repo, name, one.id)
    delete_tag(repo, "old")
    protect_branch(repo, "config/c")
    assert verify(repo).problems == []

    forge(repo, [Move(ref, at[old], at[new]) for ref, old, new in names_])

    [what] = found(repo, run)
    assert what.startswith("the event does what must not be: ")
    assert expected in what


def test_an_undo_that_takes_back_something_else_is_found(
    repo: Registry, run: Run
) -> None:
    """Its moves are those of the event that it names, which is before it."""
    one, two = config(repo, 1), config(repo, 2)
    newest_ = next(iter(repo.events()))[0]
    undo(repo)
    undo(repo, next(iter(repo.events()))[0])
    assert verify(repo).problems == []

    forge(repo, [Move("heads/config/c", two, None)], "undo", undoes=newest_)
    forge(repo, [Move("heads/config/c", None, one)], "undo", undoes=ZERO)

    assert found(repo, run) == [
        "the event does not take back what it says",
        "the event undoes one that is not before it",
    ]

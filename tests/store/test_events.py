"""The append-only log: what is recorded, what names it leaves, how it heals."""

from __future__ import annotations

from contextlib import closing
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

import lineage
from lineage.errors import Conflict, StoreError
from lineage.names_ops import set_tag
from lineage.store import names
from lineage.store.events import now
from lineage.store.objects import Event
from lineage.store.views import Move, Target
from lineage.verify import verify
from tests.tools import git

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lineage import Registry

    Sound = Callable[[Registry], None]


def config(registry: Registry, number: int, branch: str | None = None) -> Target:
    made = registry.commit("config", "c", params={"x": number}, branch=branch)
    return Target(made.id, made.git)


def refs(root: Path) -> dict[str, str]:
    listed = git(
        root, "for-each-ref", "--format=%(refname) %(objectname)", "refs/lineage"
    )
    return dict(line.split() for line in listed.splitlines())


def test_events_are_a_chain(repo: Registry) -> None:
    """Each event names the SHA-256 of the one before it."""
    for number in range(3):
        config(repo, number)
    events = list(repo.events())

    assert [event.type for _, event in events] == ["commit"] * 3 + ["init"]
    for (_, newer), (older_id, _) in pairwise(events):
        assert newer.prev == (older_id,)
    assert events[-1][1].prev == ()


def test_an_event_says_what_moved(repo: Registry) -> None:
    """Names with their ids before and after, and the commits that came with it."""
    one, two = config(repo, 1, "b"), config(repo, 2, "b")
    newest = next(iter(repo.events()))[1]

    assert newest.refs == (("heads/b", one.id, two.id),)
    assert newest.commits == (tuple(two),)
    assert newest.subject == two.id


def test_iterate_since_gives_what_is_new(repo: Registry) -> None:
    """Few or many events after a known one, newest first; none after the newest."""
    log = repo.events_log
    tips = [log.tip()]
    for _ in range(40):
        repo.attest("note")
        tips.append(log.tip())
    for since in (0, 5, 20, 39, 40):
        newer = [logged.git for logged in log.iterate(since=tips[since])]
        assert newer == tips[:since:-1]
    assert len(list(log.iterate())) == 41


def test_the_view_of_any_event_can_be_read(repo: Registry) -> None:
    """Names as of an event stay readable after they moved or went."""
    one = config(repo, 1, "b")
    then = repo.events_log.tip()
    two = config(repo, 2, "b")
    repo.move("branch", [Move("heads/b", two, None, kept=True)])

    assert repo.events_log.names("heads", at=then) == {"b": one.git}
    assert repo.events_log.lookup("heads/b", at=then) == one.git
    assert repo.events_log.names("heads") == {}


def test_a_name_moves_only_from_where_it_is(repo: Registry, sound: Sound) -> None:
    """A move that begins elsewhere is a Conflict, and no other move happens either."""
    one, two = config(repo, 1, "b"), config(repo, 2, "b")
    before = refs(repo.root)
    for wrong in (
        Move("heads/b", one, None),
        Move("heads/b", None, one),
        Move("heads/none", two, None),
        Move("tags/t", one, two),
    ):
        word = "tag t" if wrong.ref == "tags/t" else f"branch {wrong.ref[6:]}"
        with pytest.raises(Conflict, match=f"^somebody moved the {word} meanw") as told:
            repo.move("branch", [Move("heads/new", None, one), wrong])
        assert told.value.hint == "run the command again"
        assert refs(repo.root) == before
    sound(repo)


def test_names_live_side_by_side(repo: Registry) -> None:
    """`a`, `a/b`, `a.lock`, `%61` and 300 others do not disturb each other."""
    target = config(repo, 1)
    names = ["a", "a/b", "a.lock", "%61", "A", "ä", *map(str, range(300))]
    repo.move("branch", [Move(f"heads/{name}", None, target) for name in names])

    assert repo.events_log.names("heads") == dict.fromkeys(
        sorted([*names, "config/c"]), target.git
    )
    repo.move("branch", [Move("heads/a", target, None, kept=True)])
    assert repo.events_log.lookup("heads/a") is None
    assert repo.events_log.lookup("heads/a/b") == target.git


@pytest.mark.parametrize(
    "message", ["a\0b", "a\nb\n\nc", "\x1b[31m", "<a@b>", " ", "é" * 999]
)
def test_any_message_makes_a_git_commit_that_fsck_likes(
    message: str, repo: Registry, sound: Sound
) -> None:
    """The message is kept to the letter; git's copy of it is one clean line."""
    repo.attest("note", message=message)

    assert next(iter(repo.events()))[1].message == message
    title = git(repo.root, "log", "-1", "--format=%s", "refs/lineage/events").rstrip(
        "\n"
    )
    assert title.startswith("note")
    assert title.isprintable()
    sound(repo)


@pytest.mark.parametrize("name", ["", "A <b> C", "a\nb", "...", " ", "Ünï çødé", "\0"])
def test_any_actor_makes_a_git_commit_that_fsck_likes(
    name: str, repo: Registry, sound: Sound
) -> None:
    """Names that git cannot hold are cleaned in git's copy alone."""
    actor = {"name": name, "email": f"{name}@example.com"}
    with repo.events_log.locked() as lock:
        repo.record(Event("note", now(), actor), lock=lock)

    assert next(iter(repo.events()))[1].actor == actor
    sound(repo)


def test_mirror_refs_follow_the_view(repo: Registry) -> None:
    """Git sees each name as a ref, and what nothing else keeps in the attic."""
    one, other = config(repo, 1, "b"), config(repo, 2, "other")
    repo.move("branch", [Move("heads/b", one, other)])
    found = refs(repo.root)

    assert found.pop("refs/lineage/events") == repo.events_log.tip()
    assert found == {
        "refs/lineage/heads/b": other.git,
        "refs/lineage/heads/other": other.git,
        f"refs/lineage/attic/{one.git}": one.git,
    }


def test_the_next_writer_makes_mirror_refs_what_the_view_says(repo: Registry) -> None:
    """Refs that a crash, or a person, moved, made or lost are put right again."""
    one, two = config(repo, 1, "b"), config(repo, 2, "b")
    expected = refs(repo.root)
    git(repo.root, "update-ref", "refs/lineage/heads/b", one.git)
    git(repo.root, "update-ref", "refs/lineage/runs/extra", one.git)
    git(repo.root, "update-ref", "-d", "refs/lineage/heads/config%2Fc")
    (repo.home / "rolled").unlink()
    assert repo.branches() == {"b": two.id}
    repo.attest("note")

    assert {**refs(repo.root), "refs/lineage/events": ""} == {
        **expected, "refs/lineage/events": ""
    }  # fmt: skip


def test_an_event_that_did_not_happen_is_not_seen(repo: Registry, sound: Sound) -> None:
    """Objects and mirror refs without their event are as if they were not there."""
    one = config(repo, 1)
    tip = repo.events_log.tip()
    two = config(repo, 2)
    git(repo.root, "update-ref", "refs/lineage/events", str(tip))
    (repo.home / "rolled").unlink()  # as it is while an event is written
    with closing(lineage.open(repo.root)) as again:
        assert again.branches() == {"config/c": one.id}
        assert not again.ids.find(two.id)
        assert config(again, 2) == two
        sound(again)


def test_a_broken_chain_is_noticed(repo: Registry) -> None:
    """An event that names another predecessor is a problem that verify finds."""
    config(repo, 1)
    parent = str(repo.events_log.tip())
    event = Event("note", now(), repo.actor(), prev=("0" * 64,))
    made = repo.events_log.objects(event, [], [parent])
    repo.git.write(made)
    git(repo.root, "update-ref", "refs/lineage/events", made[-1].oid)

    [problem] = verify(repo).problems
    assert "does not name the one that its git commit comes after" in problem.what


@pytest.mark.parametrize(
    ("lost", "asked"),
    [("view/heads", "branches"), ("view/tags/{bucket}", "tags"), ("", "branches")],
)
def test_names_do_not_vanish_with_an_object(
    repo: Registry, lost: str, asked: str
) -> None:
    """What cannot be read is said; nothing is written on top, and no mirror leaves."""
    made = repo.commit("config", "c", params={"x": 1})
    set_tag(repo, "v1", made.id)
    bucket = names.view_path("tags/v1")[1]
    path = f":{lost.format(bucket=bucket)}" if lost else ""
    oid = repo.git.run("rev-parse", f"{names.EVENTS}{path}").decode().strip()
    (repo.git.common / "objects" / oid[:2] / oid[2:]).unlink()
    (repo.home / "rolled").unlink()
    refs = repo.git.common / "refs" / "lineage"
    before = {path: path.read_bytes() for path in refs.rglob("*") if path.is_file()}
    with closing(lineage.open(repo.root)) as again:
        with pytest.raises(StoreError, match="missing or damaged"):
            getattr(again, asked)()
        with pytest.raises(StoreError, match="missing"):
            again.commit("config", "d", params={"x": 2})
        assert verify(again).problems
    after = {path: path.read_bytes() for path in refs.rglob("*") if path.is_file()}
    assert after == before


@pytest.mark.parametrize("text", ["", "\0" * 41, "garbage"])
def test_a_damaged_event_ref_is_said(repo: Registry, text: str) -> None:
    """A power cut may leave it empty or full of zeros; that is no empty registry."""
    (repo.git.common / names.EVENTS).write_text(text)
    with pytest.raises(StoreError, match="refs/lineage/events is damaged"):
        lineage.open(repo.root)

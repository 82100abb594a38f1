"""A remote that lies is refused with the reason, and nothing of ours changes."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest

import lineage
from lineage.errors import NotAllowed, NotFound, StoreError, VerificationError
from lineage.names_ops import set_tag
from lineage.sharing import remotes
from lineage.sharing.clone import clone
from lineage.store import names
from lineage.store.events import now
from lineage.store.git_objects import GitObject, TreeEntry, tree
from lineage.store.objects import Event
from lineage.store.views import Move, Target

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lineage.registry import Registry

    Hub = Any
    Lie = Callable[[Hub, Registry], None]


def add_event(
    hub: Hub,
    theirs: Registry,
    type_: str = "import",
    *,
    said: Sequence[Move] = (),
    done: Sequence[Move] = (),
    brings: Sequence[Target] = (),
    beside: Sequence[str] = (),
    data: dict[str, Any] | None = None,
) -> None:
    """Put an event at the hub as whoever keeps it can: it does what it does not say."""
    log, parents = theirs.events_log, [hub.refs()[names.EVENTS], *beside]
    event = Event(
        type_,
        now(),
        theirs.actor(),
        prev=tuple(log.event(oid).id for oid in parents),
        refs=tuple(move.change() for move in said),
        commits=tuple(brings),
        data=data or {},
    )
    made = log.objects(event, done, parents)
    theirs.git.write(made)
    specs = [f"{made[-1].oid}:{names.EVENTS}"]
    specs += [f"{one.git}:refs/lineage/attic/{one.git}" for one in brings]
    hub.git("push", "--quiet", str(hub.path), *specs, where=theirs.root)


def forged_view(hub: Hub, theirs: Registry) -> None:
    one, two = hub.commit(theirs, 1), hub.commit(theirs, 2)
    hub.push(theirs)
    add_event(hub, theirs, done=[Move("heads/main", two, one)])


def wrong_move(hub: Hub, theirs: Registry) -> None:
    one = hub.commit(theirs, 1)
    hub.push(theirs)
    add_event(hub, theirs, said=[Move("heads/x", one, None)])


def moved_tag(hub: Hub, theirs: Registry) -> None:
    one, two = hub.commit(theirs, 1), hub.commit(theirs, 2)
    set_tag(theirs, "v1", one.id)
    hub.push(theirs)
    move = [Move("tags/v1", one, two)]
    add_event(hub, theirs, "tag", said=move, done=move)


def wrong_id(hub: Hub, theirs: Registry) -> None:
    one = hub.commit(theirs, 1)
    add_event(hub, theirs, brings=[Target("0" * 64, one.git)])


def another_commit(hub: Hub, theirs: Registry) -> None:
    known = theirs.names("heads")["main"]
    one = hub.commit(theirs, 1)
    add_event(hub, theirs, brings=[Target(known.id, one.git)])


def wrong_commit(hub: Hub, theirs: Registry) -> None:
    one = hub.commit(theirs, 1, "x")
    data = theirs.git.read(one.git)[1].data  # type: ignore[index]
    other = GitObject("commit", data.replace(b" 0 +0000", b" 1 +0000"))
    theirs.git.write([other])
    add_event(hub, theirs, brings=[Target(one.id, other.oid)])


def orphan(hub: Hub, theirs: Registry) -> None:
    hub.commit(theirs, 1)
    add_event(hub, theirs, brings=[hub.commit(theirs, 2)])


def forged_meeting(hub: Hub, theirs: Registry) -> None:
    one = hub.commit(theirs, 1)
    hub.push(theirs)
    more = [Move("heads/x", None, one)]
    before = hub.git("rev-parse", f"{names.EVENTS}~")
    data = {"remote": "origin"}
    add_event(hub, theirs, "pull", said=more, done=more, beside=[before], data=data)


def no_meeting(hub: Hub, theirs: Registry) -> None:
    before = hub.git("rev-parse", f"{names.EVENTS}~")
    add_event(hub, theirs, beside=[before])


def two_beginnings(hub: Hub, theirs: Registry) -> None:
    event = Event("init", now(), theirs.actor())
    made = theirs.events_log.objects(event, [], [])
    theirs.git.write(made)
    data = {"remote": "origin"}
    add_event(hub, theirs, "pull", beside=[made[-1].oid], data=data)


def withheld(hub: Hub, theirs: Registry) -> None:
    before = hub.refs()["refs/lineage/heads/main"]
    hub.commit(theirs, 1)
    hub.push(theirs)
    hub.git("update-ref", "refs/lineage/heads/main", before)


def rewound(hub: Hub, _: Registry) -> None:
    hub.git("update-ref", names.EVENTS, f"{names.EVENTS}~")


def replaced(hub: Hub, _: Registry) -> None:
    with lineage.init(hub.folder / "other") as other:
        spec = f"+{names.EVENTS}:{names.EVENTS}"
        hub.git("push", "--quiet", str(hub.path), spec, where=other.root)


def no_event(hub: Hub, theirs: Registry) -> None:
    made = GitObject("blob", b"{}")
    top = tree({"event.json": TreeEntry("100644", made.oid)})
    theirs.git.write([made, top])
    words = ("commit-tree", top.oid, "-p", names.EVENTS, "-m", "x")
    spec = f"{hub.git(*words, where=theirs.root)}:{names.EVENTS}"
    hub.git("push", "--quiet", str(hub.path), spec, where=theirs.root)


@pytest.mark.parametrize(
    ("lie", "reason"),
    [
        (forged_view, "its git commit is not the one that follows from the events"),
        (wrong_move, "the event moves a name from where it was not"),
        (moved_tag, "does what must not be: the tag v1 names"),
        (wrong_id, "its manifest does not have the SHA-256 of its id"),
        (another_commit, "another git commit"),
        (wrong_commit, "its git commit is not the one that its manifest determines"),
        (orphan, "which no event brought"),
        (forged_meeting, "do not follow from the two logs"),
        (no_meeting, "is not one in which two logs meet"),
        (two_beginnings, "the event comes after none, but is not the first"),
        (withheld, "origin does not send the commit"),
        (rewound, "origin no longer has the event"),
        (replaced, "origin no longer has the event"),
        (no_event, "an event has the schema None"),
    ],
)
def test_a_lie_is_refused(lie: Lie, reason: str, hub: Hub) -> None:
    """The log, its commits and its past are held against what they say."""
    ours = hub.first()
    theirs = hub.clone()
    hub.commit(ours, 9, "mine")
    before = hub.refs(ours.root)
    lie(hub, theirs)

    with pytest.raises(VerificationError) as caught:
        hub.pull(ours)
    assert reason in str(caught.value)
    assert caught.value.hint
    assert hub.refs(ours.root) == before


def test_what_is_here_by_chance_is_not_sent(hub: Hub) -> None:
    """A withheld commit whose objects nothing keeps would go with the next gc."""
    ours = hub.first()
    theirs = hub.clone()
    withheld(hub, theirs)
    source = (str(theirs.root), "refs/lineage/heads/main")
    hub.git("fetch", "--quiet", "--no-write-fetch-head", *source, where=ours.root)

    with pytest.raises(VerificationError, match="origin does not send the commit"):
        hub.pull(ours)


@pytest.mark.parametrize("lie", [forged_view, wrong_id, wrong_commit, withheld])
def test_nothing_is_cloned_of_a_lie(lie: Lie, hub: Hub) -> None:
    """A clone that cannot be verified leaves no folder."""
    hub.first()
    lie(hub, hub.clone())

    with pytest.raises(VerificationError):
        clone(str(hub.path), hub.folder / "copy")
    assert not (hub.folder / "copy").exists()


def test_a_remote_that_was_made_anew_can_be_taken(hub: Hub) -> None:
    """Whoever knows that it was cut forgets what was there, and pushes again."""
    ours = hub.first()
    rewound(hub, ours)
    remote = remotes.remove(ours, "origin")
    remotes.add(ours, "origin", remote.url)

    assert hub.push(ours).events == 1
    assert hub.pull(ours).event is None


def test_another_registry_is_not_joined(hub: Hub) -> None:
    """Two logs without a common event stay two, in both directions."""
    hub.first()
    with lineage.init(hub.folder / "other") as other:
        remotes.add(other, "origin", str(hub.path))
        for do in (hub.pull, hub.push):
            with pytest.raises(NotAllowed, match="another registry"):
                do(other)


def test_no_registry_there(hub: Hub) -> None:
    """An empty repository, one without lineage, and none at all."""
    with lineage.init(hub.folder / "ours") as ours:
        remotes.add(ours, "origin", str(hub.path))
        with pytest.raises(NotFound, match="there is no registry at"):
            hub.pull(ours)
        with pytest.raises(NotFound, match="there is no registry at"):
            clone(str(hub.path), hub.folder / "copy")
        remotes.add(ours, "gone", str(hub.folder / "nothing"))
        with pytest.raises(StoreError, match="does not appear to be a git repository"):
            clone(str(hub.folder / "nothing"), hub.folder / "copy")
    assert not (hub.folder / "copy").exists()


def test_a_damaged_object_does_not_come(hub: Hub) -> None:
    """Git checks what it receives; the error is its own."""
    ours = hub.first()
    theirs = hub.clone()
    one = hub.commit(theirs, 1)
    hub.push(theirs)
    before = hub.refs(ours.root)
    path = hub.path / "objects" / one.git[:2] / one.git[2:]
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-4])

    with pytest.raises(StoreError, match="git fetch: "):
        hub.pull(ours)
    assert hub.refs(ours.root) == before


def test_the_hubs_own_rules_hold(hub: Hub) -> None:
    """A hook of the remote that refuses is quoted, and nothing moves there."""
    ours = hub.first()
    hub.commit(ours, 1)
    before = hub.refs()
    hook = hub.path / "hooks" / "pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\necho 'not on Fridays' >&2\nexit 1\n", encoding="utf-8")
    hook.chmod(0o755)

    with pytest.raises(StoreError, match=r"origin refused: .*not on Fridays"):
        hub.push(ours)
    assert hub.refs() == before
    fsck = ["git", "-C", str(hub.path), "fsck", "--strict"]
    assert subprocess.run(fsck, check=False, capture_output=True).returncode == 0

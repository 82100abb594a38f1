"""Many machines on one remote: whatever they do and in whatever order, nothing is lost.

SHARING_ROUNDS=50 makes a long run.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

import pytest

import lineage
from lineage.bulk import Draft, import_commits
from lineage.errors import Conflict, LineageError
from lineage.names_ops import (
    delete_branch,
    delete_tag,
    rename_branch,
    set_branch,
    set_tag,
)
from lineage.store.objects import Commit

if TYPE_CHECKING:
    from collections.abc import Callable

    from lineage.registry import Registry

    Sound = Callable[[Registry], None]
    Hub = Any

ROUNDS = int(os.environ.get("SHARING_ROUNDS", "1"))
STEPS = 40
NAMES = ("main", "a", "a/b", "main@origin")
PUSHERS = 16
LOOKS = 4  # at the past of each machine


class Machines:
    """Three registries that share a hub, and what was ever made in any of them."""

    def __init__(self, hub: Hub, seed: int) -> None:
        self.hub = hub
        self.random = random.Random(seed)  # noqa: S311
        first = hub.first()
        self.all = [first, hub.clone("second"), hub.clone("third")]
        self.commits = {record.id for record in first.ids}
        self.events = {id_ for id_, _ in first.events()}

    def step(self) -> None:
        """Let one of them do something; what it may not do, it does not."""
        registry = self.random.choice(self.all)
        does = (self.commit, self.name, self.delete, self.tag, self.pull, self.push)
        with suppress(LineageError):
            self.random.choice(does)(registry)
        self.events.add(next(registry.events())[0])

    def commit(self, registry: Registry) -> None:
        made = self.hub.commit(registry, self.random.randrange(4), self.pick(NAMES))
        self.commits.add(made.id)

    def name(self, registry: Registry) -> None:
        if self.random.random() < 0.3:
            rename_branch(registry, self.pick(registry.branches()), self.pick(NAMES))
            return
        commit = self.pick([record.id for record in sorted(registry.ids)])
        set_branch(registry, self.pick(NAMES), commit, force=True)

    def delete(self, registry: Registry) -> None:
        if self.random.random() < 0.5:
            delete_branch(registry, self.pick(registry.branches()))
        else:
            delete_tag(registry, self.pick(registry.tags()))

    def tag(self, registry: Registry) -> None:
        commit = self.pick([record.id for record in sorted(registry.ids)])
        set_tag(registry, self.pick(("v1", "v2")), commit)

    def pull(self, registry: Registry) -> None:
        self.hub.pull(registry)

    def push(self, registry: Registry) -> None:
        self.hub.push(registry)

    def pick(self, among: Any) -> str:
        options = list(among)
        if not options:
            raise LineageError("nothing to choose from")
        chosen: str = self.random.choice(options)
        return chosen

    def settle(self) -> int:
        """Let all pull and push until nobody has news; how many rounds it took."""
        for rounds in range(1, 10):
            news = False
            for registry in self.all:
                pulled = self.hub.pull(registry)
                pushed = self.hub.push(registry)
                self.events.add(next(registry.events())[0])
                news |= pulled.event is not None or pushed.events > 0
            if not news:
                return rounds
        raise AssertionError("they go on telling each other for ever")

    def look_back(self) -> None:
        """See that each machine knows, as of an own event, what it knew then.

        Of the events that brought a commit, its own comes before any other's.
        """
        for registry in self.all:
            log = registry.events_log
            own = [oid for oid, _ in log.chain()]
            first = {
                id_: oid for oid in own for id_, _ in log.event(oid).commits
            }  # the oldest stays
            assert {i: registry.ids.get(i).event for i in first} == first
            for oid in self.random.sample(own, min(LOOKS, len(own))):
                then = {i for e in log.iterate(tip=oid) for i, _ in e.event.commits}
                with lineage.open(registry.root, at=oid) as past:
                    assert {record.id for record in past.ids} == then


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_three_machines(seed: int, hub: Hub, sound: Sound) -> None:
    """All end with the same names, every commit and every event ever made."""
    machines = Machines(hub, seed)
    for _ in range(STEPS):
        machines.step()
    machines.look_back()

    assert machines.settle() <= 4
    views = [
        {space: one.events_log.names(space) for space in ("heads", "tags", "spent")}
        for one in machines.all
    ]
    assert views[0] == views[1] == views[2]
    for registry in machines.all:
        hub.git("gc", "--quiet", "--prune=now", where=registry.root)
        assert {record.id for record in registry.ids} == machines.commits
        sound(registry)
    known = [{id_ for id_, _ in registry.events()} for registry in machines.all]
    assert set.union(*known) >= machines.events
    pulls = ({i for i, e in r.events() if e.type == "pull"} for r in machines.all)
    own = set.union(*pulls)
    assert all(machines.events - own <= one for one in known)
    hub.git("gc", "--quiet", "--prune=now")
    hub.git("fsck", "--strict")
    sound(hub.clone("fourth"))


def test_sixteen_pushers(hub: Hub, sound: Sound) -> None:
    """Each either lands or is told to pull; after that all arrive, one by one."""
    first = hub.first()
    first.git.close()
    made = set()
    places = [hub.folder / f"m{number}" for number in range(PUSHERS)]
    for number, place in enumerate(places):
        shutil.copytree(first.root, place)
        with closing(lineage.open(place)) as registry:
            made.add(hub.commit(registry, 100 + number, f"own/{number}").id)

    with ThreadPoolExecutor(PUSHERS) as pool:
        landed = list(pool.map(lambda place: _push(hub, place), places))
    with closing(hub.clone("after")) as after:
        assert len(after.ids) == 1 + sum(landed)
    assert any(landed)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda place: _insist(hub, place), places))
    last = hub.clone("last")
    assert {record.id for record in last.ids} > made
    assert len(last.branches()) == PUSHERS + 1
    sound(last)


def test_a_lock_that_was_left_at_the_remote(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody is told to pull where there is nothing to pull."""
    monkeypatch.setattr("lineage.sharing.push._PAUSE", 0.01)
    ours = hub.first()
    hub.commit(ours, 1)
    lock = hub.path / "refs" / "lineage" / "events.lock"
    lock.touch()
    with pytest.raises(Conflict, match="somebody else is pushing to origin") as caught:
        hub.push(ours)
    assert "events.lock" in caught.value.hint
    lock.unlink()

    assert hub.push(ours).events == 1


def _push(hub: Hub, place: Any) -> bool:
    with closing(lineage.open(place)) as registry:
        try:
            hub.push(registry)
        except Conflict:
            return False
    return True


def _insist(hub: Hub, place: Any) -> None:
    while not _push(hub, place):
        with closing(lineage.open(place)) as registry:
            hub.pull(registry)


def test_a_clone_asks_git_no_more_for_many_commits(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process for each commit would take minutes for thousands."""
    started = []

    class Counted(subprocess.Popen):  # type: ignore[type-arg]
        def __init__(self, *args: Any, **options: Any) -> None:
            started.append(args)
            super().__init__(*args, **options)

    first = hub.first()
    monkeypatch.setattr(subprocess, "Popen", Counted)
    hub.clone("one")
    few = len(started)
    drafts = [Draft(Commit("config", "c", params={"n": n})) for n in range(50)]
    list(import_commits(first, drafts))
    hub.push(first)
    started.clear()

    assert len(hub.clone("many").ids) == 51
    assert len(started) <= few + 5

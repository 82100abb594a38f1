"""Clones, a remote and its payloads under any order of events do what a model does.

The model is a graph of events with a view each, and sets: what lies in which cache,
what was erased, what was freed. It makes the meeting of two logs anew from FORMAT.md.
MACHINE_ROUNDS=50 makes a long run.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections import Counter
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import timedelta
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

import lineage
from lineage import erase as erasing
from lineage import gc as collecting
from lineage import undo as undoing
from lineage.errors import Conflict, LineageError, NotAllowed, NotFound, StoreError
from lineage.names_ops import (
    delete_branch,
    delete_tag,
    protect_branch,
    rename_branch,
    set_branch,
    set_tag,
    unprotect_branch,
)
from lineage.sharing import payloads, remotes
from lineage.sharing.clone import clone
from lineage.sharing.fetch import fetch
from lineage.sharing.pull import pull
from lineage.sharing.push import push
from tests.packs import pack

if TYPE_CHECKING:
    from collections.abc import Callable

    from lineage import Registry

    Sound = Callable[..., None]
    View = dict[str, str]

Drawn = dict[str, dict[str, "st.SearchStrategy[Any]"]]

ROUNDS = int(os.environ.get("MACHINE_ROUNDS", "1"))
CLONES = st.integers(0, 2)
BRANCHES = st.sampled_from(["a", "b", "a/b", "a@origin"])
TAGS = st.sampled_from(["v1", "v2"])
TEXTS = st.sampled_from("ABCD")
LONG = 2000  # so often is a text in its file: more than its pack takes
NAMING: Drawn = {
    "point_branch": {"branch": BRANCHES},
    "forget_branch": {"branch": BRANCHES},
    "rename": {"old": BRANCHES, "new": BRANCHES},
    "protect": {"branch": BRANCHES, "protected": st.booleans()},
    "tag": {"tag": TAGS},
    "untag": {"tag": TAGS},
    "undo_the_newest": {},
    "undo_any": {},
}
KEEPING: Drawn = {
    "attest": {},
    "gc": {"grace": st.sampled_from([0, None])},
    "restore": {},
    "erase": {"everywhere": st.booleans()},
    "lose_what_dvc_gc_takes": {},
    "pack_all": {},
}
SHARES: Drawn = {
    "push": {"packed": st.booleans()},
    "fetch": {},
    "pull": {"everything": st.booleans()},
}
SHARING = ("exchange", "exchange", *SHARES)
SPACES = ("heads", "tags", "spent", "protected")


@dataclass(frozen=True)
class Happened:
    """An event as the model has it: what it came after, and the names after it."""

    type: str
    parents: tuple[str, ...]
    view: View
    commits: frozenset[str] = frozenset()
    erased: frozenset[str] = frozenset()
    undoes: str = ""


@dataclass
class Place:
    """A clone, and what the model knows of it."""

    registry: Registry
    tip: str
    here: set[str] = field(default_factory=set)
    trash: set[str] = field(default_factory=set)
    freed: set[str] = field(default_factory=set)


class Machine(RuleBasedStateMachine):
    """Up to three clones, a bare repository and a folder of payloads."""

    done: ClassVar[Counter[str]] = Counter()

    def __init__(self, folder: Path, sound: Sound) -> None:
        super().__init__()
        self.sound = sound
        self.stack = ExitStack()
        temporary = tempfile.TemporaryDirectory(dir=folder)
        self.folder = Path(self.stack.enter_context(temporary))
        self.events: dict[str, Happened] = {}
        self.texts: dict[str, str] = {}
        self.before: dict[str, str | None] = {}
        self.places: list[Place] = []
        self.remote = ""
        self.store: set[str] = set()
        self.made = 0  # clones

    @initialize()
    def start(self) -> None:
        self.done["runs"] += 1
        hub = self.folder / "hub.git"
        subprocess.run(["git", "init", "-q", "--bare", str(hub)], check=True)
        registry = self.stack.enter_context(lineage.init(self.folder / "first"))
        (registry.root / ".dvc" / "config").write_text(
            f"[core]\n    remote = store\n['remote \"store\"']\n"
            f"    url = {self.folder / 'store'}\n",
            encoding="utf-8",
        )
        remotes.add(registry, "origin", str(hub))
        self.places = [Place(registry, "")]
        self.happened(self.places[0], "init", {})
        self.commit(0, "a", "A")
        self.commit(0, "b", "B")
        self.push_from(0)
        self.clone(everything=True)
        self.clone(everything=False)

    def teardown(self) -> None:
        with self.stack:
            for number, place in enumerate(self.places):
                self.gc(number, None)
                self.agree_on_the_past(place)
                self.sound(place.registry, lacking=True)

    # the model

    def place(self, number: int) -> Place:
        return self.places[number % len(self.places)]

    def view(self, place: Place) -> View:
        return dict(self.events[place.tip].view)

    def known(self, tip: str) -> set[str]:
        """The events up to `tip`."""
        seen, waiting = {tip}, [tip]
        while waiting:
            new = set(self.events[waiting.pop()].parents) - seen
            seen |= new
            waiting += new
        return seen

    def commits(self, place: Place) -> set[str]:
        return set().union(*(self.events[e].commits for e in self.known(place.tip)))

    def erased(self, place: Place) -> set[str]:
        return set().union(*(self.events[e].erased for e in self.known(place.tip)))

    def chain(self, place: Place) -> list[str]:
        """The own events, newest first."""
        found = [place.tip]
        while parents := self.events[found[-1]].parents:
            found.append(parents[0])
        return found

    def moves(self, event: str) -> dict[str, tuple[str | None, str | None]]:
        """What an event changed in the view before it."""
        happened = self.events[event]
        before = self.events[happened.parents[0]].view if happened.parents else {}
        return changes(before, happened.view)

    def descends(self, id_: str | None, before: str) -> bool:
        while id_ is not None and id_ != before:
            id_ = self.before[id_]
        return id_ == before

    def some(self, data: Any, among: Any) -> Any:
        return data.draw(st.sampled_from(sorted(among)))

    def happened(
        self, place: Place, type_: str, view: View, *parents: str, **more: Any
    ) -> None:
        """One event was appended, and none was lost."""
        registry = place.registry
        log = [id_ for id_, _ in registry.events()]
        if place.tip:
            parents = (place.tip, *parents)
        assert log[0] not in self.events
        assert registry.events_log.event(registry.events_log.tip() or "").type == type_
        self.events[log[0]] = Happened(type_, parents, view, **more)
        place.tip = log[0]
        assert len(set(log)) == len(log)
        assert set(log) == self.known(place.tip)

    # what may happen

    @rule(clone=CLONES, does=st.sampled_from(sorted(NAMING)), data=st.data())
    def name(self, clone: int, does: str, data: Any) -> None:
        self.do(clone, does, NAMING, data)

    @rule(clone=CLONES, does=st.sampled_from(sorted(KEEPING)), data=st.data())
    def keep(self, clone: int, does: str, data: Any) -> None:
        self.do(clone, does, KEEPING, data)

    @rule(clone=CLONES, does=st.sampled_from(SHARING), data=st.data())
    def share(self, clone: int, does: str, data: Any) -> None:
        if does == "exchange":
            self.pull(clone, everything=False)
        self.do(clone, "push" if does == "exchange" else does, SHARES, data)

    def do(self, clone: int, does: str, drawn: Drawn, data: Any) -> None:
        args = {name: data.draw(one) for name, one in drawn[does].items()}
        if "data" in signature(getattr(self, does)).parameters:
            args["data"] = data
        getattr(self, does)(clone, **args)

    # commits and names

    @rule(clone=CLONES, branch=BRANCHES, text=TEXTS)
    def commit(self, clone: int, branch: str, text: str) -> None:
        place = self.place(clone)
        path = self.folder / "file"
        path.write_text(text * LONG, encoding="utf-8")
        if text in self.erased(place):
            with pytest.raises(NotAllowed):
                place.registry.commit("dataset", "d", path, branch=branch)
            return
        view = self.view(place)
        tip = view.get(f"heads/{branch}")
        made = place.registry.commit("dataset", "d", path, branch=branch)
        fresh = frozenset({made.id} - self.commits(place))
        if tip and self.texts[tip] == text:
            assert (made.id, made.created) == (tip, False)
        else:
            assert made.created == bool(fresh)
            assert self.texts.setdefault(made.id, text) == text
            assert self.before.setdefault(made.id, tip) == tip
        view[f"heads/{branch}"] = made.id
        self.happened(place, "commit", view, commits=fresh)
        place.here.add(text)

    def point_branch(self, clone: int, branch: str, data: Any) -> None:
        place = self.place(clone)
        if not self.commits(place):
            return
        id_, view = self.some(data, self.commits(place)), self.view(place)
        tip, ref = view.get(f"heads/{branch}"), f"protected/{branch}"
        if tip and ref in view and not self.descends(id_, tip):
            with pytest.raises(NotAllowed):
                set_branch(place.registry, branch, id_, force=True)
            return
        set_branch(place.registry, branch, id_, force=True)
        if tip != id_:
            self.happened(place, "branch", {**view, f"heads/{branch}": id_})

    def forget_branch(self, clone: int, branch: str) -> None:
        place = self.place(clone)
        view = self.view(place)
        if f"heads/{branch}" not in view or f"protected/{branch}" in view:
            with pytest.raises((NotFound, NotAllowed)):
                delete_branch(place.registry, branch)
            return
        delete_branch(place.registry, branch)
        del view[f"heads/{branch}"]
        self.happened(place, "branch", view)

    def rename(self, clone: int, old: str, new: str) -> None:
        place = self.place(clone)
        view = self.view(place)
        free = f"heads/{old}" in view and f"protected/{old}" not in view
        if not free or f"heads/{new}" in view:
            with pytest.raises(LineageError):
                rename_branch(place.registry, old, new)
            return
        rename_branch(place.registry, old, new)
        view[f"heads/{new}"] = view.pop(f"heads/{old}")
        self.happened(place, "branch", view)

    def protect(self, clone: int, branch: str, *, protected: bool) -> None:
        place = self.place(clone)
        view = self.view(place)
        ref = f"protected/{branch}"
        if protected and f"heads/{branch}" in view:
            protect_branch(place.registry, branch)
            if ref not in view:
                view[ref] = view[f"heads/{branch}"]
                self.happened(place, "protect", view)
        elif not protected and ref in view:
            unprotect_branch(place.registry, branch)
            del view[ref]
            self.happened(place, "unprotect", view)

    def tag(self, clone: int, tag: str, data: Any) -> None:
        place = self.place(clone)
        if not self.commits(place):
            return
        id_, view = self.some(data, self.commits(place)), self.view(place)
        if f"spent/{tag}" in view or view.get(f"tags/{tag}", id_) != id_:
            with pytest.raises(NotAllowed):
                set_tag(place.registry, tag, id_)
            return
        set_tag(place.registry, tag, id_)
        if f"tags/{tag}" not in view:
            self.happened(place, "tag", {**view, f"tags/{tag}": id_})

    def untag(self, clone: int, tag: str) -> None:
        place = self.place(clone)
        view = self.view(place)
        if f"tags/{tag}" in view:
            delete_tag(place.registry, tag)
            view[f"spent/{tag}"] = view.pop(f"tags/{tag}")
            self.happened(place, "tag", view)

    def attest(self, clone: int) -> None:
        place = self.place(clone)
        place.registry.attest("note", message="said")
        self.happened(place, "note", self.view(place))

    # undo

    def undo_the_newest(self, clone: int) -> None:
        place = self.place(clone)
        taken: set[str] = set()
        for event in self.chain(place):
            if event in taken or not self.moves(event):
                continue
            if self.events[event].type == "undo":
                taken.add(self.events[event].undoes)
            else:
                self.take_back(place, event, None)
                return
        with pytest.raises(NotFound):
            undoing.undo(place.registry)

    def undo_any(self, clone: int, data: Any) -> None:
        place = self.place(clone)
        event = data.draw(st.sampled_from(self.chain(place)))
        self.take_back(place, event, event)

    def take_back(self, place: Place, event: str, asked: str | None) -> None:
        """Undo an event, if its names are where it left them."""
        view, moves = self.view(place), self.moves(event)
        held = event not in self.taken(place)
        stays = all(view.get(ref) == after for ref, (_, after) in moves.items())
        try:
            undoing.undo(place.registry, asked)
        except (NotAllowed, NotFound):
            assert not (moves and held and stays) or self.guarded(view, moves)
            return
        assert moves
        assert held
        after = {ref: before for ref, (before, _) in moves.items()}
        if self.events[event].type == "pull":  # what it renamed has rules of its own
            spent = {f"spent/{ref[5:]}" for ref in moves if ref.startswith("tags/")}
            targets = {ref: place.registry.target(ref) for ref in {*moves, *spent}}
            after = {ref: target and target.id for ref, target in targets.items()}
        else:
            assert stays
            for ref, (before, _) in moves.items():
                if ref.startswith("tags/") and before is None:
                    after[f"spent/{ref[5:]}"] = view[ref]
        view = {ref: id_ for ref, id_ in {**view, **after}.items() if id_}
        self.happened(place, "undo", view, undoes=event)

    def taken(self, place: Place) -> set[str]:
        """The events that stand undone."""
        taken: set[str] = set()
        for event in self.chain(place):
            if event not in taken and self.events[event].type == "undo":
                taken.add(self.events[event].undoes)
        return taken

    def guarded(
        self, view: View, moves: dict[str, tuple[str | None, str | None]]
    ) -> bool:
        """Whether taking the moves back may be what a name must not do."""
        tags = any(ref.startswith(("tags/", "spent/")) for ref in moves)
        heads = [ref[6:] for ref in moves if ref.startswith("heads/")]
        return tags or any(f"protected/{name}" in view for name in heads)

    # bytes

    def gc(self, clone: int, grace: int | None) -> None:
        place = self.place(clone)
        collecting.gc(place.registry, grace=None if grace is None else timedelta(grace))
        place.here -= self.erased(place)
        place.trash -= self.erased(place)
        if grace is None:
            return  # all of this happened today
        view = self.view(place)
        alive: set[str] = set()
        for ref, id_ in view.items():
            while id_ and ref.startswith(("heads/", "tags/")) and id_ not in alive:
                alive.add(id_)
                id_ = self.before[id_] or ""  # noqa: PLW2901
        going = place.here - {self.texts[id_] for id_ in alive}
        losing = {i for i in self.commits(place) - alive if self.texts[i] in going}
        if losing:
            self.happened(place, "gc", view)
        place.freed |= losing
        place.here -= going
        place.trash |= going

    def restore(self, clone: int) -> None:
        place = self.place(clone)
        collecting.restore(place.registry)
        place.here |= place.trash - self.erased(place)
        place.here -= self.erased(place)
        place.trash.clear()

    def erase(self, clone: int, data: Any, *, everywhere: bool) -> None:
        place = self.place(clone)
        if not self.commits(place):
            return
        id_ = self.some(data, self.commits(place))
        text = self.texts[id_]
        plan = erasing.plan_erasure(place.registry, id_, together=True)
        erasing.erase(
            place.registry, plan, reason="wish", authority="Ada",
            remotes=["store"] if everywhere else [],
        )  # fmt: skip
        if text not in self.erased(place):
            view, erased = self.view(place), frozenset({text})
            self.happened(place, "erase", view, erased=erased)
        place.here -= self.erased(place)
        place.trash -= self.erased(place)
        if everywhere:
            self.store.discard(text)

    def pack_all(self, clone: int) -> None:
        """Each text into a pack of its own, should it be loose."""
        payloads = self.place(clone).registry.payloads
        for text in sorted(self.place(clone).here):
            if payloads.is_pinned(md5(text)):
                self.done["packs"] += 1
                pack(payloads, [md5(text)])

    def lose_what_dvc_gc_takes(self, clone: int) -> None:
        cache = self.place(clone).registry.payloads.cache
        shutil.rmtree(cache / "files", ignore_errors=True)

    # sharing

    @precondition(lambda self: self.made < 4)
    @rule(everything=st.booleans())
    def clone(self, *, everything: bool) -> None:
        """Make the third clone anew."""
        self.made += 1
        del self.places[2:]
        name = f"clone{self.made}"
        hub = str(self.folder / "hub.git")
        registry = self.stack.enter_context(clone(hub, self.folder / name))
        place = Place(registry, self.remote)
        self.places.append(place)
        assert {id_ for id_, _ in registry.events()} == self.known(place.tip)
        self.bring(place, everything=everything)

    def push(self, clone: int, *, packed: bool) -> None:
        self.push_from(clone, packed=packed)

    def push_from(self, clone: int, *, packed: bool = False) -> None:
        place = self.place(clone)
        ours, theirs = self.known(place.tip), self.remote
        at = remotes.find(place.registry)
        if theirs and theirs not in ours:
            fast = place.tip in self.known(theirs)
            view = self.view(place) if fast else self.met(place)
            new = self.known(theirs) - ours
            news = any(self.events[e].type != "pull" for e in new)
            if news or (not fast and view != self.view(place)):
                with pytest.raises(Conflict):
                    push(place.registry, at)
                return
            if fast and self.events[theirs].view == self.view(place):
                push(place.registry, at)
                return
            if fast:
                with pytest.raises(Conflict):
                    push(place.registry, at)
                return
        else:
            view = None
        self.send(place, theirs, at._replace(packed=packed), view)

    def send(self, place: Place, theirs: str, at: Any, view: View | None) -> None:
        new = self.known(place.tip) - (self.known(theirs) if theirs else set())
        sent = set().union(*(self.events[e].commits for e in new)) if new else set()
        texts = {
            self.texts[i]
            for i in sent
            if not (i in place.freed and self.texts[i] not in place.here)
        } - self.erased(place)
        if texts - place.here - self.store:
            with pytest.raises(StoreError):
                push(place.registry, at)
            reached = False
        else:
            push(place.registry, at)
            reached = True
        if view is not None:
            self.happened(place, "pull", view, theirs)
        self.store |= texts & place.here
        if reached:
            self.remote = place.tip

    def fetch(self, clone: int) -> None:
        place = self.place(clone)
        found = fetch(place.registry, remotes.find(place.registry))
        assert found.events == len(self.known(self.remote) - self.known(place.tip))

    def pull(self, clone: int, *, everything: bool) -> None:
        place = self.place(clone)
        ours, theirs = self.known(place.tip), self.remote
        new = self.known(theirs) - ours
        view = self.met(place) if new else self.view(place)
        news = any(self.events[e].type != "pull" for e in new)
        pulled = pull(place.registry, remotes.find(place.registry))
        if new and (news or view != self.view(place)):
            assert pulled.event
            self.happened(place, "pull", view, theirs)
        else:
            assert pulled.event is None
        self.bring(place, everything=everything)

    def bring(self, place: Place, *, everything: bool) -> None:
        """The payloads of all branches come, or of all commits."""
        view = self.view(place)
        heads = {id_ for ref, id_ in view.items() if ref.startswith("heads/")}
        chosen = self.commits(place) if everything else heads
        wanted = {self.texts[id_] for id_ in chosen} - self.erased(place)
        registry = place.registry
        at, choice = remotes.find(registry), payloads.Choice(everything=everything)
        if wanted - place.here - self.store:
            with pytest.raises(StoreError):
                payloads.bring(registry, at, choice)
        else:
            payloads.bring(registry, at, choice)
        place.here |= wanted & self.store

    # where two logs meet, from FORMAT.md

    def met(self, place: Place) -> View:
        ours, theirs = self.view(place), self.events[self.remote].view
        common = self.known(place.tip) & self.known(self.remote)
        bases = [
            self.events[event].view
            for event in common
            if not any(event in self.events[e].parents for e in common)
        ]
        view = dict(ours)
        refs = sorted(set().union(ours, theirs, *bases))
        twice: list[str] = []
        for space in ("protected", "heads"):
            for ref in (r for r in refs if r.startswith(f"{space}/")):
                values = [base.get(ref) for base in bases]
                guarded = space == "heads" and f"protected/{ref[6:]}" in view
                self.settle(view, ref, values, theirs.get(ref), twice, guarded=guarded)
        for name in sorted({r.partition("/")[2] for r in refs if r[0] in "ts"}):
            settle_tag(view, name, bases, ours, theirs)
        for ref in twice:
            self.keep_both(view, ref, theirs[ref])
        return view

    def settle(
        self,
        view: View,
        ref: str,
        bases: list[str | None],
        theirs: str | None,
        twice: list[str],
        *,
        guarded: bool,
    ) -> None:
        ours = view.get(ref)
        if ours == theirs:
            return
        if (ours in bases) != (theirs in bases) and not guarded:
            put(view, ref, theirs if ours in bases else ours)
        elif ours is None or theirs is None:
            put(view, ref, ours or theirs)
        elif self.descends(theirs, ours):
            view[ref] = theirs
        elif not self.descends(ours, theirs) and ref.startswith("heads/"):
            twice.append(ref)

    def keep_both(self, view: View, ref: str, theirs: str) -> None:
        stem = ref.removesuffix("@origin").rpartition("@origin.")[0] or (
            ref.removesuffix("@origin")
        )
        for number in range(1, 99):
            other = f"{stem}@origin" + (f".{number}" if number > 1 else "")
            present = view.get(other)
            if present is None or self.descends(theirs, present):
                view[other] = theirs
            elif not self.descends(present, theirs):
                continue
            return

    # what must hold

    @invariant()
    def every_clone_is_as_the_model_says(self) -> None:
        self.done["states"] += 1
        for place in self.places:
            registry, view = place.registry, self.events[place.tip].view
            names = {
                f"{space}/{name}": target.id
                for space in SPACES
                for name, target in registry.names(space).items()
            }
            assert names == view
            assert {record.id for record in registry.ids} == self.commits(place)
            has = registry.payloads
            held = {t for t in "ABCD" if has.is_pinned(md5(t)) or has.is_packed(md5(t))}
            assert held == place.here

    def agree_on_the_past(self, place: Place) -> None:
        """The registry as of each own event has the names of that time."""
        for event in self.chain(place):
            with closing(lineage.open(place.registry.root, at=event)) as then:
                for space in ("heads", "tags"):
                    told = {f"{space}/{n}": t.id for n, t in then.names(space).items()}
                    view = self.events[event].view
                    assert told == {r: i for r, i in view.items() if r in told}
                    assert len(told) == sum(r.startswith(f"{space}/") for r in view)
                known = set().union(
                    *(self.events[e].commits for e in self.known(event))
                )
                assert {record.id for record in then.ids} == known
        for id_ in self.commits(place):
            if self.texts[id_] in place.here:
                path = self.folder / f"got {id_}"
                place.registry.get(id_, path, force=True)
                assert path.read_text(encoding="utf-8") == self.texts[id_] * LONG


def changes(before: View, after: View) -> dict[str, tuple[str | None, str | None]]:
    refs = {*before, *after}
    ends = {ref: (before.get(ref), after.get(ref)) for ref in refs}
    return {ref: pair for ref, pair in ends.items() if pair[0] != pair[1]}


def put(view: View, ref: str, id_: str | None) -> None:
    view.pop(ref, None)
    if id_:
        view[ref] = id_


def tag_state(view: View, name: str) -> tuple[str, str] | None:
    for space in ("tags", "spent"):
        if f"{space}/{name}" in view:
            return space, view[f"{space}/{name}"]
    return None


def put_tag(view: View, name: str, state: tuple[str, str] | None) -> None:
    for space in ("tags", "spent"):
        put(view, f"{space}/{name}", state[1] if state and state[0] == space else None)


def settle_tag(
    view: View, name: str, bases: list[View], our_view: View, their_view: View
) -> None:
    before = [tag_state(base, name) for base in bases]
    ours, theirs = tag_state(our_view, name), tag_state(their_view, name)
    if ours == theirs:
        return
    if (ours in before) != (theirs in before):
        put_tag(view, name, theirs if ours in before else ours)
    elif ours is None or theirs is None:
        put_tag(view, name, ours or theirs)
    elif ours[1] == theirs[1]:
        put_tag(view, name, ("spent", ours[1]))
    else:
        put_tag(view, name, theirs)
        for digits in range(8, 65):
            other = f"{name}@{ours[1][:digits]}"
            if tag_state(view, other) is None or tag_state(view, other) == ours:
                put_tag(view, other, ours)
                return


def md5(text: str) -> str:
    return hashlib.md5((text * LONG).encode(), usedforsecurity=False).hexdigest()


def test_clones_and_their_remote_do_what_the_model_does(
    tmp_path: Path, sound: Sound
) -> None:
    """Whatever is shared, taken back, freed and erased where, nothing is lost."""
    run_state_machine_as_test(
        lambda: Machine(tmp_path, sound),  # type: ignore[arg-type]
        settings=settings(
            max_examples=2 * ROUNDS,
            stateful_step_count=30,
            suppress_health_check=list(HealthCheck),
            deadline=None,
        ),
    )
    print(f"\n{dict(Machine.done)}")  # noqa: T201 - shown with -s

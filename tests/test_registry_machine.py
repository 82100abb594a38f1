"""A registry under any order of events does what a few Python dictionaries do.

MACHINE_ROUNDS=50 makes a long run.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections import Counter
from contextlib import ExitStack, closing
from dataclasses import dataclass
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
from lineage import Edge
from lineage.errors import NotAllowed, UsageError
from lineage.history import walk
from lineage.names_ops import (
    delete_branch,
    delete_tag,
    rename_branch,
    set_branch,
    set_tag,
)
from lineage.packing.packer import pack
from lineage.packing.unpacking import unpack
from lineage.store.objects import ROLES

if TYPE_CHECKING:
    from collections.abc import Callable

    from lineage import Registry

    Sound = Callable[[Registry], None]

ROUNDS = int(os.environ.get("MACHINE_ROUNDS", "1"))
BRANCHES = st.sampled_from(["main", "ä b", "a", "a/b", "%41", "x.lock"])
SAID = st.tuples(
    st.sampled_from(["dataset", "model", "config"]),
    st.sampled_from(["", "A", "B", None]),
    st.sampled_from(["1", "2"]),
)
EDGE_ROLES = st.sampled_from(sorted(set(ROLES) - {"follows", "revises"}))
HANDLES = st.integers(0, 1)
NO_DESCENT = {"evaluated_on", "configured_by", "revises"}
HOPS = {"generated_by", "distilled_from"}


@dataclass(frozen=True)
class Draft:
    """What somebody commits: all that the id depends on, but the predecessor."""

    kind: str
    name: str
    text: str | None
    params: str | None
    edges: frozenset[tuple[str, str]]

    @property
    def succession(self) -> str:
        return "follows" if self.kind == "generation" else "revises"


class Machine(RuleBasedStateMachine):
    """Two handles on one registry beside the model of it."""

    done: ClassVar[Counter[str]] = Counter()

    def __init__(self, folder: Path, sound: Sound) -> None:
        super().__init__()
        self.sound = sound
        self.stack = ExitStack()
        temporary = tempfile.TemporaryDirectory(dir=folder)
        self.root = Path(self.stack.enter_context(temporary)) / "repo"
        self.drafts: dict[str, Draft] = {}
        self.before: dict[str, str | None] = {}
        self.ids: dict[tuple[Draft, str | None], str] = {}
        self.heads: dict[str, str] = {}
        self.tags: dict[str, str] = {}
        self.spent: set[str] = set()
        self.runs: set[str] = set()
        self.events = ["init"]
        self.handles: list[Registry] = []

    @initialize()
    def start(self) -> None:
        self.done["runs"] += 1
        self.handles = [lineage.init(self.root), lineage.open(self.root)]

    def teardown(self) -> None:
        with self.stack:
            for registry in self.handles:
                self.stack.push(closing(registry))
            for registry in self.handles[:1]:
                self.agree_on_everything(registry)
                self.sound(registry)

    # commits

    @rule(handle=HANDLES, branch=BRANCHES, said=SAID, data=st.data())
    def commit(
        self, handle: int, branch: str, said: tuple[str, str | None, str], data: Any
    ) -> None:
        kind, text, params = said
        draft = Draft(kind, "thing", text, params, self.some_edges(data))
        self.record(handle, draft, branch)

    @precondition(lambda self: self.drafts)
    @rule(handle=HANDLES, branch=BRANCHES, data=st.data())
    def commit_generation(self, handle: int, branch: str, data: Any) -> None:
        parts = data.draw(st.sets(st.sampled_from(sorted(self.drafts)), min_size=1))
        edges = frozenset(("includes", id_) for id_ in parts)
        self.record(handle, Draft("generation", "loop", None, None, edges), branch)

    @precondition(lambda self: self.heads)
    @rule(handle=HANDLES, data=st.data())
    def commit_again(self, handle: int, data: Any) -> None:
        branch = data.draw(st.sampled_from(sorted(self.heads)))
        self.record(handle, self.drafts[self.heads[branch]], branch)

    @precondition(lambda self: self.heads)
    @rule(handle=HANDLES, data=st.data())
    def commit_what_was_there_before(self, handle: int, data: Any) -> None:
        """A, B, A: a third commit."""
        branch = data.draw(st.sampled_from(sorted(self.heads)))
        before = self.before[self.heads[branch]]
        if before:
            self.record(handle, self.drafts[before], branch)

    @rule(handle=HANDLES, part=st.sampled_from("abc"), params=st.sampled_from("12"))
    def commit_part(self, handle: int, part: str, params: str) -> None:
        draft = Draft("config", "part", None, params, frozenset())
        registry = self.handles[handle]
        ref = f"runs/loop/{part}"
        made = registry.commit(
            "config", "part", params={"p": params}, ref=ref, revise=False
        )
        self.learn(draft, None, made.id, created=made.created)
        self.runs.add(f"loop/{part}")
        self.events.append("commit")

    @rule(handle=HANDLES)
    def drop_parts(self, handle: int) -> None:
        self.handles[handle].drop_runs("loop/")
        self.events += ["drop"] if self.runs else []
        self.runs.clear()

    def some_edges(self, data: Any) -> frozenset[tuple[str, str]]:
        if not self.drafts:
            return frozenset()
        ids = st.sampled_from(sorted(self.drafts))
        drawn: frozenset[tuple[str, str]] = data.draw(
            st.frozensets(st.tuples(EDGE_ROLES, ids), max_size=3)
        )
        return drawn

    def record(self, handle: int, draft: Draft, branch: str) -> None:
        path = self.root / "file"
        if draft.text is not None:
            path.write_text(draft.text, encoding="utf-8")
        made = self.handles[handle].commit(
            draft.kind,
            draft.name,
            None if draft.text is None else path,
            params={"p": draft.params} if draft.params else None,
            edges=[Edge(role, id_) for role, id_ in draft.edges],
            branch=branch,
        )
        self.events.append("commit")
        tip = self.heads.get(branch)
        if tip and self.drafts[tip] == draft:
            assert (made.id, made.created) == (tip, False)
        else:
            self.learn(draft, tip, made.id, created=made.created)
            self.heads[branch] = made.id

    def learn(
        self, draft: Draft, before: str | None, id_: str, *, created: bool
    ) -> None:
        """Same content and predecessor, same id; anything else, another id."""
        assert created == ((draft, before) not in self.ids)
        assert self.ids.setdefault((draft, before), id_) == id_
        assert self.drafts.setdefault(id_, draft) == draft
        assert self.before.setdefault(id_, before) == before

    # names and statements

    @precondition(lambda self: self.drafts)
    @rule(handle=HANDLES, branch=BRANCHES, force=st.booleans(), data=st.data())
    def point_branch(self, handle: int, branch: str, force: bool, data: Any) -> None:  # noqa: FBT001
        id_ = data.draw(st.sampled_from(sorted(self.drafts)))
        if branch in self.heads and not force:
            with pytest.raises(UsageError):
                set_branch(self.handles[handle], branch, id_)
            return
        set_branch(self.handles[handle], branch, id_, force=force)
        self.events += ["branch"] if self.heads.get(branch) != id_ else []
        self.heads[branch] = id_

    @precondition(lambda self: self.heads)
    @rule(handle=HANDLES, data=st.data())
    def forget_branch(self, handle: int, data: Any) -> None:
        branch = data.draw(st.sampled_from(sorted(self.heads)))
        assert delete_branch(self.handles[handle], branch) == self.heads.pop(branch)
        self.events.append("branch")

    @precondition(lambda self: self.heads)
    @rule(handle=HANDLES, new=BRANCHES, data=st.data())
    def rename(self, handle: int, new: str, data: Any) -> None:
        old = data.draw(st.sampled_from(sorted(self.heads)))
        if new in self.heads:
            with pytest.raises(UsageError):
                rename_branch(self.handles[handle], old, new)
            return
        rename_branch(self.handles[handle], old, new)
        self.heads[new] = self.heads.pop(old)
        self.events.append("branch")

    @precondition(lambda self: self.drafts)
    @rule(handle=HANDLES, tag=st.sampled_from(["v1", "v2", "a/b"]), data=st.data())
    def tag(self, handle: int, tag: str, data: Any) -> None:
        id_ = data.draw(st.sampled_from(sorted(self.drafts)))
        if tag in self.spent or self.tags.get(tag, id_) != id_:
            with pytest.raises(NotAllowed):
                set_tag(self.handles[handle], tag, id_)
            return
        set_tag(self.handles[handle], tag, id_)
        self.events += ["tag"] if tag not in self.tags else []
        self.tags[tag] = id_

    @precondition(lambda self: self.tags)
    @rule(handle=HANDLES, data=st.data())
    def untag(self, handle: int, data: Any) -> None:
        tag = data.draw(st.sampled_from(sorted(self.tags)))
        assert delete_tag(self.handles[handle], tag) == self.tags.pop(tag)
        self.spent.add(tag)
        self.events.append("tag")

    @rule(handle=HANDLES)
    def attest(self, handle: int) -> None:
        self.handles[handle].attest("review", message="fine", data={"verdict": "pass"})
        self.events.append("review")

    # what happens to a registry

    @rule(handle=HANDLES)
    def reopen(self, handle: int) -> None:
        self.handles[handle].close()
        self.handles[handle] = lineage.open(self.root)

    @rule(lost=st.sets(st.sampled_from(["ids", "ids.tail", "rolled", "hashes.sqlite"])))
    def lose_derived_files(self, lost: set[str]) -> None:
        for name in lost:
            (self.handles[0].home / name).unlink(missing_ok=True)

    @rule()
    def lose_what_dvc_gc_takes(self) -> None:
        shutil.rmtree(self.root / ".dvc" / "cache" / "files", ignore_errors=True)

    @rule()
    def git_gc(self) -> None:
        subprocess.run(
            ["git", "gc", "--quiet", "--prune=now"], cwd=self.root, check=True
        )

    @rule(handle=HANDLES, revset=st.sampled_from([None, "all()"]))
    def pack(self, handle: int, revset: str | None) -> None:
        pack(self.handles[handle], revset)

    @rule(handle=HANDLES)
    def unpack(self, handle: int) -> None:
        unpack(self.handles[handle])

    # what must hold

    @invariant()
    def both_handles_agree_with_the_model(self) -> None:
        self.done["states"] += 1
        for registry in self.handles:
            assert registry.branches() == self.heads
            assert registry.tags() == self.tags
            assert set(registry.names("runs")) == self.runs
            assert {record.id for record in registry.ids} == set(self.drafts)

    def agree_on_everything(self, registry: Registry) -> None:
        assert [e.type for _, e in registry.events()] == self.events[::-1]
        seen: set[str] = set()
        for entry in walk(registry, self.drafts):
            draft, before = self.drafts[entry.id], self.before[entry.id]
            edges = {(edge.role, edge.id) for edge in entry.commit.edges}
            follow = {(draft.succession, before)} if before else set()
            assert (entry.commit.kind, entry.commit.name) == (draft.kind, draft.name)
            assert edges == draft.edges | follow
            assert not seen & {id_ for _, id_ in edges}
            assert entry.generation == self.generation(registry, entry.id)
            assert set(entry.branches) == {
                b for b, i in self.heads.items() if i == entry.id
            }
            assert set(entry.tags) == {t for t, i in self.tags.items() if i == entry.id}
            if draft.text is not None:
                path = registry.get(entry.id, self.root.parent / entry.id)
                assert path.read_text(encoding="utf-8") == draft.text
            seen.add(entry.id)
        assert seen == set(self.drafts)

    def generation(self, registry: Registry, id_: str) -> int:
        draft, before = self.drafts[id_], self.before[id_]
        edges = {*draft.edges, *([(draft.succession, before)] if before else [])}
        return max(
            (
                self.generation(registry, parent) + (role in HOPS)
                for role, parent in edges
                if role not in NO_DESCENT
            ),
            default=0,
        )


def test_a_registry_does_what_its_model_does(tmp_path: Path, sound: Sound) -> None:
    """Whatever is committed, named, lost and reopened, both handles see the model."""
    run_state_machine_as_test(
        lambda: Machine(tmp_path, sound),  # type: ignore[arg-type]
        settings=settings(
            max_examples=10 * ROUNDS,
            stateful_step_count=25,
            suppress_health_check=list(HealthCheck),
            deadline=None,
        ),
    )
    print(f"\n{dict(Machine.done)}")  # noqa: T201 - shown with -s

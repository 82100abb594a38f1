"""Recording many commits at once: one event and one pack of git objects per batch.

What comes out is what as many calls of `Registry.commit` would have made: ids, git
commits and ``HEAD`` included; only the log is shorter. A batch is there whole or not
at all.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from lineage.draft import check_substance, default_branch, joined
from lineage.errors import UsageError
from lineage.recording import says_the_same
from lineage.registry import Registry
from lineage.store import names
from lineage.store.disk import disk_errors
from lineage.store.events import now
from lineage.store.files import FileEntry
from lineage.store.git_objects import GitObject
from lineage.store.objects import Commit, Edge, Event
from lineage.store.projection import project
from lineage.store.views import Move, Target

BATCH = 1000  # commits; whoever asks who recorded one of them reads them all
_PACKS = 50  # until git joins them


@dataclass(frozen=True, slots=True)
class Draft:
    """A commit to record on `branch`, by default the one that `Registry.commit` takes.

    It revises, or follows, the branch's tip unless `revise` is False; on the branch ""
    it has no name, as a part that others name. `entries` are the files that its
    payload sums up; their bytes are the caller's to keep.
    """

    commit: Commit
    entries: tuple[FileEntry, ...] = ()
    branch: str | None = None
    revise: bool = True


class Imported(NamedTuple):
    """A batch that is recorded: its event, and the id of each draft's commit."""

    event: str
    ids: list[str]
    created: int


def import_commits(
    registry: Registry,
    drafts: Iterable[Draft],
    *,
    message: str = "",
    batch: int = BATCH,
) -> Iterator[Imported]:
    """Record `drafts` in their order, `batch` at a time, as the caller goes on.

    An edge may lead to any commit that is here or came before in `drafts`.

    Raises:
        UsageError: for a draft that cannot be recorded; its batch is not.
        NotFound: when an edge leads to a commit that is not here.
        StoreError: when the disk fails.
    """
    remaining = iter(drafts)
    batches = iter(lambda: list(islice(remaining, batch)), [])
    for number, chosen in enumerate(batches, 1):
        registry.keep([entry for draft in chosen for entry in _stored(draft)])
        with disk_errors("importing commits"), registry.events_log.locked() as lock:
            made = _Batch(registry)
            ids = [made.add(draft) for draft in chosen]
            commits = tuple(made.created.values())
            event = Event("import", now(), registry.actor(), message, commits=commits)
            registry.ids.written = made.edges
            moves, objects = made.moves(), made.objects.values()
            logged = registry.record(
                event, moves, objects, lock=lock, alone=made.alone()
            )
            registry.ids.written = {}
            if made.branch:
                registry.set_head(made.branch)
        if number % _PACKS == 0:
            registry.git.maintain()  # many packs slow every git down that starts
        yield Imported(logged.event.id, ids, len(commits))
    registry.git.maintain()


def _stored(draft: Draft) -> tuple[FileEntry, ...]:
    """The files whose bytes are kept with a commit."""
    return draft.entries if draft.commit.stored else ()


@dataclass(slots=True)
class _Tip:
    """Where a branch was before the batch, and where it is by now."""

    before: Target | None
    commit: Commit | None
    now: Target | None
    kept: bool = True


@dataclass(slots=True)
class _Batch:
    """What is made of one batch before any of it is written."""

    registry: Registry
    objects: dict[str, GitObject] = field(default_factory=dict)
    created: dict[str, Target] = field(default_factory=dict)
    edges: dict[str, tuple[Edge, ...]] = field(default_factory=dict)
    branch: str = ""  # of the newest draft that has one
    _left: set[str] = field(default_factory=set)
    _named: set[str] = field(default_factory=set)
    _tips: dict[str, _Tip] = field(default_factory=dict)
    _gits: dict[str, str] = field(default_factory=dict)

    def add(self, draft: Draft) -> str:
        """Make one commit and move its branch; returns the commit's id."""
        _check(draft)
        given = draft.commit
        if draft.branch == "":
            self._made(given, list(draft.entries))
            self._left.add(given.id)
            return given.id
        branch = draft.branch or default_branch(given.kind, given.name)
        self.branch = branch
        tip = self._tip(names.check(branch, "branch"))
        if tip.commit and says_the_same(given, tip.commit):
            return tip.commit.id
        commit = joined(given, tip.now, revise=draft.revise)
        target = Target(commit.id, self._made(commit, list(draft.entries)))
        if tip.now and tip.now.id not in commit.ids():
            tip.kept = False
            self._left.add(tip.now.id)
        tip.commit, tip.now = commit, target
        return commit.id

    def alone(self) -> list[str]:
        """The git oids of the commits of this batch that nothing else may reach."""
        reached = {tip.now.id for tip in self._tips.values() if tip.now} | self._named
        alone = (self._left - reached) & self.created.keys()
        return [self.created[id_].git for id_ in alone]

    def moves(self) -> list[Move]:
        """From where each branch was to where it is."""
        return [
            Move(f"heads/{name}", tip.before, tip.now, tip.kept)
            for name, tip in self._tips.items()
            if tip.before != tip.now
        ]

    def _tip(self, branch: str) -> _Tip:
        if branch not in self._tips:
            at = self.registry.target(f"heads/{branch}")
            present = self.registry.load(at.id) if at else None
            self._tips[branch] = _Tip(at, present, at)
        return self._tips[branch]

    def _made(self, commit: Commit, entries: list[FileEntry]) -> str:
        """The git commit; its objects are kept unless they are here already."""
        if commit.id in self.created:
            return self.created[commit.id].git
        oid, objects = project(commit, entries, self._parents(commit))
        if commit.id not in self.registry.ids:
            self.objects.update((item.oid, item) for item in objects)
            self.created[commit.id] = Target(commit.id, oid)
            self.edges[commit.id] = commit.edges
        self._named.update(commit.ids())
        self._gits[commit.id] = oid
        return oid

    def _parents(self, commit: Commit) -> dict[str, str]:
        for id_ in commit.ids():
            if id_ not in self._gits:
                self._gits[id_] = self.registry.git_oid(id_)
        return self._gits


def _check(draft: Draft) -> None:
    """Refuse what `Registry.commit` refuses, and files that the payload is not of."""
    commit, entries = draft.commit, list(draft.entries)
    names.check(commit.name)
    payload = commit.payload
    check_substance(commit, files=payload is not None)
    Commit.parse(commit.manifest)
    if not (payload.sums_up(entries) if payload else not entries):
        raise UsageError(f"the payload of {commit.name} is not that of its files")

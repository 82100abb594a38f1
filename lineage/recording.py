"""Putting a commit on its branch: under the lock, where the branch is by then.

The payload is stored by now. What is left is short: see whether the tip says the
same already, make the git objects, move the name and append the event.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from lineage.draft import check_substance, joined
from lineage.store.disk import disk_errors
from lineage.store.events import now
from lineage.store.files import FileEntry
from lineage.store.objects import BACK, Commit, Event
from lineage.store.views import Move, Target, moved_meanwhile
from lineage.unfetched import arrived

if TYPE_CHECKING:
    from lineage.repository import Repository


class Committed(NamedTuple):
    """What `Registry.commit` made: `created` is False when it was there already.

    `event` is the id of the event that says so.
    """

    id: str
    git: str
    kind: str
    name: str
    branch: str | None
    created: bool
    event: str


def check(registry: "Repository", draft: Commit, event: Event, *, files: bool) -> None:
    """Refuse a commit that cannot be recorded, before any of its files is read.

    Raises:
        UsageError: for what says nothing, or has no canonical form.
        NotFound: when an edge leads to a commit that is not here.
        StoreError, NotAllowed: when it could not be signed.
    """
    check_substance(draft, files=files)
    _ = event.encoded, Commit.parse(draft.manifest)
    _ = [registry.git_oid(id_) for id_ in draft.ids()]
    registry.signer.ready()


def put(
    registry: "Repository",
    draft: Commit,
    entries: list[FileEntry],
    event: Event,
    place: str,
    *,
    revise: bool,
    expect: str | None,
) -> Committed:
    """Record `draft` and move the name `place` to it (see `Registry.commit`).

    Raises:
        Conflict: when the name is not at the id `expect`.
    """
    event = replace(event, time=now())
    with disk_errors("recording the commit"), registry.events_log.locked() as lock:
        tip = registry.target(place)
        if expect is not None and expect != (tip.id if tip else ""):
            raise moved_meanwhile(place, tip and tip.id)
        present = registry.load(tip.id) if tip else None
        same = present if present and says_the_same(draft, present) else None
        commit = same or joined(draft, tip, revise=revise)
        return _record(
            registry, commit, entries, Move(place, tip, None), event, lock=lock
        )


def _record(
    registry: "Repository",
    commit: Commit,
    entries: list[FileEntry],
    move: Move,
    event: Event,
    *,
    lock: int,
) -> Committed:
    """Make the objects, move the name to them, append the event."""
    from lineage.store.projection import project

    tip = move.before
    same = tip is not None and tip.id == commit.id
    gits = {id_: registry.git_oid(id_) for id_ in commit.ids()}
    oid, objects = (tip.git, []) if tip and same else project(commit, entries, gits)
    target = Target(commit.id, oid)
    kept = tip is None or tip.id in commit.ids()
    moves = [] if same else [move._replace(after=target, kept=kept)]
    created = commit.id not in registry.ids
    commits = (target,) if created else ()
    if not created:
        arrived(registry, [commit.id])
    event = replace(event, subject=commit.id, commits=commits)
    objects = objects if created else []
    logged = registry.record(event, moves, objects, lock=lock)
    space, _, name = move.ref.partition("/")
    branch = name if space == "heads" else None
    if branch:
        registry.set_head(branch)
    return Committed(
        target.id,
        target.git,
        commit.kind,
        commit.name,
        branch,
        created and bool(moves),
        logged.event.id,
    )


def says_the_same(draft: Commit, present: Commit) -> bool:
    """Whether `draft` says nothing that the tip of its branch does not say."""
    if (draft.params, draft.payload) != (present.params, present.payload):
        return False
    if replace(present).manifest != present.manifest:
        return False  # it holds fields that this version cannot compare
    unsaid = [role for role in BACK if not draft.ids(role)]
    said = [present, *(present.without(role) for role in unsaid)]
    return draft.manifest in [commit.manifest for commit in said]

"""Commits in the making: who makes them, where they go, whether they say much."""

import os
from dataclasses import replace
from pathlib import Path

from lineage.errors import UsageError
from lineage.store import names
from lineage.store.events import EventLog
from lineage.store.git import identity
from lineage.store.objects import Commit, Edge
from lineage.store.views import Target


def actor(start: Path) -> dict[str, str]:
    """Who acts at `start`: git's user.name and user.email, else login name and host.

    A user without a name, as in a container, is called by number.
    """
    import pwd
    import socket

    who = identity(start)
    if not who.get("name"):
        try:
            who["name"] = pwd.getpwuid(os.getuid()).pw_name
        except KeyError:
            who["name"] = f"uid-{os.getuid()}"
    if not who.get("email"):
        who["email"] = f"{who['name']}@{socket.gethostname()}"
    return {"name": who["name"], "email": who["email"]}


def default_branch(kind: str, name: str) -> str:
    return f"{'loop' if kind == 'generation' else kind}/{name}"


def place_of(kind: str, name: str, branch: str | None, ref: str | None = None) -> str:
    """Where a commit goes: ``heads/BRANCH``, by default its own, or `ref`.

    Raises:
        UsageError: when one of the names cannot be one.
    """
    names.check(name)
    branch = default_branch(kind, name) if branch is None else branch
    place = ref or f"heads/{branch}"
    names.check(place.partition("/")[2], "branch")
    return place


def joined(draft: Commit, tip: Target | None, *, revise: bool) -> Commit:
    """`draft` with the edge that makes it the successor of its branch's tip."""
    role = "follows" if draft.kind == "generation" else "revises"
    if tip is None or not revise or draft.ids(role):
        return draft
    evidence = "observed" if role == "follows" else "declared"
    return replace(draft, edges=(*draft.edges, Edge(role, tip.id, evidence)))


def check_substance(draft: Commit, *, files: bool) -> None:
    """A commit says something: it has files, parts, parameters or a place elsewhere."""
    if draft.kind != "generation" and draft.ids("follows"):
        raise UsageError("only a generation follows another commit")
    if draft.kind == "generation" and files:
        raise UsageError(
            "a generation has no files of its own",
            hint="commit them as a dataset or model and add --includes",
        )
    if not (files or draft.external or draft.params or draft.edges):
        hint = "give a PATH, --external URI, parameters or edges"
        raise UsageError(f"the {draft.kind} {draft.name} would be empty", hint=hint)


def shown(path: Path, root: Path) -> str:
    """A path as events hold it: relative to the root where it lies inside."""
    return str(path.relative_to(root) if path.is_relative_to(root) else path)


def last_moved(log: EventLog) -> str | None:
    """The branch that the newest event to move one moved, of those that are there.

    A pull moves many and is no step of anybody's work: it does not count.
    """
    for oid, _ in log.chain():
        event = log.event(oid)
        moved = [change.ref for change in event.refs if change.after]
        for ref in moved if event.type != "pull" else ():
            if ref.startswith("heads/") and log.lookup(ref):
                return ref.removeprefix("heads/")
    return None

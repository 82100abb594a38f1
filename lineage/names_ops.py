"""Making, moving and deleting branches and tags.

A branch is a name that moves, a protected one only forward; a tag never does, and the
name of a deleted tag is spent: nothing else may ever be called so. The log itself
sees to that, for all writers (`lineage.store.guards`). Every change is one event.
"""

from lineage.errors import NotFound, UsageError
from lineage.registry import Registry
from lineage.store import names
from lineage.store.disk import disk_errors
from lineage.store.events import now
from lineage.store.objects import Event
from lineage.store.views import Move, Target, moved_meanwhile


def set_branch(
    registry: Registry,
    name: str,
    revision: str = "HEAD",
    *,
    force: bool = False,
    expect: str | None = None,
    message: str = "",
) -> str:
    """Make the branch `name` at `revision` (move it, with `force`); returns the id.

    `expect` is the id that it must have by then ("": no such branch).

    Raises:
        UsageError: when the name cannot be one, or is taken and not `force`.
        Moved: when it has not the id `expect`.
    """
    names.check(name, "branch")
    target = _target(registry, revision)
    with disk_errors("making the branch"), registry.events_log.locked() as lock:
        present = registry.target(f"heads/{name}")
        _check_expected(f"heads/{name}", present, expect)
        if present and not force:
            hint = f"move it with `lineage branch --force {name} {revision}`"
            raise UsageError(f"the branch {name} exists already", hint=hint)
        moves = [Move(f"heads/{name}", present, target)] if present != target else []
        told = message or (f"moved from {present.id[:12]}" if present else "")
        _record(registry, "branch", moves, told, lock)
        registry.set_head(name)
    return target.id


def delete_branch(
    registry: Registry, name: str, *, expect: str | None = None, message: str = ""
) -> str:
    """Delete a branch; its commits stay until gc. Returns the id that it had.

    Raises:
        NotFound: when there is none.
        Moved: when it has not the id `expect`.
    """
    with disk_errors("deleting the branch"), registry.events_log.locked() as lock:
        present = _present(registry, name)
        _check_expected(f"heads/{name}", present, expect)
        move = Move(f"heads/{name}", present, None)
        _record(registry, "branch", [move], message or "deleted", lock)
    return present.id


def rename_branch(registry: Registry, old: str, new: str) -> str:
    """Give the branch `old` the name `new`, which must be free; returns its id."""
    names.check(new, "branch")
    with disk_errors("renaming the branch"), registry.events_log.locked() as lock:
        present = _present(registry, old)
        if registry.target(f"heads/{new}"):
            hint = f"delete it first with `lineage branch -d {new}`"
            raise UsageError(f"the branch {new} exists already", hint=hint)
        moves = [
            Move(f"heads/{old}", present, None, kept=True),
            Move(f"heads/{new}", None, present),
        ]
        _record(registry, "branch", moves, f"{old} is now {new}", lock)
        if registry.head == old:
            registry.set_head(new)
    return present.id


def protect_branch(registry: Registry, name: str, *, message: str = "") -> str:
    """Let a branch only move forward from now on; returns the id of its tip.

    It is then neither deleted, renamed nor moved to a commit that did not come from
    its tip, by any writer, until somebody lets it go.
    """
    with disk_errors("protecting the branch"), registry.events_log.locked() as lock:
        present = _present(registry, name)
        taken = registry.target(f"protected/{name}")
        moves = [] if taken else [Move(f"protected/{name}", None, present)]
        _record(registry, "protect", moves, message, lock)
    return present.id


def unprotect_branch(registry: Registry, name: str, *, message: str = "") -> None:
    """Let a protected branch move freely again.

    Raises:
        NotFound: when no branch of that name is protected.
    """
    ref = f"protected/{name}"
    with disk_errors("letting the branch go"), registry.events_log.locked() as lock:
        present = registry.target(ref)
        if present is None:
            hint = "`lineage branch` says which are"
            raise NotFound(f"no branch {name} is protected", hint=hint)
        move = Move(
            ref, present, None, kept=registry.target(f"heads/{name}") == present
        )
        _record(registry, "unprotect", [move], message, lock)


def set_tag(
    registry: Registry, name: str, revision: str = "HEAD", *, message: str = ""
) -> str:
    """Tag `revision` for ever; returns its id.

    Raises:
        NotAllowed: when the name is, or ever was, a tag of another commit.
    """
    names.check(name, "tag")
    target = _target(registry, revision)
    with disk_errors("tagging"), registry.events_log.locked() as lock:
        present = registry.target(f"tags/{name}")
        moves = [Move(f"tags/{name}", present, target)] if present != target else []
        _record(registry, "tag", moves, message, lock, subject=target.id)
    return target.id


def delete_tag(
    registry: Registry, name: str, *, expect: str | None = None, message: str = ""
) -> str:
    """Delete a tag and spend its name; returns the id that it named.

    Raises:
        NotFound: when there is none.
        Moved: when it does not name the id `expect`.
    """
    with disk_errors("deleting the tag"), registry.events_log.locked() as lock:
        present = registry.target(f"tags/{name}")
        if present is None:
            raise NotFound(f"there is no tag {name}", hint="`lineage tag` lists them")
        _check_expected(f"tags/{name}", present, expect)
        moves = [
            Move(f"tags/{name}", present, None, kept=True),
            Move(f"spent/{name}", None, present),
        ]
        _record(registry, "tag", moves, message or "deleted", lock, subject=present.id)
    return present.id


def _target(registry: Registry, revision: str) -> Target:
    id_ = registry.resolve(revision)
    return Target(id_, registry.git_oid(id_))


def _present(registry: Registry, name: str) -> Target:
    present = registry.target(f"heads/{name}")
    if present is None:
        raise NotFound(f"there is no branch {name}", hint="`lineage branch` lists them")
    return present


def _check_expected(ref: str, present: Target | None, expect: str | None) -> None:
    current = present.id if present else None
    if expect is not None and expect != (current or ""):
        raise moved_meanwhile(ref, current)


def _record(
    registry: Registry,
    type_: str,
    moves: list[Move],
    message: str,
    lock: int,
    *,
    subject: str | None = None,
) -> None:
    if moves:
        event = Event(type_, now(), registry.actor(), message, subject=subject)
        registry.record(event, moves, lock=lock)

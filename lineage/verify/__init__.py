"""Checking everything that a registry says about its own bytes.

For each commit: the manifest has the SHA-256 that is its id, the git commit is the
one that the manifest determines, the file list is the one that the manifest names,
every file has its recorded SHA-256, every edge leads to a commit that is here. For
the log: each event names the SHA-256 of the one before it, and the names that are read
are those that follow from all events (see `store.replay`); once there are keys, each
is signed by somebody who could (see `lineage.keys`). For the rest: git's own check of
every object, and what is derived against what it came from. One module each.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from lineage.errors import LineageError
from lineage.needed import Wanted
from lineage.registry import Registry
from lineage.store.reading import Progress
from lineage.tombstones import known_tombstones
from lineage.unfetched import unfetched
from lineage.verify.appended import Since, sentences, since
from lineage.verify.commits import commit_problems
from lineage.verify.derived import derived_notes, lookup_notes
from lineage.verify.elsewhere import chosen, erased_problems, log_problems_at
from lineage.verify.files import FREED, Objects, file_problems
from lineage.verify.git import git_problems
from lineage.verify.log import end_problems, log_problems
from lineage.verify.packs import other_notes, pack_problems
from lineage.verify.pins import pin_problems
from lineage.verify.problem import Problem
from lineage.verify.remote import remote_problems
from lineage.verify.signatures import signature_findings
from lineage.verify.stamps import Stamps

__all__ = ["Problem", "Verified", "verify"]


@dataclass(slots=True)
class Verified:
    """How many commits were checked, and what was found.

    `notes` are for people: what was wrong and is made anew from what is right, and
    what is away on purpose. `since` is where an event that was noted is.
    """

    checked: int = 0
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    since: Since | None = None


def verify(
    registry: Registry,
    revisions: Iterable[str] = (),
    *,
    remote: str | None = None,
    noted: str | None = None,
    roots: bytes | None = None,
    progress: Progress | None = None,
) -> Verified:
    """Check the commits of the given revsets, or all commits and the log.

    Cache links that `dvc gc` removed are made again from the pins on the way, and
    the keep commit, which tells DVC what we need, is brought up to date. With `remote`
    (a name, or "" for all remotes and DVC's default one) the logs at git remotes and
    every object at the DVC remote are read, too. `noted` is the id of an event that
    somebody saw before: it has to be before the newest one (see `verify.appended`).
    `roots` are certificates in PEM that time stamps have to lead to.

    Raises:
        StoreError, UsageError, NotFound: when the remote cannot be asked.
        UsageError, Ambiguous: when `noted` is no id, or that of several.
    """
    revisions = list(revisions)
    asked = registry.select(*revisions) if revisions else []
    result = Verified()
    if noted is not None:
        _look_since(registry, noted, result)
    if not revisions:
        result.problems += end_problems(registry)
        result.notes += lookup_notes(registry)
        result.problems += log_problems(registry)
        result.problems += signature_findings(registry)
        stamps = Stamps(registry, roots)
        result.problems += stamps.problems()
        result.notes += stamps.notes()
    objects = Objects(known_tombstones(registry), unfetched(registry))
    for id_ in asked if revisions else _all(registry):
        result.checked += 1
        result.problems += commit_problems(registry, id_, objects)
    result.problems += file_problems(registry, objects, progress or (lambda _: None))
    if remote is not None:
        remotes, store = chosen(registry, remote)
        there = [Wanted(e, id_) for e, id_, away in objects.all() if away != FREED]
        result.problems += log_problems_at(registry, remotes)
        result.problems += remote_problems(
            registry, store, there, deep=True, progress=progress
        )
        result.problems += erased_problems(registry, store)
    if not revisions:
        result.problems += pin_problems(registry, objects)
        result.problems += pack_problems(registry, objects, result.problems)
        result.notes += derived_notes(registry)
        result.problems += git_problems(registry, result.problems)
    result.notes += objects.notes()
    result.notes += other_notes(registry, objects.lost(result.problems))
    return result


def _look_since(registry: Registry, noted: str, result: Verified) -> None:
    found = since(registry, noted)
    if isinstance(found, Problem):
        result.problems.append(found)
    else:
        result.since = found
        result.notes += sentences(found, noted)


def _all(registry: Registry) -> list[str]:
    """Every commit; none where the log cannot be read, which is a problem by then."""
    with suppress(LineageError):
        return [record.id for record in sorted(registry.ids)]
    return []

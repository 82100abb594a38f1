"""Checking git's own files: objects loose and packed, their indexes, all refs."""

from collections.abc import Iterable, Iterator

from lineage.registry import Registry
from lineage.store.fsck import faults
from lineage.verify.problem import Problem


def git_problems(registry: Registry, known: Iterable[Problem]) -> Iterator[Problem]:
    """What `git fsck` finds, but for objects that are among the `known` problems."""
    said = {problem.object for problem in known}
    for fault in faults(registry.git):
        if not fault.oid or fault.oid not in said:
            yield Problem("", "", fault.what, fault.oid)

"""Which of two commits is the later version of one thing: along follows and revises.

A git commit's first parents are the targets of these two roles (see FORMAT.md), so
git narrows the search to what lies between the two, and only their manifests are read.
"""

from lineage.errors import StoreError
from lineage.store.event_commit import parse_parents
from lineage.store.git import GitRepository
from lineage.store.objects import BACK, Commit


def later(git: GitRepository, one: str, other: str) -> str | None:
    """The git oid, of two, that descends from the other; None where neither does."""
    if descends(git, one, other):
        return one
    return other if descends(git, other, one) else None


def descends(git: GitRepository, oid: str, before: str) -> bool:
    """Whether the commit `oid` is `before`, or a later version of it."""
    if oid == before:
        return True
    between = ("rev-list", "--ancestry-path", oid, f"^{before}")
    near = {before, *git.run(*between).decode().split()}
    seen, waiting = {oid}, [oid] if oid in near else []
    while waiting:
        for parent in set(_versions(git, waiting.pop())) & near - seen:
            if parent == before:
                return True
            seen.add(parent)
            waiting.append(parent)
    return False


def _versions(git: GitRepository, oid: str) -> list[str]:
    """The git oids of what a commit follows or revises."""
    held, manifest = git.read_many([oid, f"{oid}:lineage.json"])
    if held is None or manifest is None:
        raise StoreError(f"the git commit {oid} is missing", hint=git.mend())
    edges = Commit.parse(manifest[1].data).ids(*BACK)
    return parse_parents(held[1].data)[: len(set(edges))]

"""What came from another machine: is each commit what its id says?

Git has checked that the objects are well formed; here the manifest is held against the
id, and the git commit against the one that the manifest determines.
"""

from collections.abc import Callable

from lineage.errors import LineageError
from lineage.store.canonical import digest
from lineage.store.files import FileEntry, Payload
from lineage.store.git import GitRepository
from lineage.store.objects import Commit
from lineage.store.projection import project


def fault(
    git: GitRepository, id_: str, oid: str, git_oid: Callable[[str], str | None]
) -> str:
    """What is wrong with the git commit `oid` as the commit `id_`; empty if nothing.

    `git_oid` knows the git commits of those that it may name.
    """
    try:
        manifest = git.blob(f"{oid}:lineage.json")
        if manifest is None:
            return "its manifest is missing"
        if digest(manifest) != id_:
            return "its manifest does not have the SHA-256 of its id"
        return _content_fault(git, Commit.parse(manifest), oid, git_oid)
    except LineageError as error:
        return f"it cannot be read: {error}"


def _content_fault(
    git: GitRepository, commit: Commit, oid: str, git_oid: Callable[[str], str | None]
) -> str:
    entries: list[FileEntry] = []
    if commit.payload:
        entries = commit.payload.entries(git.blob(f"{oid}:files.jsonl") or b"")
        kind, stored = commit.payload.type, commit.payload.stored
        if Payload.of(entries, kind, stored=stored) != commit.payload:
            return "its manifest does not sum up its files"
    gits: dict[str, str] = {}
    for parent in commit.ids():
        found = git_oid(parent)
        if found is None:
            return f"it comes from {parent[:12]}, which no event brought"
        gits[parent] = found
    if project(commit, entries, gits).oid != oid:
        return "its git commit is not the one that its manifest determines"
    return ""

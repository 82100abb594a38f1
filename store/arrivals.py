"""What came from another machine: is each commit what its id says?

Git has checked that the objects are well formed; here the manifest is held against the
id, and the git commit against the one that the manifest determines.
"""

from collections.abc import Callable
from typing import NamedTuple

from lineage.errors import LineageError, VerificationError
from lineage.store.canonical import digest
from lineage.store.files import FileEntry, Payload
from lineage.store.git import GitRepository
from lineage.store.git_objects import GitObject
from lineage.store.objects import Commit
from lineage.store.projection import project

Oids = Callable[[str], str | None]
"""Knows the git commits of ids that a commit may name."""


class Arrived(NamedTuple):
    """A commit that is what its id says, with its files and its git objects."""

    commit: Commit
    entries: list[FileEntry]
    git: str
    objects: list[GitObject]


class _Unlike(VerificationError):
    """A commit that is not what it is called."""


def fault(git: GitRepository, id_: str, oid: str, git_oid: Oids) -> str:
    """What is wrong with the git commit `oid` as the commit `id_`; empty if nothing."""
    try:
        arrived(git.blob, id_, oid, git_oid)
    except _Unlike as error:
        return str(error)
    except LineageError as error:
        return f"it cannot be read: {error}"
    return ""


def arrived(
    blob: Callable[[str], bytes | None], id_: str, oid: str, git_oid: Oids
) -> Arrived:
    """The commit `id_`, read from the git commit `oid`.

    `blob` gives what git calls ``OID:path``.

    Raises:
        VerificationError: when it is not what its id says.
    """
    manifest = blob(f"{oid}:lineage.json")
    if manifest is None:
        raise _Unlike("its manifest is missing")
    if digest(manifest) != id_:
        raise _Unlike("its manifest does not have the SHA-256 of its id")
    commit = Commit.parse(manifest)
    entries: list[FileEntry] = []
    if commit.payload:
        entries = commit.payload.entries(blob(f"{oid}:files.jsonl") or b"")
        kind, stored = commit.payload.type, commit.payload.stored
        if Payload.of(entries, kind, stored=stored) != commit.payload:
            raise _Unlike("its manifest does not sum up its files")
    made = project(commit, entries, _gits(commit, git_oid))
    if made.oid != oid:
        raise _Unlike("its git commit is not the one that its manifest determines")
    return Arrived(commit, entries, oid, made.objects)


def _gits(commit: Commit, git_oid: Oids) -> dict[str, str]:
    gits: dict[str, str] = {}
    for parent in commit.ids():
        found = git_oid(parent)
        if found is None:
            raise _Unlike(f"it comes from {parent[:12]}, which no event brought")
        gits[parent] = found
    return gits

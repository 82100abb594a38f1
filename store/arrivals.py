"""What came from another machine: is each commit what its id says?

Git has checked that the objects are well formed; here the manifest is held against the
id, and the git commit against the one that the manifest determines.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from lineage.errors import LineageError, VerificationError
from lineage.store.canonical import digest
from lineage.store.files import FileEntry
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


class Fault(NamedTuple):
    """What is wrong with a commit; it is `missing` where git has not got it at all."""

    what: str
    missing: bool = False


class _Unlike(VerificationError):
    """A commit that is not what it is called."""


def looked_at(
    git: GitRepository, commits: Mapping[str, str], git_oid: Oids
) -> Iterator[tuple[str, Commit | Fault]]:
    """Each of `commits` (their git oids by id) as it is, or what is wrong with it.

    Manifests are read many at a time: a question to git for each takes longer than
    all else that is done to it.
    """
    manifests = git.read_many(f"{oid}:lineage.json" for oid in commits.values())
    for (id_, oid), found in zip(commits.items(), manifests, strict=True):
        manifest = found and found[1].data
        yield id_, _looked_at(git, id_, oid, manifest, git_oid)


def _looked_at(
    git: GitRepository, id_: str, oid: str, manifest: bytes | None, git_oid: Oids
) -> Commit | Fault:
    def blob(name: str) -> bytes | None:
        return manifest if name.endswith(":lineage.json") else git.blob(name)

    try:
        return arrived(blob, id_, oid, git_oid).commit
    except _Unlike as error:
        return Fault(str(error), missing=manifest is None and git.read(oid) is None)
    except LineageError as error:
        return Fault(f"it cannot be read: {error}")


def arrived(
    blob: Callable[[str], bytes | None], id_: str, oid: str, git_oid: Oids
) -> Arrived:
    """The commit `id_`, read from the git commit `oid`.

    `blob` gives what git calls ``OID:path``.

    Raises:
        VerificationError: when it is not what its id says.
    """
    commit = parsed(blob(f"{oid}:lineage.json"), id_)
    entries: list[FileEntry] = []
    if commit.payload:
        entries = commit.payload.entries(blob(f"{oid}:files.jsonl") or b"")
        if not commit.payload.sums_up(entries):
            raise _Unlike("its manifest does not sum up its files")
    made = project(commit, entries, _gits(commit, git_oid))
    if made.oid != oid:
        raise _Unlike("its git commit is not the one that its manifest determines")
    return Arrived(commit, entries, oid, made.objects)


def parsed(manifest: bytes | None, id_: str) -> Commit:
    """The commit `id_` from its manifest.

    Raises:
        VerificationError: when that is missing, or another one's.
    """
    if manifest is None:
        raise _Unlike("its manifest is missing")
    if digest(manifest) != id_:
        raise _Unlike("its manifest does not have the SHA-256 of its id")
    return Commit.parse(manifest)


def _gits(commit: Commit, git_oid: Oids) -> dict[str, str]:
    gits: dict[str, str] = {}
    for parent in commit.ids():
        found = git_oid(parent)
        if found is None:
            raise _Unlike(f"it comes from {parent[:12]}, which no event brought")
        gits[parent] = found
    return gits

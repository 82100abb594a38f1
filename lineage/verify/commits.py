"""Checking commits: manifest, file list, edges and git objects."""

from collections.abc import Iterator

from lineage.errors import LineageError
from lineage.registry import Registry
from lineage.store.canonical import digest
from lineage.store.files import FileEntry
from lineage.store.objects import Commit
from lineage.store.projection import project
from lineage.verify.files import Objects, payload_problems
from lineage.verify.problem import Problem


def commit_problems(
    registry: Registry, id_: str, objects: Objects
) -> Iterator[Problem]:
    """What is wrong with one commit's own objects; those of its files are added."""
    oid = registry.git_oid(id_)
    try:
        manifest = registry.git.blob(f"{oid}:lineage.json")
        if manifest is None:
            yield Problem(id_, "lineage.json", "is missing")
            return
        if digest(manifest) != id_:
            yield Problem(id_, "lineage.json", "does not have the SHA-256 of its id")
            return
        commit = Commit.parse(manifest)
        missing = [parent for parent in commit.ids() if parent not in registry.ids]
        for parent in missing:
            yield Problem(id_, "", f"an edge leads to {parent}, which is not here")
        entries: list[FileEntry] = []
        if commit.payload:
            listed = registry.git.blob(f"{oid}:files.jsonl") or b""
            entries = commit.payload.entries(listed)
            if not commit.payload.sums_up(entries):
                what = "does not sum up its files.jsonl"
                yield Problem(id_, "lineage.json", what)
        if not missing:
            yield from _projection_problems(registry, commit, entries, oid)
    except LineageError as error:
        yield Problem(id_, "", f"cannot be read: {error}")
        return
    yield from payload_problems(registry, id_, commit, entries, objects)


def _projection_problems(
    registry: Registry, commit: Commit, entries: list[FileEntry], oid: str
) -> Iterator[Problem]:
    gits = {parent: registry.git_oid(parent) for parent in commit.ids()}
    made = project(commit, entries, gits)
    if made.oid != oid:
        what = f"the git commit {oid} is not the one that its manifest determines"
        yield Problem(commit.id, "", what)
        return
    held = registry.git.read_many(item.oid for item in made.objects)
    for item, found in zip(made.objects, held, strict=True):
        if found is None or found[1] != item:
            yield Problem(commit.id, "", f"the git {item.kind} {item.oid} is damaged")

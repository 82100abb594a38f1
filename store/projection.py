"""From a manifest and its file list to one git commit: a pure function.

The tree holds the manifest, the file list, and the same facts once more as DVC
reads them. Author, date, message and parents follow from the manifest alone, so
one id is one git commit in every clone. FORMAT.md fixes every byte of this.
"""

from collections.abc import Mapping
from typing import NamedTuple

from lineage.store.canonical import Json, pretty
from lineage.store.files import FILE, FileEntry, dvc_address, file_list
from lineage.store.git_objects import AUTHOR, GitObject, TreeEntry, tree
from lineage.store.objects import BACK, Commit


class Projected(NamedTuple):
    """The git objects of one commit; `oid` is the commit's own."""

    oid: str
    objects: list[GitObject]


def project(
    commit: Commit, entries: list[FileEntry], gits: Mapping[str, str]
) -> Projected:
    """Make the git objects of `commit`.

    `entries` are its files (empty without payload); `gits` maps the ids that its
    edges name to git oids.
    """
    blobs = {
        name: GitObject("blob", data) for name, data in _files(commit, entries).items()
    }
    top = tree({name: TreeEntry(FILE, blob.oid) for name, blob in blobs.items()})
    made = GitObject("commit", _commit(commit, top.oid, gits))
    return Projected(made.oid, [*blobs.values(), top, made])


def parents(commit: Commit) -> list[str]:
    """The ids that become git parents: follows, revises, then the other edges."""
    first = [edge.id for role in BACK for edge in commit.edges if edge.role == role]
    rest = [edge.id for edge in commit.edges if edge.role not in BACK]
    return list(dict.fromkeys(first + rest))


def _commit(commit: Commit, tree_oid: str, gits: Mapping[str, str]) -> bytes:
    lines = [f"tree {tree_oid}", *(f"parent {gits[id_]}" for id_ in parents(commit))]
    lines += [f"author {AUTHOR}", f"committer {AUTHOR}", ""]
    lines += [f"{commit.kind} {commit.name}", "", f"Lineage-Id: {commit.id}", ""]
    return "\n".join(lines).encode()


def _files(commit: Commit, entries: list[FileEntry]) -> dict[str, bytes]:
    """The tree's files by name."""
    files = {"lineage.json": commit.manifest}
    sections: dict[str, str] = {}
    if commit.payload:
        files["files.jsonl"] = file_list(entries)
    if commit.stored:
        files[f"{commit.kind}.dvc"] = _dvc(commit, entries)
    if commit.metrics:
        values: Json = {name: m.value for name, m in commit.metrics.items()}
        files["metrics.json"] = f"{pretty(values)}\n".encode()
        sections["metrics"] = "metrics.json"
    if commit.params:
        files["params.yaml"] = f"{pretty(dict(commit.params))}\n".encode()
        sections["params"] = "params.yaml"
    if sections:
        lines = (f"{key}:\n- {name}\n" for key, name in sections.items())
        files["dvc.yaml"] = "".join(lines).encode()
    return files


def _dvc(commit: Commit, entries: list[FileEntry]) -> bytes:
    """The payload's ``.dvc`` file: a folder is called after the kind, a file in it."""
    assert commit.payload is not None
    oid, size = dvc_address(commit.payload.type, entries)
    directory = commit.payload.type == "directory"
    path = commit.kind if directory else f"{commit.kind}/{entries[0].path}"
    count = f"  nfiles: {commit.payload.count}\n" if directory else ""
    quoted = pretty(path)
    return (
        f"outs:\n- md5: {oid}\n  size: {size}\n{count}  hash: md5\n  path: {quoted}\n"
    ).encode()

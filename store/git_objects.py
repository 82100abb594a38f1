"""Git objects as bytes: what a tree looks like, and what an object is called."""

from collections.abc import Mapping
from hashlib import sha1
from typing import NamedTuple

AUTHOR = "lineage <lineage@localhost> 0 +0000"  # of commits that nobody makes


class GitObject(NamedTuple):
    """One git object: its kind (blob, tree or commit) and its bytes."""

    kind: str
    data: bytes

    @property
    def oid(self) -> str:
        header = f"{self.kind} {len(self.data)}\0".encode()
        return sha1(header + self.data, usedforsecurity=False).hexdigest()


class TreeEntry(NamedTuple):
    """One line of a tree: mode as git writes it ("100644", "40000", "160000")."""

    mode: str
    oid: str


def tree(entries: Mapping[str, TreeEntry]) -> GitObject:
    """The tree object that holds `entries`, in git's order."""
    ordered = sorted(entries.items(), key=_tree_key)
    return GitObject("tree", b"".join(_tree_line(*item) for item in ordered))


def _tree_key(item: tuple[str, TreeEntry]) -> bytes:
    name, entry = item
    return name.encode() + (b"/" if entry.mode == "40000" else b"")


def _tree_line(name: str, entry: TreeEntry) -> bytes:
    return f"{entry.mode} {name}\0".encode() + bytes.fromhex(entry.oid)


def parse_tree(data: bytes) -> dict[str, TreeEntry]:
    """Read a tree object."""
    entries, at = {}, 0
    while at < len(data):
        end = data.index(0, at)
        mode, _, name = data[at:end].decode().partition(" ")
        entries[name] = TreeEntry(mode, data[end + 1 : end + 21].hex())
        at = end + 21
    return entries

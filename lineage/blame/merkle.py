"""The Merkle tree of RFC 6962, section 2.1, over SHA-256, made in one pass.

A leaf is SHA-256(0x00 || data), a node SHA-256(0x01 || left || right); the left side
of a node is the largest full tree that leaves something for the right.
"""

from hashlib import sha256
from typing import NamedTuple


def leaf(data: bytes) -> bytes:
    """The hash of an entry."""
    return sha256(b"\x00" + data).digest()


def node(left: bytes, right: bytes) -> bytes:
    """The hash over two trees that stand side by side."""
    return sha256(b"\x01" + left + right).digest()


class _Part(NamedTuple):
    """A full tree; `ours` when the leaf whose path is wanted is in it."""

    size: int
    hash: bytes
    ours: bool


class Tree:
    """Takes leaves in their order; holds as many hashes as the tree is high.

    `path` gets the audit path of the leaf `index`, counted from 0, from the leaf up.
    """

    def __init__(self, index: int | None = None) -> None:
        self._index = index
        self._parts: list[_Part] = []
        self.count = 0
        self.path: list[bytes] = []

    def add(self, hash_: bytes) -> None:
        """Take the next leaf."""
        part = _Part(1, hash_, self.count == self._index)
        self.count += 1
        while self._parts and self._parts[-1].size == part.size:
            part = self._join(self._parts.pop(), part)
        self._parts.append(part)

    def root(self) -> bytes:
        """The hash over all leaves; call it once, when all are there."""
        if not self._parts:
            return sha256(b"").digest()
        part = self._parts.pop()
        while self._parts:
            part = self._join(self._parts.pop(), part)
        return part.hash

    def _join(self, left: _Part, right: _Part) -> _Part:
        if left.ours or right.ours:
            self.path.append(right.hash if left.ours else left.hash)
        ours = left.ours or right.ours
        return _Part(left.size + right.size, node(left.hash, right.hash), ours)

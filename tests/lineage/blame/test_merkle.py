"""The Merkle tree of RFC 6962, against known roots and a naive tree."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineage.blame.merkle import Tree, leaf, node

if TYPE_CHECKING:
    from collections.abc import Sequence

# Inputs and roots of the reference implementation of Certificate Transparency.
INPUTS = [
    bytes.fromhex(text)
    for text in (
        *("", "00", "10", "2021", "3031", "40414243"),
        *("5051525354555657", "606162636465666768696a6b6c6d6e6f"),
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
FIRST_OF_EIGHT = [
    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
]


def root_of(
    hash_: bytes, index: int, count: int, path: Sequence[bytes]
) -> bytes | None:
    """The root that a leaf and its audit path lead to (RFC 9162, section 2.1.3.2).

    None where a tree of `count` leaves has no such path.
    """
    place, last = index, count - 1
    if not 0 <= place <= last:
        return None
    for other in path:
        if last == 0:
            return None
        if place % 2 or place == last:
            hash_ = node(other, hash_)
            while place and not place % 2:
                place, last = place // 2, last // 2
        else:
            hash_ = node(hash_, other)
        place, last = place // 2, last // 2
    return hash_ if last == 0 else None


def _naive(leaves: list[bytes]) -> bytes:
    """Section 2.1, word for word."""
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256(b"").digest()
    half = 1
    while 2 * half < len(leaves):
        half *= 2
    sides = _naive(leaves[:half]) + _naive(leaves[half:])
    return sha256(b"\x01" + sides).digest()


def _proven(entries: list[bytes], index: int | None = None) -> tuple[bytes, Tree]:
    tree = Tree(index)
    for entry in entries:
        tree.add(leaf(entry))
    return tree.root(), tree


@pytest.mark.parametrize("count", range(9))
def test_roots_are_those_of_certificate_transparency(count: int) -> None:
    """Trees of 0 to 8 leaves have the published roots."""
    root, tree = _proven(INPUTS[:count])
    assert (root.hex(), tree.count) == (ROOTS[count], count)


def test_a_path_is_that_of_certificate_transparency() -> None:
    """The audit path of the first of eight leaves is the published one."""
    _, tree = _proven(INPUTS, 0)
    assert [each.hex() for each in tree.path] == FIRST_OF_EIGHT


@settings(max_examples=60)
@given(st.lists(st.binary(max_size=3), min_size=1, max_size=40), st.data())
def test_every_path_leads_to_the_root_and_no_other_does(
    entries: list[bytes], data: st.DataObject
) -> None:
    """A leaf at its place leads to the naive root; anything changed does not."""
    count = len(entries)
    index = data.draw(st.integers(0, count - 1))
    root, tree = _proven(entries, index)
    assert root == _naive([leaf(entry) for entry in entries])
    ours = leaf(entries[index])
    assert root_of(ours, index, count, tree.path) == root
    assert root_of(leaf(entries[index] + b"x"), index, count, tree.path) != root
    assert root_of(ours, index, count, [*tree.path, ours]) != root
    assert root_of(ours, count, count, tree.path) is None
    if tree.path:
        assert root_of(ours, index, count, tree.path[:-1]) != root
        place = data.draw(st.integers(0, len(tree.path) - 1))
        other = [*tree.path[:place], leaf(b"other"), *tree.path[place + 1 :]]
        assert root_of(ours, index, count, other) != root

"""Many git objects as one pack: the stream that ``git index-pack --stdin`` reads."""

import zlib
from collections.abc import Iterable, Iterator
from hashlib import sha1

from lineage.store.git_objects import GitObject

_TYPES = {"commit": 1, "tree": 2, "blob": 3}


def pack(objects: Iterable[GitObject]) -> bytes:
    """The pack of `objects`, which are all different, whole and without deltas."""
    entries = [part for item in objects for part in (_header(item), _packed(item))]
    count = len(entries) // 2
    body = b"".join([b"PACK", *(n.to_bytes(4, "big") for n in (2, count)), *entries])
    return body + sha1(body, usedforsecurity=False).digest()


def _header(item: GitObject) -> bytes:
    """Type and size: four bits of the size in the first byte, seven in each other."""
    return bytes(_size(_TYPES[item.kind], len(item.data)))


def _size(kind: int, size: int) -> Iterator[int]:
    byte, size = kind << 4 | size & 15, size >> 4
    while size:
        yield byte | 128
        byte, size = size & 127, size >> 7
    yield byte


def _packed(item: GitObject) -> bytes:
    return zlib.compress(item.data, 1)

"""A pack as a remote has it: its trailer, its tables, and every file that they name.

The digests in a pack are made anew for each input, as whoever wrote it could.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from lineage.errors import VerificationError
from lineage.store.packed.format import TRAILER_SIZE, read_trailer
from lineage.store.packed.packs import Packs
from lineage.store.packed.reading_back import read_back
from lineage.store.packed.writer import Writer
from tests.store.packed.making import chain, md5, pieces, sha256

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

RUNS: Sequence[str] = ()
TRIES = 60
KEPT: Sequence[bytes] = ()


def seeds(folder: Path) -> Sequence[bytes]:
    packs = Packs(folder / "cache", "r")
    packs.folder.mkdir(parents=True, exist_ok=True)
    files = chain(2, count=400)
    path = folder / "made"
    path.unlink(missing_ok=True)
    with Writer(packs, path) as writer:
        before = None
        for data in files:
            writer.add(md5(data), sha256(data), pieces(data, before, 1 << 10))
            before = data
        writer.finish()
    return [path.read_bytes()]


def sealed(data: bytes) -> bytes:
    """The same with the digest that its tables have."""
    end = max(0, len(data) - TRAILER_SIZE)
    try:
        begin = read_trailer(data[end:], len(data)).begin
    except VerificationError:
        return data
    digest = hashlib.sha256(data[begin:end]).digest()
    return data[: end + 24] + digest + data[end + 24 + len(digest) :]


def attack(data: bytes, folder: Path) -> None:
    path = folder / "a.pack"
    path.write_bytes(sealed(data))
    read_back(path, (), foreign=True)

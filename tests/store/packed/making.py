"""Packs for tests: files of weights that drift, cut into small blocks."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from lineage.store.packed.reading_back import read_back
from lineage.store.packed.writer import Piece, Writer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from lineage.store.packed.packs import Packs

CUT = 1 << 13


def weights(seed: int, count: int = 20_480) -> bytes:
    """Make `count` floats as a model has them."""
    rng = np.random.default_rng(seed)
    return (rng.standard_normal(count) / 50).astype("f4").tobytes()


def drifted(data: bytes, seed: int) -> bytes:
    """Change the low bits of about half the floats."""
    rng = np.random.default_rng(seed)
    bits = np.frombuffer(data, np.uint32)
    return (bits ^ rng.integers(0, 4, bits.size, dtype=np.uint32)).tobytes()


def chain(length: int, seed: int = 0, count: int = 20_480) -> list[bytes]:
    """Make files each of which came from the one before."""
    files = [weights(seed, count)]
    while len(files) < length:
        files.append(drifted(files[-1], seed + len(files)))
    return files


def md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def cut(data: bytes, size: int = CUT) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def pieces(data: bytes, base: bytes | None = None, size: int = CUT) -> Iterator[Piece]:
    """Cut a file into pieces that build on those of `base` at the same place."""
    ids = [hashlib.sha256(part).digest() for part in cut(base or b"", size)]
    for number, part in enumerate(cut(data, size)):
        yield Piece(part, 4, ids[number] if number < len(ids) else None)


def add_chain(writer: Writer, files: Sequence[bytes]) -> None:
    """Pack files each of which builds on the one before."""
    for base, data in zip([None, *files], files, strict=False):
        writer.add(md5(data), sha256(data), pieces(data, base))


def published(packs: Packs, work: Path, files: Sequence[bytes]) -> str:
    """Publish a pack of a chain of files; its name."""
    with Writer(packs, work / "pack") as writer:
        add_chain(writer, files)
        name = writer.finish()
    read_back(work / "pack", packs)
    packs.publish(work / "pack", name)
    return name


def contents(packs: Packs, files: Iterable[bytes]) -> list[bytes | None]:
    """Read back what `packs` have of these files."""
    found: list[bytes | None] = []
    for data in files:
        stream = packs.open(md5(data))
        if stream is None:
            found.append(None)
            continue
        with stream:
            found.append(stream.read())
    return found

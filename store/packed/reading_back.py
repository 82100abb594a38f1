"""Reading a pack back before anything relies on it: all of it, through its readers."""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from lineage.errors import VerificationError
from lineage.store.packed.blocks import AHEAD, Blocks, Source, crew
from lineage.store.packed.format import PackedFile, Segment
from lineage.store.packed.packs import Pack
from lineage.store.parallel import in_order

if TYPE_CHECKING:
    from lineage.store.packed.codec import Data

T = TypeVar("T")
Files = Mapping[PackedFile, Sequence[Segment]]

_ABREAST = 12  # files that are read together, as kin have bases in common


def read_back(
    path: Path, sources: Callable[[], Iterable[Source]], *, md5: bool = False
) -> None:
    """Check all that a pack says, decode all its blocks, and hash all its files.

    `sources` have the blocks that it does not have itself. With `md5` files are
    compared with what they are called by, too.

    Raises:
        VerificationError: when anything is not what it should be.
    """
    pack = Pack(path)
    try:
        pack.check()
    except VerificationError as error:
        raise VerificationError(f"a pack cannot be read back: {error}") from None
    blocks = Blocks(lambda: chain([pack], sources()), strict=True)
    files = {file: pack.tables.segments(file) for file in pack.tables.all_files()}
    used = {part.block for parts in files.values() for part in parts}
    spare = (row.id for row in pack.tables.all_blocks() if row.id not in used)
    for _ in _each(blocks, ((id_, None) for id_ in spare)):
        pass
    for group in _groups(pack, files):
        _hash(blocks, group, md5=md5)


def _groups(pack: Pack, files: Files) -> Iterator[Files]:
    """A few files at a time, in the order in which they were packed."""

    def place(file: PackedFile) -> int:
        block = files[file] and pack.find_block(files[file][0].block)
        return block.offset if block else 0

    ordered = sorted(files, key=place)
    for first in range(0, len(ordered), _ABREAST):
        yield {file: files[file] for file in ordered[first : first + _ABREAST]}


def _hash(blocks: Blocks, files: Files, *, md5: bool) -> None:
    """Compare files with their SHA-256, reading all of them at once."""
    found = {file: [hashlib.sha256()] for file in files}
    for file in files if md5 else ():
        found[file].append(hashlib.md5(usedforsecurity=False))
    columns = zip_longest(*files.values())
    parts = (
        (f, part)
        for column in columns
        for f, part in zip(files, column, strict=True)
        if part
    )
    for data, (file, part) in _each(
        blocks, ((part.block, (f, part)) for f, part in parts)
    ):
        for digest in found[file]:
            digest.update(part.of(data))
    for file, digests in found.items():
        got = [digest.digest() for digest in digests]
        if got != [file.sha256, file.md5][: len(got)]:
            message = f"{file.oid} does not come back from a pack as it was"
            raise VerificationError(message)


def _each(
    blocks: Blocks, items: Iterable[tuple[bytes, T]]
) -> Iterator[tuple["Data", T]]:
    """The blocks of some ids, which threads decode, with what came with each id."""

    def get(item: tuple[bytes, T]) -> tuple["Data", T]:
        return blocks.get(item[0]), item[1]

    return in_order((crew().submit(get, item) for item in items), AHEAD)

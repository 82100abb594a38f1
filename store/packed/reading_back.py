"""Reading a pack back before anything relies on it: all of it, through its readers."""

import hashlib
from collections.abc import Iterable
from functools import partial
from itertools import chain
from pathlib import Path

from lineage.errors import VerificationError
from lineage.store.packed.abreast import Files, Get, each, groups, parts
from lineage.store.packed.blocks import Blocks, Source
from lineage.store.packed.format import Segment
from lineage.store.packed.packs import Pack


def read_back(path: Path, sources: Iterable[Source], *, foreign: bool = False) -> None:
    """Check all that a pack says before it is published: its blocks and its files.

    `sources` have the blocks that it does not have itself. Of a `foreign` pack each
    block is compared with what it is called by, and each file with its MD5, too. In
    one that was just written here both names were made of the bytes that are compared.

    Raises:
        VerificationError: when anything is not what it should be.
    """
    pack, others = Pack(path), list(sources)
    try:
        pack.check()
    except VerificationError as error:
        raise VerificationError(f"a pack cannot be read back: {error}") from None
    blocks = Blocks(lambda: chain([pack], others), strict=True)
    ordered = sorted(pack.tables.all_files(), key=pack.place)
    files = {file: pack.tables.segments(file) for file in ordered}
    whole = {part for parts in files.values() for part in parts}
    lone = (
        row.id
        for row in pack.tables.all_blocks()
        if Segment(row.id, 0, row.size) not in whole
    )
    for _ in each(blocks.get, ((id_, None) for id_ in lone)):
        pass
    get = partial(blocks.get, compare=foreign)
    for group in groups(files):
        _hash(get, group, md5=foreign)


def _hash(get: Get, files: Files, *, md5: bool) -> None:
    """Compare files with their SHA-256, reading all of them at once."""
    found = {file: [hashlib.sha256()] for file in files}
    for file in files if md5 else ():
        found[file].append(hashlib.md5(usedforsecurity=False))
    for file, part in parts(get, files):
        for digest in found[file]:
            digest.update(part)
    for file, digests in found.items():
        got = [digest.digest() for digest in digests]
        if got != [file.sha256, file.md5][: len(got)]:
            message = f"{file.oid} does not come back from a pack as it was"
            raise VerificationError(message)

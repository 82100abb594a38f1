"""Writing packed files out as plain ones, many at once."""

import hashlib
import os
from collections.abc import Iterable
from contextlib import ExitStack
from functools import partial
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING, Self

from lineage.errors import VerificationError
from lineage.store.packed.abreast import Files, groups, parts
from lineage.store.packed.format import PackedFile
from lineage.store.reading import (
    STRETCH,
    Copy,
    Progress,
    judged,
    unwatched,
    write_out,
)

if TYPE_CHECKING:
    from lineage.store.packed.packs import Packs


def write_files(
    packs: "Packs", oids: Iterable[str], folder: Path, progress: Progress = unwatched
) -> None:
    """Write packed files into a folder, called by their MD5, as they lie in packs.

    They are compared with their SHA-256. That it goes with the MD5 was seen when they
    were packed, or came.

    Raises:
        VerificationError: when one is damaged in all packs that have it.
    """
    files = {}
    for oid in oids:
        found = packs.find(oid)
        if found is None:
            raise VerificationError(f"the packed file {oid} is gone")
        files[found[1]] = found[0].tables.segments(found[1])
    for group in groups(files):
        _write(packs, group, folder, progress)


def _write(packs: "Packs", files: Files, folder: Path, progress: Progress) -> None:
    with ExitStack() as stack:
        new = {f: stack.enter_context(_Plain(folder / f.oid)) for f in files}
        try:
            for file, part in parts(partial(packs.blocks.get, compare=False), files):
                new[file].write(part)
                progress(len(part))
        except VerificationError:
            pass  # the files that lack something are told by their hash
    for file, plain in new.items():
        if plain.hash.digest() != file.sha256:
            _write_with_care(packs, file, plain.path)


class _Plain:
    """A new file, hashed as it is written."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.hash = hashlib.sha256()
        self._file = FileIO(path, "x")
        self._copy = Copy(self._file)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        os.fchmod(self._file.fileno(), 0o444)
        self._copy.send(1)
        self._file.close()

    def write(self, data: memoryview) -> None:
        self._copy.write(data)
        self._copy.send(STRETCH)
        self.hash.update(data)


def _write_with_care(packs: "Packs", file: PackedFile, path: Path) -> None:
    """Write a file anew, block by block, each from a pack that has it whole."""
    path.unlink()
    source = packs.open(file.oid, anew=True)
    if source is None:
        raise VerificationError(f"the packed file {file.oid} is gone")
    with source:
        read = write_out(source, file.size, path)
    if wrong := judged(read, file.entry):
        hint = "run `lineage verify` to see how far the damage goes"
        raise VerificationError(f"the packed file {file.oid} {wrong}", hint=hint)

"""Making packed files plain again, so that DVC finds them, and packs go."""

import hashlib
import time
from collections.abc import Collection, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO

from lineage.errors import VerificationError
from lineage.keeping import refresh_keep
from lineage.packing.counts import Unpacked
from lineage.packing.turn import turn
from lineage.registry import Registry
from lineage.store.disk import disk_errors
from lineage.store.packed.format import PackedFile
from lineage.store.reading import Progress, unwatched

_CHUNK = 4 << 20
_BATCH = 1 << 30  # bytes that are synced and pinned together
_FILES = 1000  # and files


def unpack(
    registry: Registry, revset: str | None = None, *, progress: Progress = unwatched
) -> Unpacked:
    """Write the packed files of what `revset` selects, or all, out as plain ones.

    What no packed file needs any more leaves the packs.

    Raises:
        StoreError: when somebody else packs here, or the disk fails.
        VerificationError: when a packed file is damaged; what was unpacked by then
            stays so.
        NotFound, UsageError: for a revset that is not understood.
    """
    begun = time.monotonic()
    chosen = None if revset is None else _chosen(registry, revset)
    with turn(registry, "lineage unpack"), disk_errors("unpacking"):
        unpacker = _Unpacker(registry, progress)
        unpacker.run(chosen)
    unpacker.counts.seconds = time.monotonic() - begun
    return unpacker.counts


def _chosen(registry: Registry, revset: str) -> set[str]:
    """The MD5s of the files of what a revset selects."""
    ids = registry.select(revset)
    return {entry.md5 for id_ in ids for entry in registry.files(id_) if entry.size}


class _Unpacker:
    """One run."""

    def __init__(self, registry: Registry, progress: Progress) -> None:
        self._registry = registry
        self._payloads = registry.payloads
        self._packs = registry.payloads.packs
        self._progress = progress
        self.counts = Unpacked()

    def run(self, chosen: set[str] | None) -> None:
        """Make the chosen files plain, or all, and let packs go."""
        packed = {
            file.md5.hex(): file
            for pack in self._packs
            for file in pack.tables.all_files()
        }
        wanted = packed.keys() if chosen is None else packed.keys() & chosen
        try:
            for batch in _batches(packed[oid] for oid in sorted(wanted)):
                self._write(batch)
            if wanted:
                self._drop(wanted)
        finally:
            if wanted:
                refresh_keep(self._registry, again=True)

    def _write(self, batch: list[PackedFile]) -> None:
        """Make some files plain."""
        with self._payloads.workspace() as work:
            staged = {}
            for file in batch:
                if not self._payloads.is_plain(file.entry):
                    staged[file.oid] = work / file.oid
                    self._copy(file, staged[file.oid])
            self._payloads.loosen(staged, work)

    def _copy(self, file: PackedFile, target: Path) -> None:
        """Write one file, compared with what it is called after.

        Raises:
            VerificationError: when it is damaged.
        """
        oid = file.md5.hex()
        source = self._packs.open(oid)
        if source is None:
            raise VerificationError(f"the packed file {oid} is gone")
        with source, target.open("xb") as out:
            found = _copied(source, out, self._progress)
        if found != (oid, file.sha256.hex()):
            hint = "run `lineage verify` to see how far the damage goes"
            message = f"the packed file {oid} does not have its recorded digests"
            raise VerificationError(message, hint=hint)
        target.chmod(0o444)
        self.counts.files += 1
        self.counts.size += file.size

    def _drop(self, plain: Collection[str]) -> None:
        """Take files that are plain now out of the packs, but what others build on.

        What came into packs meanwhile, by a fetch, stays there.
        """
        from lineage.store.packed.leaving import Leaving
        from lineage.store.packed.rewriting import rewrite

        with self._payloads.alone(), self._payloads.room() as work:
            here = set[str]().union(*(pack.tables.oids() for pack in self._packs))
            leaving = Leaving(self._packs, here - set(plain), always=True)
            done = rewrite(self._packs, leaving.keep, work)
        self.counts.freed, self.counts.kept = done.freed, leaving.left


def _copied(source: BinaryIO, out: BinaryIO, progress: Progress) -> tuple[str, str]:
    """Copy, and hash on two more threads; the MD5 and the SHA-256."""
    md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
    with ThreadPoolExecutor(1) as first, ThreadPoolExecutor(1) as second:
        while chunk := source.read(_CHUNK):
            pending = [first.submit(md5.update, chunk)]
            pending += [second.submit(sha256.update, chunk)]
            out.write(chunk)
            progress(len(chunk))
            for future in pending:
                future.result()
    return md5.hexdigest(), sha256.hexdigest()


def _batches(files: Iterable[PackedFile]) -> Iterator[list[PackedFile]]:
    """Files in groups that are not too large."""
    batch: list[PackedFile] = []
    size = 0
    for file in files:
        batch.append(file)
        size += file.size
        if size >= _BATCH or len(batch) >= _FILES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch

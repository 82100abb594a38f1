"""Making packed files plain again, so that DVC finds them, and packs go."""

import time
from collections.abc import Collection

from lineage.keeping import refresh_keep
from lineage.packing.counts import Unpacked
from lineage.packing.turn import turn
from lineage.registry import Registry
from lineage.store.disk import disk_errors
from lineage.store.files import FileEntry
from lineage.store.reading import Progress, unwatched


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
        packed = set[str]().union(*(pack.tables.oids() for pack in self._packs))
        wanted = packed if chosen is None else packed & chosen
        try:
            for batch in self._payloads.packed_batches(wanted):
                self._write(batch)
            if wanted:
                self._drop(wanted)
        finally:
            if wanted:
                refresh_keep(self._registry, again=True)

    def _write(self, batch: list[FileEntry]) -> None:
        """Make some files plain."""
        with self._payloads.workspace() as work:
            fresh = self._payloads.make_plain(batch, work, self._progress)
        self.counts.files += len(fresh)
        self.counts.size += sum(entry.size for entry in fresh)

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

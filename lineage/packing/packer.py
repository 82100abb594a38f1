"""The packer: one pack after the other, each read back before plain files go.

What is in a pack is written, synced and read back as any reader would, then the pack
gets its name, and only then are the plain files released. Whoever is killed in
between leaves a pack that nobody misses, plain files beside a pack that has them
too, or both as they should be; the next run goes on from there.
"""

import time
from collections import deque
from collections.abc import Iterator

from lineage.keeping import refresh_keep
from lineage.packing.adding import Adding
from lineage.packing.cold import Cold, cold_files
from lineage.packing.counts import Packed
from lineage.packing.jobs import is_small, jobs
from lineage.packing.settings import pack_size
from lineage.packing.turn import turn
from lineage.registry import Registry
from lineage.store import keep
from lineage.store.disk import disk_errors
from lineage.store.packed.reading_back import read_back
from lineage.store.packed.writer import Writer
from lineage.store.reading import Progress, unwatched


def pack(
    registry: Registry,
    revset: str | None = None,
    *,
    dry_run: bool = False,
    progress: Progress = unwatched,
) -> Packed:
    """Store the files of what is cold, or of what `revset` selects, as differences.

    Their plain files go, and DVC finds them again once they are unpacked. A
    `dry_run` only counts what there is to pack. `progress` is told of bytes read.

    Raises:
        StoreError: when somebody else packs here, or the disk fails; what was
            packed by then stays so.
        NotFound, UsageError: for a revset or a setting that is not understood.
    """
    begun = time.monotonic()
    packer = _Packer(registry, progress)
    if dry_run:
        packer.plan(revset)
        packer.foresee()
        return packer.counts
    with turn(registry, "lineage pack"), disk_errors("packing"):
        packer.plan(revset)
        packer.run()
    packer.counts.seconds = time.monotonic() - begun
    return packer.counts


class _Packer:
    """One run."""

    def __init__(self, registry: Registry, progress: Progress) -> None:
        self._registry = registry
        self._payloads = registry.payloads
        self._packs = registry.payloads.packs
        self._size = pack_size(registry)
        self._ahead: deque[list[Cold]] = deque()
        self._double: list[Cold] = []  # packed, and loose still
        self.counts = Packed()
        self._adding = Adding(registry, self.counts, progress)

    def plan(self, revset: str | None) -> None:
        """Find what there is to pack."""
        files = cold_files(self._registry, revset, self.counts)
        packed = {f.entry.md5: f for f in files if self._packs.find(f.entry.md5)}
        self._double = list(packed.values())
        self._ahead.extend(jobs(f for f in files if f.entry.md5 not in packed))

    def foresee(self) -> None:
        """Count what there is to pack, without doing it."""
        for job in self._ahead:
            for file in job:
                self._adding.foresee(file)

    def run(self) -> None:
        """Pack it, and let DVC know."""
        try:
            self._release([file.entry.md5 for file in self._sound()])
            while self._ahead:
                self._release(self._one_pack())
        finally:
            self._adding.tried.save()
            if self.counts.released:
                refresh_keep(self._registry, again=True)

    def _sound(self) -> Iterator[Cold]:
        """Those of what is loose as well that come out of their packs as they were.

        They are of a run that was killed, or others build on them; the packs may have
        been damaged since.
        """
        for file in self._double:
            if self._payloads.comes_back(file.entry):
                yield file
            else:
                self.counts.leave("damaged", file.entry.size)

    def _one_pack(self) -> list[str]:
        """Write a pack, read it back and give it its name; the files that it has."""
        done: list[str] = []
        with self._payloads.workspace() as work:
            path = work / "pack"
            with Writer(self._packs, path) as writer:
                while self._ahead and not (done and writer.size >= self._size):
                    done += self._add(writer, self._ahead.popleft())
                if not done:
                    return done
                name = writer.finish()
            read_back(path, self._packs)
            self._packs.publish(path, name)
        self.counts.packs.append(name)
        return done

    def _add(self, writer: Writer, job: list[Cold]) -> list[str]:
        if is_small(job[0]):
            return self._adding.small(writer, job)
        return self._adding.large(writer, job[0])

    def _release(self, oids: list[str]) -> None:
        """Remove the plain files of what is packed by now.

        The keep commit names some of them: from here on it counts as out of date.
        """
        if oids:
            keep.forget_keep(self._registry.git)
            with self._payloads.alone():
                self.counts.released += self._payloads.release(oids)

"""Making packed files plain again, so that DVC finds them, and packs go."""

import time
from collections.abc import Collection

from lineage.errors import VerificationError
from lineage.keeping import refresh_keep
from lineage.packing.counts import Unpacked
from lineage.packing.turn import turn
from lineage.registry import Registry
from lineage.store.disk import disk_errors
from lineage.store.files import FileEntry
from lineage.store.places import packers
from lineage.store.reading import Progress, unwatched
from lineage.wording import plural

_SAVE = "`lineage verify --repair` keeps what can be read, and says what is lost"


def unpack(
    registry: Registry, revset: str | None = None, *, progress: Progress = unwatched
) -> Unpacked:
    """Write the packed files of what `revset` selects, or all, out as plain ones.

    What no packed file needs any more leaves the packs.

    Raises:
        StoreError: when somebody else packs here, or the disk fails.
        VerificationError: when packed files are damaged, or a pack cannot be read;
            all others were unpacked, and the packs stay.
        NotFound, UsageError: for a revset that is not understood.
    """
    begun = time.monotonic()
    chosen = None if revset is None else _chosen(registry, revset)
    with turn(registry, "lineage unpack"), disk_errors("unpacking"):
        unpacker = _Unpacker(registry, progress)
        unpacker.run(chosen)
    unpacker.counts.seconds = time.monotonic() - begun
    return unpacker.counts


def strangers(registry: Registry) -> list[str]:
    """The names under which others have packed in this cache.

    One of them may be this registry's own, from before `.git/lineage/uuid` was lost.
    """
    places = registry.payloads.places
    return [name for name in packers(places.cache) if name != places.registry]


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
        self._lost: dict[str, VerificationError] = {}  # what is damaged, by MD5
        self.counts = Unpacked()

    def run(self, chosen: set[str] | None) -> None:
        """Make the chosen files plain, or all, and let packs go."""
        packed = set[str]().union(*(pack.tables.oids() for pack in self._packs))
        wanted = packed if chosen is None else packed & chosen
        try:
            for batch in self._payloads.packed_batches(wanted):
                self._write_sound(batch)
            self._refuse_damage(chosen)
            if wanted:
                self._drop(wanted)
        finally:
            if wanted:
                refresh_keep(self._registry, again=True)

    def _write_sound(self, batch: list[FileEntry]) -> None:
        """Make some files plain; if one is damaged, each by itself, and it stays."""
        try:
            self._write(batch)
        except VerificationError as error:
            if len(batch) == 1:
                self._lost[batch[0].md5] = error
                return
            for entry in batch:
                self._write_sound([entry])

    def _refuse_damage(self, chosen: set[str] | None) -> None:
        """Say what could not be had; then no pack goes.

        Of what is chosen nothing may be in a pack that cannot be read.
        """
        why = next((str(error) for error in self._lost.values()), "")
        if why:
            why = f"{plural(len(self._lost), 'packed file')} cannot be unpacked: {why}"
        elif chosen is None or not all(map(self._payloads.has, chosen)):
            damaged = sorted(self._packs.damaged.items())
            told = (f"the pack {name[:12]} cannot be read: {e}" for name, e in damaged)
            why = next(told, "")
        if why:
            raise VerificationError(why, hint=_SAVE)

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

"""The only module that writes payload bytes: DVC's cache, written once, pinned.

Order matters: copies in a directory of our own, one sync for the whole batch, a
hard link under ``<cache>/lineage/<registry>/`` (the pin), then the place in
``files/md5`` where DVC looks. `dvc gc` never lists pins, so what it deletes is
linked back from them.
"""

import filecmp
import os
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import BinaryIO

from lineage.errors import StoreError, VerificationError
from lineage.store.batches import batches
from lineage.store.digests import md5_at, sha256_at
from lineage.store.disk import disk_errors, locked, make_folder, sync_files
from lineage.store.files import FileEntry, Payload, dvc_directory
from lineage.store.hashes import HashCache
from lineage.store.packed.abreast import ABREAST
from lineage.store.packed.writing_out import write_files
from lineage.store.reading import Progress, unwatched
from lineage.store.scan import Found, scan
from lineage.store.staging import Batch, collision, refuse_erased
from lineage.store.stored import MISSING, Stored
from lineage.store.workspace import workspace

__all__ = ["MISSING", "Payloads"]

_CHUNK = 1 << 20
_FILES, _BYTES = 256, 64 << 20  # that are synced and published together


class Payloads(Stored):
    """The bytes of one registry inside one DVC cache directory."""

    def __init__(self, cache: Path, registry: str, hashes: HashCache) -> None:
        super().__init__(cache, registry)
        self._hashes = hashes

    # writing

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Keep gc away from what is stored and not recorded yet.

        Many may write at once. Whoever also takes the registry's lock takes this
        one first.
        """
        with disk_errors("writing to the DVC cache"):
            held = self._guard(shared=True)
        with held:
            yield

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Wait until nobody is writing, and hold newcomers off: for gc."""
        with disk_errors("cleaning the DVC cache"):
            held = self._guard(shared=False)
        with held:
            yield

    def _guard(self, *, shared: bool) -> ExitStack:
        """The kernel's lock: a writer that is killed lets go of it."""
        with ExitStack() as stack:
            stack.enter_context(
                locked(self._hashes.beside("writing.lock"), shared=shared)
            )
            return stack.pop_all()

    def add(
        self,
        top: Path,
        *,
        store: bool = True,
        progress: Progress | None = None,
        erased: Container[str] = (),
    ) -> tuple[Payload, list[FileEntry]]:
        """Take the file or folder `top` in (only hash it unless `store`).

        Files whose SHA-256 is in `erased` are not taken in again.

        Raises:
            NotAllowed: when there is an erased file.
            StoreError: when a file cannot be read, or changes while it is read.
            UsageError: for what cannot be a payload (see `scan`).
        """
        kind, found = scan(top)
        return self.take(kind, found, store=store, progress=progress, erased=erased)

    def take(
        self,
        kind: str,
        found: Sequence[Found],
        *,
        store: bool = True,
        progress: Progress | None = None,
        erased: Container[str] = (),
    ) -> tuple[Payload, list[FileEntry]]:
        """As `add`, of files wherever they lie, as what they are to be called."""
        self._hashes.load(item.stat for item in found)
        workspace = self.workspace() if store else nullcontext()
        with disk_errors("writing the payload"), workspace as work:
            batch = Batch(self, self._hashes, work, progress or (lambda _: None))
            entries = [batch.take(item) for item in found]
            refuse_erased(entries, erased)
            if kind == "directory":
                batch.add_list(dvc_directory(entries))
            if work:
                self.publish(batch.staged, work)
        self._hashes.save(batch.read)
        return Payload.of(entries, kind, stored=store), entries

    def add_lists(self, lists: Iterable[bytes]) -> None:
        """Store ``.dir`` lists that are not here yet."""
        with self.workspace() as work:
            batch = Batch(self, self._hashes, work, lambda _: None)
            for data in lists:
                batch.add_list(data)
            self.publish(batch.staged, work)

    def take_back(self, path: Path, oid: str) -> None:
        """Pin and publish an object that lies elsewhere in the cache.

        Raises:
            VerificationError: when its bytes are not those that its name says.
        """
        if md5_at(path) != oid.partition(".")[0]:
            message = f"{path} does not have the MD5 that it is called after"
            raise VerificationError(message, hint="remove it, or put it right")
        with self.workspace() as work:
            os.link(path, work / "back")
            self.publish({oid: work / "back"}, work)

    def check(self, entry: FileEntry) -> str:
        """What is wrong with a file's object; empty when nothing is.

        Where it is pinned and whole, DVC sees the pinned file again.
        """
        wrong = super().check(entry)
        if not wrong:
            self._unite(entry.md5)
        return wrong

    def _unite(self, oid: str) -> None:
        """Make the object that DVC sees the pinned file, should it be another one."""
        pin, place = self.places.pin(oid), self.places.place(oid)
        with suppress(OSError, StoreError):
            if not os.path.samefile(pin, place):
                with self.workspace() as work:
                    os.link(pin, work / "link")
                    os.replace(work / "link", place)

    def forget_wrong_digests(self, known: Mapping[str, str]) -> bool:
        """Remove the cache of digests, should it contradict `known`: SHA-256 by MD5."""
        return self._hashes.forget_wrong(known)

    def forget_digests(self, oids: Iterable[str]) -> None:
        """Remove objects from the cache of digests."""
        self._hashes.forget(oids)

    def read_anew(self, top: Path) -> tuple[Payload, list[FileEntry]]:
        """Hash a file or folder where it lies, whatever was known of it."""
        nothing = HashCache(Path(os.devnull, "hashes"))
        return Payloads(self.cache, self.registry, nothing).add(top, store=False)

    def adopt(self, entry: FileEntry) -> bool:
        """Pin an object that only DVC has, if it is what its entry says."""
        place = self.places.place(entry.md5)
        try:
            if sha256_at(place) == entry.sha256:
                self._link(place, self.places.pin(entry.md5))
        except OSError:
            return False
        return self.intact(entry.md5, entry.size)

    def publish(self, staged: dict[str, Path], work: Path) -> None:
        """Sync a batch, pin it, then show it to DVC: one file, two links.

        What is here already stays, loose or packed, so that no bytes are kept twice,
        unless it is damaged. `work` is for copies on their way.
        """
        if any(self.packs):
            packed = {oid for oid, path in staged.items() if self._packs_it(oid, path)}
            staged = {oid: path for oid, path in staged.items() if oid not in packed}
        self.loosen(staged, work)

    def loosen(self, staged: Mapping[str, Path], work: Path) -> None:
        """As `publish`, also of what is packed: afterwards it is a plain file, too."""
        sync_files(staged.values())
        changed = self._make_buckets(staged)
        for oid, path in staged.items():
            pin, place = self.places.pin(oid), self.places.place(oid)
            if _same_bytes(path, place) and not os.path.exists(pin):
                self._link(place, pin)  # DVC, or another registry, brought it here
            if not self._link(path, pin) and not _same_bytes(path, pin):
                _refuse_collision(oid, pin)
                os.replace(path, pin)
            if not self._link(pin, place) and not os.path.samefile(pin, place):
                os.link(pin, work / "link")
                os.replace(work / "link", place)
        sync_files(map(Path, changed))

    def release(self, oids: Iterable[str]) -> int:
        """Remove the plain files of packed objects; how many bytes those took.

        Call it under `alone`, once the packs have been read back.

        Raises:
            VerificationError: when no pack has one of them; nothing is removed then.
        """
        released = list(oids)
        for oid in released:
            if not self.packs.has(oid):
                message = f"the object {oid} is in no pack, and stays a file"
                raise VerificationError(message, hint="run `lineage verify`")
        return sum(map(self._release, released))

    def _release(self, oid: str) -> int:
        """A reader may make one link from the other: hence the pin twice."""
        pin, place = self.places.pin(oid), self.places.place(oid)
        size = 0
        for path in (pin, place, pin):
            with suppress(FileNotFoundError):
                size = os.stat(path).st_size
                os.unlink(path)
        for path in (pin, place):
            with suppress(OSError):
                os.rmdir(os.path.dirname(path))
        return size

    def restore(self, oids: Iterable[str]) -> int:
        """Make packed objects plain files again, beside their packs; how many.

        Call it under `alone`.

        Raises:
            VerificationError: when one is not what its pack says.
            StoreError: when the disk is full.
        """
        count = 0
        for batch in self.packed_batches(oids):
            with disk_errors("unpacking"), self.room() as work:
                count += len(self.make_plain(batch, work))
        return count

    def packed_batches(self, oids: Iterable[str]) -> Iterator[list[FileEntry]]:
        """Packed objects as they lie in packs, so many that one sync for all pays.

        That is a dozen at least: kin are read together.
        """
        files = self.packs.as_they_lie(oids)
        entries = (file.entry for file in files)
        return batches(entries, lambda e: e.size, _BYTES, _FILES, least=ABREAST)

    def make_plain(
        self, entries: Iterable[FileEntry], work: Path, progress: Progress = unwatched
    ) -> list[FileEntry]:
        """Write packed objects out in `work` and take them in; those not plain before.

        Raises:
            VerificationError: when one is not what its pack says.
        """
        fresh = [entry for entry in entries if not self.is_plain(entry)]
        write_files(self.packs, [entry.md5 for entry in fresh], work, progress)
        self.loosen({entry.md5: work / entry.md5 for entry in fresh}, work)
        return fresh

    def _packs_it(self, oid: str, path: Path) -> bool:
        """Whether an object is packed only, and is what the file at `path` is."""
        try:
            packed = None if self.is_loose(oid) else self.packs.open(oid)
            if packed is None:
                return False
            with packed, path.open("rb") as file:
                return _alike(file, packed)
        except VerificationError:
            return False

    def _make_buckets(self, oids: Iterable[str]) -> list[str]:
        """The folders that objects go into, and those that now have a new one."""
        roots = (self.places.pins, self.places.objects)
        buckets = {f"{root}/{oid[:2]}" for root in roots for oid in oids}
        return sorted(buckets.union(*map(make_folder, buckets)))

    @contextmanager
    def workspace(self) -> Iterator[Path]:
        """A directory for one writer's copies, on the file system of the cache."""
        with self.writing(), self.room() as work:
            yield work

    @contextmanager
    def room(self) -> Iterator[Path]:
        """As `workspace`, for who is `alone`."""
        with workspace(self.places.tmp, "the DVC cache") as work:
            yield work


def _same_bytes(first: str | Path, second: str | Path) -> bool:
    """Whether two files are the same; not so when the second is missing."""
    with suppress(FileNotFoundError):
        return filecmp.cmp(first, second, shallow=False)
    return False


def _alike(first: BinaryIO, second: BinaryIO) -> bool:
    while (data := first.read(_CHUNK)) == second.read(_CHUNK):
        if not data:
            return True
    return False


def _refuse_collision(oid: str, present: str) -> None:
    """An object with other bytes is damaged, or there are two files of one MD5."""
    found = md5_at(present)
    if found == oid.partition(".")[0]:
        raise collision(found)

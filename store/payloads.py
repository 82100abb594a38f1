"""The only module that writes payload bytes: DVC's cache, written once, pinned.

A file is read once. MD5 (DVC's address) and SHA-256 (our identity) are made on
two threads while the copy is written. Order matters: copies in a directory of
our own, one sync for the whole batch, a hard link under
``<cache>/lineage/<registry>/`` (the pin), then the place in ``files/md5`` where
DVC looks. `dvc gc` never lists pins, so what it deletes is linked back from them.
"""

import filecmp
import hashlib
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from lineage.errors import StoreError, VerificationError
from lineage.store.disk import disk_errors, locked, reflink, sync_files, sync_path
from lineage.store.hashes import HashCache, Stamp, mode_of
from lineage.store.objects import FileEntry, Payload
from lineage.store.scan import Found, scan

Progress = Callable[[int], None]
"""Called with the number of bytes done since the last call."""

_CHUNK = 1 << 20
_SMALL = 4 << 20  # up to here starting threads costs more than it saves


class Payloads:
    """The bytes of one registry inside one DVC cache directory."""

    def __init__(self, cache: Path, registry: str, hashes: HashCache) -> None:
        self.cache = cache
        self._own = cache / "lineage"
        self._pins = self._own / registry
        self._objects = cache / "files" / "md5"
        self._hashes = hashes

    # writing

    def add(
        self, top: Path, *, store: bool = True, progress: Progress | None = None
    ) -> tuple[Payload, list[FileEntry]]:
        """Take the file or folder `top` in (only hash it unless `store`).

        Raises:
            StoreError: when a file cannot be read, or changes while it is read.
            UsageError: for what cannot be a payload (see `scan`).
        """
        kind, found = scan(top)
        self._hashes.load(item.stat.st_dev for item in found)
        with disk_errors("writing the payload"), self._workspace() as work:
            batch = _Batch(self, work if store else None, progress or (lambda _: None))
            entries = [batch.take(item) for item in found]
            if store:
                self._publish(batch.staged, work)
                if kind == "directory":
                    self.add_bytes(dvc_directory(entries), ".dir")
        self._hashes.save(batch.read)
        return Payload.of(entries, kind, stored=store), entries

    def add_bytes(self, data: bytes, suffix: str = "") -> str:
        """Store `data` (a ``.dir`` list, say) and return its MD5 with `suffix`."""
        oid = hashlib.md5(data, usedforsecurity=False).hexdigest() + suffix
        if not self._intact(oid, len(data)):
            with self._workspace() as work:
                path = work / oid
                path.write_bytes(data)
                path.chmod(0o444)
                self._publish({oid: path}, work)
        return oid

    def known(self, item: Found, *, stored: bool) -> FileEntry | None:
        """The entry of an unchanged file whose object is still here."""
        entry = self._hashes.entry(item.path, item.stat)
        if entry and (not stored or self._intact(entry.md5, entry.size)):
            return entry
        return None

    def _intact(self, oid: str, size: int) -> bool:
        """Whether the object is pinned at full length; DVC's link is made good."""
        pin = self._at(self._pins, oid)
        try:
            if os.stat(pin).st_size != size:
                return False
        except OSError:
            return False
        if not os.path.exists(self._at(self._objects, oid)):
            self._link(pin, self._at(self._objects, oid))
        return True

    def _publish(self, staged: dict[str, Path], work: Path) -> None:
        """Sync a batch, pin it, then show it to DVC: one file, two links.

        What is pinned already stays, so that no bytes are kept twice, unless it is
        damaged. `work` is for copies on their way.
        """
        sync_files(staged.values())
        touched = set()
        for oid, path in staged.items():
            pin, place = self._at(self._pins, oid), self._at(self._objects, oid)
            if not self._link(path, pin) and not _same_bytes(path, pin):
                _refuse_collision(oid, pin)
                os.replace(path, pin)
            if not self._link(pin, place) and not os.path.samefile(pin, place):
                os.link(pin, work / "link")
                os.replace(work / "link", place)
            touched |= {os.path.dirname(pin), os.path.dirname(place)}
        if len(touched) <= 2:
            for folder in touched:
                sync_path(Path(folder))
        elif touched:
            sync_files(Path(folder) for folder in touched)

    @staticmethod
    def _link(source: str | Path, target: str) -> bool:
        """Hard-link; False when something is there already."""
        os.makedirs(os.path.dirname(target), exist_ok=True)
        try:
            os.link(source, target)
        except FileExistsError:
            return False
        return True

    @staticmethod
    def _at(root: Path, oid: str) -> str:
        return f"{root}/{oid[:2]}/{oid[2:]}"

    @contextmanager
    def _workspace(self) -> Iterator[Path]:
        """A directory for one writer's copies, swept by others once he is gone."""
        parent = self._own / "tmp"
        with disk_errors("writing to the DVC cache"):
            parent.mkdir(parents=True, exist_ok=True)
            sweep(parent)
            work = parent / secrets.token_hex(8)
            lock = work.with_suffix(".lock")
        with locked(lock):
            try:
                work.mkdir()
                yield work
            finally:
                shutil.rmtree(work, ignore_errors=True)
                lock.unlink(missing_ok=True)

    # reading

    def path(self, oid: str) -> Path:
        """Where an object lies; a cache link that `dvc gc` took is made again.

        Raises:
            StoreError: when it is in neither the pins nor the cache.
        """
        pin, place = self._at(self._pins, oid), self._at(self._objects, oid)
        if os.path.exists(pin):
            if not os.path.exists(place):
                with suppress(OSError):
                    self._link(pin, place)
            return Path(pin)
        if os.path.exists(place):
            with suppress(OSError):
                self._link(place, pin)
            return Path(place)
        hint = "fetch it from a remote, or commit the same files again"
        raise StoreError(f"the object {oid} is missing from the cache", hint=hint)

    def check(self, entry: FileEntry) -> str:
        """What is wrong with a file's object; empty when nothing is."""
        try:
            path = self.path(entry.md5)
            size = path.stat().st_size
            if size != entry.size:
                return f"is {size} bytes long instead of {entry.size}"
            with path.open("rb") as file:
                found = hashlib.file_digest(file, "sha256").hexdigest()
        except StoreError:
            return "is missing from the cache"
        except OSError as error:
            return f"cannot be read: {error.strerror}"
        return "" if found == entry.sha256 else "does not have its recorded SHA-256"

    def copy(self, entry: FileEntry, target: Path) -> None:
        """Write a file's bytes to the new file `target`, verified on the way.

        Raises:
            VerificationError: when they are not what the commit recorded.
        """
        mode = int(entry.mode[-3:], 8)
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        with self.path(entry.md5).open("rb") as source:
            descriptor = os.open(target, flags, mode)
            with os.fdopen(descriptor, "wb") as out:
                cloned = reflink(source.fileno(), out.fileno())
                found = hashlib.sha256()
                while chunk := source.read(_CHUNK):
                    found.update(chunk)
                    if not cloned:
                        out.write(chunk)
        if found.hexdigest() != entry.sha256:
            hint = "run `lineage verify` to see how far the damage goes"
            message = f"{entry.path} does not have its recorded SHA-256"
            raise VerificationError(message, hint=hint)


class _Batch:
    """The files of one `add`, staged one after the other."""

    def __init__(
        self, payloads: Payloads, work: Path | None, progress: Progress
    ) -> None:
        self._payloads = payloads
        self._work = work
        self._progress = progress
        self._seen: dict[str, str] = {}
        self.staged: dict[str, Path] = {}
        self.read: list[tuple[FileEntry, os.stat_result]] = []

    def take(self, item: Found) -> FileEntry:
        if item.is_directory:
            return FileEntry(item.path, mode_of(item.stat))
        entry = self._payloads.known(item, stored=self._work is not None)
        if entry:
            self._progress(entry.size)
        else:
            entry = self._read(item)
        if self._seen.setdefault(entry.md5, entry.sha256) != entry.sha256:
            raise _collision(entry.md5)
        return entry

    def _read(self, item: Found) -> FileEntry:
        copy = self._work / str(len(self.read)) if self._work else None
        with _source(item) as source:
            with open(copy or os.devnull, "wb", buffering=0) as out:
                md5, sha256 = _hash(source, out, item.stat.st_size, self._progress)
            after = os.fstat(source.fileno())
        if Stamp.of(after) != Stamp.of(item.stat):
            hint = "commit it once nothing writes to it"
            raise StoreError(f"{item.source} changed while it was read", hint=hint)
        if copy:
            copy.chmod(0o444)
            self.staged[md5] = copy
        entry = FileEntry(item.path, mode_of(after), after.st_size, sha256, md5)
        self.read.append((entry, after))
        return entry


def _source(item: Found) -> BinaryIO:
    try:
        return open(item.source, "rb", buffering=0)
    except OSError as error:
        raise StoreError(f"{item.source} cannot be read: {error.strerror}") from None


def _hash(
    source: BinaryIO, out: BinaryIO, size: int, progress: Progress
) -> tuple[str, str]:
    """Copy `source` to `out`; its MD5 and SHA-256, on a thread each when it pays."""
    md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
    if size <= _SMALL:
        while data := source.read(_SMALL):
            md5.update(data)
            sha256.update(data)
            _write(out, memoryview(data))
            progress(len(data))
        return md5.hexdigest(), sha256.hexdigest()
    with ThreadPoolExecutor(1) as first, ThreadPoolExecutor(1) as second:
        pending: list[Future[None]] = []
        buffers = [bytearray(_CHUNK) for _ in range(3)]
        turn = 0
        while count := source.readinto(buffers[turn]):  # type: ignore[attr-defined]
            chunk = memoryview(buffers[turn])[:count]
            _wait(pending, 2)
            pending.append(first.submit(md5.update, chunk))
            pending.append(second.submit(sha256.update, chunk))
            _write(out, chunk)
            progress(count)
            turn = (turn + 1) % len(buffers)
        _wait(pending, 0)
    return md5.hexdigest(), sha256.hexdigest()


def _wait(pending: list[Future[None]], leave: int) -> None:
    while len(pending) > leave:
        pending.pop(0).result()


def _write(out: BinaryIO, data: memoryview) -> None:
    while data:
        data = data[out.write(data) :]


def _same_bytes(first: str | Path, second: str | Path) -> bool:
    return filecmp.cmp(first, second, shallow=False)


def _refuse_collision(oid: str, present: str) -> None:
    """An object with other bytes is damaged, or there are two files of one MD5."""
    with open(present, "rb") as file:
        found = hashlib.file_digest(file, "md5").hexdigest()
    if found == oid.partition(".")[0]:
        raise _collision(found)


def _collision(md5: str) -> StoreError:
    hint = "somebody made them so on purpose; DVC can keep only one of them"
    return StoreError(f"two files with other bytes have one MD5, {md5}", hint=hint)


def dvc_address(kind: str, entries: list[FileEntry]) -> tuple[str, int]:
    """What DVC calls a payload of type `kind`: its MD5 address and size in bytes."""
    files = [entry for entry in entries if not entry.is_directory]
    if kind == "file":
        return files[0].md5, files[0].size
    data = dvc_directory(entries)
    oid = hashlib.md5(data, usedforsecurity=False).hexdigest()
    return f"{oid}.dir", sum(entry.size for entry in files)


def dvc_directory(entries: list[FileEntry]) -> bytes:
    """The ``.dir`` object that DVC would write for these files, byte for byte."""
    import json

    rows = [
        {"md5": entry.md5, "relpath": entry.path}
        for entry in sorted(entries)
        if not entry.is_directory
    ]
    return json.dumps(rows, sort_keys=True).encode()


def sweep(parent: Path) -> None:
    """Remove the copies of writers that are gone: their lock can be taken."""
    for lock in parent.glob("*.lock"):
        with suppress(OSError), locked(lock, wait=False):
            shutil.rmtree(lock.with_suffix(""), ignore_errors=True)
            lock.unlink(missing_ok=True)

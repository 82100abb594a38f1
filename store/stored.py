"""Reading the payload bytes of one registry, wherever in its cache they are.

An object is *loose*, a plain file below the pins and where DVC looks, or *packed*, a
part of the registry's packs, or both: then the plain file is read. Readers hold no
lock, so one that finds no file looks into the packs, and once more for a file.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import EOPNOTSUPP, EPERM
from functools import cached_property
from io import BufferedIOBase, FileIO
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, cast

from lineage.errors import StoreError, VerificationError
from lineage.store.digests import Digests, sha256_of
from lineage.store.disk import make_folder
from lineage.store.files import FileEntry
from lineage.store.giving import give
from lineage.store.lent import Lent
from lineage.store.places import Places

if TYPE_CHECKING:
    from lineage.store.packed.packs import Packs

_TRIES = 3  # looks for an object that others pack and unpack meanwhile
MISSING = "is missing from the cache"


class Stored:
    """What can be read of the payloads of one registry in one DVC cache."""

    def __init__(self, cache: Path, registry: str) -> None:
        self.cache = cache
        self.registry = registry
        self.places = Places(cache, registry)
        self._lent = Lent(self.places.tmp)

    @cached_property
    def packs(self) -> "Packs":
        """The packs of this registry, of which there may be none."""
        from lineage.store.packed.packs import Packs

        return Packs(self.cache, self.registry)

    # what is here

    def has(self, oid: str) -> bool:
        """Whether an object is here: pinned, where DVC keeps it, or packed."""
        here = self.is_loose(oid) or self.packs.has(oid)
        return here or self.is_loose(oid)  # somebody has unpacked it meanwhile

    def is_loose(self, oid: str) -> bool:
        """Whether an object is a file of its own: pinned, or where DVC keeps it."""
        return self.is_pinned(oid) or os.path.exists(self.places.place(oid))

    def is_packed(self, oid: str) -> bool:
        """Whether an object is in the packs only."""
        return not self.is_loose(oid) and self.packs.has(oid)

    def is_pinned(self, oid: str) -> bool:
        return os.path.exists(self.places.pin(oid))

    def is_linked(self, oid: str) -> bool:
        """Whether pin and DVC's place are there, and one file."""
        with suppress(OSError):
            return os.path.samefile(self.places.pin(oid), self.places.place(oid))
        return False

    def intact(self, oid: str, size: int) -> bool:
        """Whether the object is pinned, or packed, at full length.

        DVC's link of one that is pinned is made good.
        """
        pin, place = self.places.pin(oid), self.places.place(oid)
        found = _size(pin)
        if found is None and (packed := self.packs.find(oid)):
            return packed[1].size == size
        if found is None:
            found = _size(pin)  # somebody has unpacked it meanwhile
        if found != size:
            return False
        if not os.access(place, os.F_OK):
            self._link(pin, place)
        return True

    # reading

    def open(self, oid: str) -> BinaryIO:
        """An object's bytes, from its file or out of a pack; may be sought in.

        Raises:
            StoreError: when it is nowhere in the cache.
        """
        for _ in range(_TRIES):
            with suppress(FileNotFoundError):
                if path := self.loose(oid):
                    return path.open("rb")
            if found := self.packs.open(oid):
                return found
        raise missing(oid)

    def path(self, oid: str) -> Path:
        """A plain file with an object's bytes, for readers that need one.

        It stays, whatever others do, until `let_go`, `rest` or `close`. What is packed
        is written out for that: `open` is better where a file is read once.

        Raises:
            StoreError: when it is nowhere in the cache, or the disk is full.
        """
        for _ in range(_TRIES):
            with suppress(FileNotFoundError):
                if path := self.loose(oid):
                    return self._lent.link(oid, path)
            if path := self._lent.thaw(oid, self.packs):
                return path
        raise missing(oid)

    @contextmanager
    def at(self, oid: str) -> Iterator[Path]:
        """As `path`, for a while.

        Raises:
            StoreError: as `path`.
        """
        path = self.path(oid)
        try:
            yield path
        finally:
            self.let_go(oid)

    def let_go(self, oid: str) -> None:
        """Somebody is done with the file that `path` gave for an object."""
        self._lent.let_go(oid)

    def rest(self) -> None:
        """Everybody is done with what `path` gave; a little is kept for the next."""
        self._lent.rest()

    def close(self) -> None:
        """Remove the files that `path` gave."""
        self._lent.close()

    def loose(self, oid: str) -> Path | None:
        """The file of an object; a cache link that `dvc gc` took is made again."""
        pin, place = self.places.pin(oid), self.places.place(oid)
        if os.path.exists(pin):
            if not os.path.exists(place):
                with suppress(OSError):
                    self._link(pin, place)
            return Path(pin)
        if os.path.exists(place):
            with suppress(OSError):
                self._link(place, pin)
            return Path(place)
        return None

    def digests(self, oid: str) -> tuple[str, str]:
        """MD5 and SHA-256 of an object that is here, as its bytes are."""
        with self.open(oid) as file:
            found = Digests.of(file.read)
        return found.md5, found.sha256

    def check(self, entry: FileEntry) -> str:
        """What is wrong with a file's object; empty when nothing is."""
        try:
            opened = self.open(entry.md5)
        except StoreError:
            return MISSING
        except OSError as error:
            return f"cannot be read: {error.strerror}"
        try:
            with opened as file:
                size = file.seek(0, os.SEEK_END)
                if size != entry.size:
                    return f"is {size} bytes long instead of {entry.size}"
                file.seek(0)
                found = sha256_of(file)
        except OSError as error:
            return f"cannot be read: {error.strerror}"
        except VerificationError as error:
            return f"cannot be read: {error}"
        return "" if found == entry.sha256 else "does not have its recorded SHA-256"

    def is_plain(self, entry: FileEntry) -> bool:
        """Whether the object is a plain file, and that file what it should be."""
        with suppress(OSError):
            if path := self.loose(entry.md5):
                with path.open("rb") as file:
                    return sha256_of(file) == entry.sha256
        return False

    def comes_back(self, entry: FileEntry) -> bool:
        """Whether the object is packed, and comes out of its pack as it should be."""
        with suppress(VerificationError):
            if packed := self.packs.open(entry.md5, anew=True):
                with packed:
                    return sha256_of(packed) == entry.sha256
        return False

    def copy(self, entry: FileEntry, target: str | Path) -> None:
        """Write a file's bytes to the new file `target`, verified on the way.

        Raises:
            VerificationError: when they are not what the commit recorded.
        """
        mode = int(entry.mode[-3:], 8)
        with self._unbuffered(entry.md5) as source:
            found = give(source, entry.size, os.fspath(target), mode)
        if found != entry.sha256:
            hint = "run `lineage verify` to see how far the damage goes"
            message = f"{entry.path} does not have its recorded SHA-256"
            raise VerificationError(message, hint=hint)

    def _unbuffered(self, oid: str) -> FileIO | BufferedIOBase:
        """As `open`, for whoever reads much at once; most objects are pinned."""
        with suppress(FileNotFoundError):
            return FileIO(self.places.pin(oid))
        return cast("BufferedIOBase", self.open(oid))

    # places

    @staticmethod
    def _link(source: str | Path, target: str) -> bool:
        """Hard-link; False when something is there already."""
        try:
            return _linked(source, target)
        except FileNotFoundError:
            make_folder(os.path.dirname(target))
        return _linked(source, target)


def _size(path: str) -> int | None:
    try:
        return os.stat(path).st_size
    except OSError:
        return None


def missing(oid: str) -> StoreError:
    hint = "fetch it from a remote, or commit the same files again"
    return StoreError(f"the object {oid} is missing from the cache", hint=hint)


def _linked(source: str | Path, target: str) -> bool:
    try:
        os.link(source, target)
    except FileExistsError:
        return False
    except OSError as error:
        if error.errno not in (EPERM, EOPNOTSUPP):
            raise
        hint = "have the cache where there are: `dvc cache dir PATH`"
        message = f"the file system of {target} has no hard links"
        raise StoreError(message, hint=hint) from None
    return True

"""The bytes of a DVC repository: its cache, of DVC 3 and of the versions before."""

import json
import posixpath
from collections.abc import Iterator
from hashlib import md5
from pathlib import Path

from lineage.errors import LineageError, NotAllowed, VerificationError
from lineage.integrations.dvc.files import Out
from lineage.registry import Registry
from lineage.store.files import FileEntry, Payload
from lineage.store.places import place
from lineage.store.scan import Found

_MD5 = 32


class Cache:
    """The cache folder of one DVC repository, read and never written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def take(
        self, registry: Registry, out: Out
    ) -> tuple[Payload, list[FileEntry]] | None:
        """Take the bytes of an out into a registry; None where they are not all here.

        What was erased there is not taken in again.

        Raises:
            VerificationError: when a file does not have the MD5 that it is named after.
        """
        found = self._found(out)
        if not found:
            return None
        kind = "directory" if out.is_folder else "file"
        try:
            taken = registry.payloads.take(kind, found, erased=registry.erased())
        except NotAllowed:
            return None
        for entry, item in zip(taken[1], found, strict=True):
            _check(entry, item)
        return taken

    def _found(self, out: Out) -> list[Found] | None:
        """The files of an out where they lie; None where one is missing."""
        try:
            if not out.is_folder:
                return [self._item(out.digest, posixpath.basename(out.path))]
            return sorted(self._listed(out.digest), key=lambda item: item.path)
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def _listed(self, digest: str) -> Iterator[Found]:
        for row in json.loads(self._place(digest).read_bytes()):
            path = str(row["relpath"])
            if {"", ".", ".."} & set(path.split("/")):
                raise ValueError(path)  # no path inside a folder
            yield self._item(str(row["md5"]), path)

    def _item(self, digest: str, path: str) -> Found:
        place = self._place(digest)
        return Found(str(place), path, place.stat())

    def _place(self, digest: str) -> Path:
        """Where an object is, or where DVC would put it."""
        oid = digest.removesuffix(".dir")
        if len(oid) != _MD5 or not oid.isalnum():
            raise ValueError(digest)
        new = place(self._folder, digest)
        old = self._folder / digest[:2] / digest[2:]
        return new if new.exists() else old


def _check(entry: FileEntry, item: Found) -> None:
    """Compare a file with its name in the cache: its MD5, or that of its text."""
    place = Path(item.source)
    wanted = place.parent.name + place.name
    if entry.md5 == wanted:
        return
    text = place.read_bytes().replace(b"\r\n", b"\n")
    if md5(text, usedforsecurity=False).hexdigest() != wanted:
        message = f"{place} does not have the MD5 that it is called after"
        hint = "bring a whole copy: remove it, then `dvc fetch` there"
        raise VerificationError(message, hint=hint)


def cache_of(root: Path) -> Cache:
    """The cache that the DVC repository at `root` is configured for."""
    from lineage.store import dvc

    try:
        return Cache(dvc.cache_directory(root))
    except LineageError:
        return Cache(root / ".dvc" / "cache")

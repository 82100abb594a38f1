"""Payload objects at a DVC remote, where `dvc push` and `dvc pull` look for them.

DVC finds the remote and speaks its protocol. It does not move our objects: its
transfers put corrupt bytes into the cache as good ones, say nothing of what is
missing and trust an index of what they once saw. Here every object is compared with
its MD5, its SHA-256 and its size before it is sent and when it has arrived.
"""

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

from lineage.errors import LineageError, StoreError, first_line
from lineage.store.files import FILE, FileEntry
from lineage.store.packed.format import SUFFIX
from lineage.store.parallel import Crew
from lineage.store.places import OBJECTS, OURS, PACKS
from lineage.store.reading import Progress, compared

_MANY = 2048  # objects from which listing their folders is less work than asking
_FLAT = frozenset({"s3", "gs", "azure", "oss"})  # object stores have no folders
_PAGE = 1000  # names in one answer of an object store
_PART = 16 << 20  # bytes of an S3 upload that are in memory at once
_PARTING = 5  # seconds
_PARTS = 10_000  # S3 takes no more
_PASSWORD = re.compile(r"(?<=://)[^/@]*@")
_PACK = re.compile(rf"([0-9a-f]{{64}}){re.escape(SUFFIX)}\Z")


class RemotePayloads:
    """One DVC remote. Objects lie at ``files/md5/AB/CDEF…`` below its address.

    Packs lie at ``lineage/packs/NAME.pack``. To send and to receive they are entries
    without an MD5 (see `pack_entry`), whose SHA-256 is their name.
    """

    def __init__(self, name: str, url: str, fs: Any, path: str) -> None:
        self.name = name
        self.url = _PASSWORD.sub("", url)
        self.jobs: int = fs.jobs
        self._fs = fs
        self._objects = fs.join(path, *OBJECTS)
        self._packs = fs.join(path, OURS, PACKS)

    def connect(self) -> None:
        """Reach the remote, as far as its protocol has anything to reach.

        Raises:
            StoreError: when it cannot be reached.
        """
        with self._errors("cannot be reached"):
            if self._fs.protocol == "s3":
                _trust_our_own_digests(self._fs)
            self._fs.fs.invalidate_cache()

    def close(self) -> None:
        """Let go of connections, which else end when Python comes to them."""
        from fsspec.asyn import sync

        fs = self._fs.fs
        for name in ("_session", "_s3"):
            if client := getattr(fs, name, None):
                with suppress(Exception):  # it goes in any case
                    sync(fs.loop, client.close, timeout=_PARTING)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __str__(self) -> str:
        return f"the DVC remote {self.name}"

    def _at(self, oid: str) -> str:
        return str(self._fs.join(self._objects, oid[:2], oid[2:]))

    def _place(self, entry: FileEntry) -> str:
        return self._at(entry.md5) if entry.md5 else self._pack(entry.sha256)

    def _pack(self, name: str) -> str:
        return str(self._fs.join(self._packs, f"{name}{SUFFIX}"))

    def sizes(self, oids: Iterable[str]) -> dict[str, int | None]:
        """The objects of `oids` that are there, asked anew; None: of unknown size.

        Raises:
            StoreError: when the remote cannot be asked.
        """
        asked = sorted(set(oids))
        with self._errors("cannot be read"):
            self._fs.fs.invalidate_cache()
            if len(asked) > 2 and self._pages() < len(asked):
                return self._found(asked)
            if len(asked) >= _MANY and self._fs.CAN_TRAVERSE:
                return self._listed(asked)
            return dict(self._asked(asked))

    def _pages(self) -> float:
        """About how many requests list all there is, by what one folder holds.

        Without end where files are in folders, which are listed one by one, and for
        who may read objects but not list them.
        """
        if self._fs.protocol in _FLAT:
            with suppress(PermissionError):
                return 2 + len(self._listing("00")) * 256 / _PAGE
        return math.inf

    def _found(self, oids: Sequence[str]) -> dict[str, int | None]:
        """List all at once, which in an object store takes a request for 1,000."""
        infos = self._fs.fs.find(self._objects, detail=True)
        sizes = {
            "".join(name.split("/")[-2:]): i.get("size") for name, i in infos.items()
        }
        return {oid: sizes[oid] for oid in oids if oid in sizes}

    def _asked(self, oids: Sequence[str]) -> Iterator[tuple[str, int | None]]:
        """Ask for one object after the other, several at a time.

        One is asked for alone: a server that is away is tried again and again, which
        takes as long for one as for all of a batch, and many times as long for many.
        """
        yield from self._answers(oids[:1])
        yield from self._answers(oids[1:])

    def _answers(self, oids: Sequence[str]) -> Iterator[tuple[str, int | None]]:
        places = list(map(self._at, oids))
        for oid, info in zip(oids, self._infos(places), strict=True):
            if not isinstance(info, Exception):
                if info.get("type") == "file":
                    yield oid, info.get("size")
            elif not _says_missing(info):
                raise info.__cause__ or info

    def _infos(self, places: list[str]) -> list[Any]:
        found: list[Any] = self._fs.info(places, return_exceptions=True)
        return found

    def _listed(self, oids: Sequence[str]) -> dict[str, int | None]:
        """List the folders of many objects instead."""
        found: dict[str, int | None] = {}
        buckets = sorted({oid[:2] for oid in oids})
        for bucket, listing in Crew(self.jobs).each(self._listing, buckets):
            if isinstance(listing, Exception):
                raise listing
            for info in listing:
                name = info["name"].rstrip("/").rpartition("/")[2]
                found[bucket + name] = info.get("size")
        return {oid: found[oid] for oid in oids if oid in found}

    def _listing(self, bucket: str) -> list[dict[str, Any]]:
        with suppress(FileNotFoundError):
            listing = self._fs.fs.ls(self._fs.join(self._objects, bucket), detail=True)
            return [info for info in listing if info["type"] == "file"]
        return []

    def send(self, source: Path, entry: FileEntry, progress: Progress) -> str:
        """Send one object that has been compared with its entry just before.

        What is wrong with the bytes here, which are not sent then; empty if nothing.
        """
        wrong = compared(source, entry, progress)
        if not wrong:
            place = self._place(entry)
            self._make_folder(place)
            options = self._sending(entry.size)
            tick = _callback(progress)
            self._fs.fs.put_file(str(source), place, callback=tick, **options)
        return wrong

    def _make_folder(self, place: str) -> None:
        if self._fs.CAN_TRAVERSE:  # a web server has no folders
            self._fs.makedirs(self._fs.parent(place))

    def _sending(self, size: int) -> dict[str, Any]:
        """S3 sends in parts, each of which is held in memory."""
        if self._fs.protocol != "s3":
            return self._one_stream()
        return {"chunksize": max(_PART, math.ceil(size / _PARTS)), "max_concurrency": 1}

    def _one_stream(self) -> dict[str, Any]:
        """Objects move side by side, so that one of them need not move in pieces."""
        return {"max_concurrency": 1} if hasattr(self._fs.fs, "max_concurrency") else {}

    def receive(self, entry: FileEntry, copy: Path, progress: Progress) -> str:
        """Bring one object to the new file `copy`, and compare it with its entry.

        What is wrong with the bytes there; empty if nothing.

        Raises:
            FileNotFoundError: when it is not there.
        """
        options = self._one_stream()
        place, tick = self._place(entry), _callback(progress)
        self._fs.fs.get_file(place, str(copy), callback=tick, **options)
        copy.chmod(0o444)
        return compared(copy, entry, progress)

    def packs(self) -> dict[str, int]:
        """The packs that are there, asked anew: their sizes by name.

        A web server that does not list its folders has none.

        Raises:
            StoreError: when the remote cannot be asked.
        """
        with self._errors("cannot be read"):
            self._fs.fs.invalidate_cache()
            found = {_PACK.search(info["name"]): info for info in self._listed_packs()}
            sizes = {
                match[1]: info.get("size") for match, info in found.items() if match
            }
            untold = [name for name, size in sizes.items() if size is None]
            infos = self._infos([self._pack(name) for name in untold]) if untold else []
            for name, info in zip(untold, infos, strict=True):
                sizes[name] = None if isinstance(info, Exception) else info.get("size")
            return {name: size for name, size in sizes.items() if size is not None}

    def _listed_packs(self) -> list[dict[str, Any]]:
        try:
            return list(self._fs.fs.ls(self._packs, detail=True))
        except FileNotFoundError:
            return []
        except Exception:
            if self._fs.CAN_TRAVERSE:
                raise
            return []

    def part(self, name: str, start: int, end: int) -> bytes:
        """The bytes of a pack from `start` to before `end`.

        Raises:
            FileNotFoundError: when it is not there.
        """
        fs, place = self._fs.fs, self._pack(name)
        if self._fs.protocol == "ssh":  # whose `cat_file` reads all
            with fs.open(place, "rb") as file:
                file.seek(start)
                return bytes(file.read(end - start))
        data = bytes(fs.cat_file(place, start=start, end=end))
        # a web server may not know of parts
        return data if len(data) <= end - start else data[start:end]

    @contextmanager
    def sending(self) -> Iterator[None]:
        """What is sent within is there for good afterwards."""
        with self._errors("cannot be written"):
            yield

    def remove(self, oids: Iterable[str]) -> None:
        """Remove objects; those that are not there are no error.

        Raises:
            StoreError: when they cannot be removed, or are still there afterwards.
        """
        asked = list(self.sizes(oids))
        self._remove(list(map(self._at, asked)))
        if left := list(self.sizes(asked)):
            raise StoreError(f"{self} still has the object {left[0]} after removal")

    def remove_packs(self, names: Iterable[str]) -> None:
        """Remove packs, one after the other; those that are not there are no error.

        Raises:
            StoreError: as `remove`.
        """
        asked = list(names)
        for name in asked:
            self._remove([self._pack(name)])
        if left := [name for name in asked if name in self.packs()]:
            raise StoreError(f"{self} still has the pack {left[0]} after removal")

    def _remove(self, places: Iterable[str]) -> None:
        with self._errors("cannot be written"):
            for place, error in Crew(self.jobs).each(self._remove_one, places):
                if isinstance(error, NotImplementedError):
                    hint = "remove it on the server"
                    what = "/".join(place.split("/")[-2:])
                    raise StoreError(f"{self} cannot remove {what}", hint=hint)
                if isinstance(error, Exception):
                    raise error

    def _remove_one(self, place: str) -> None:
        with suppress(FileNotFoundError):
            self._fs.fs.rm_file(place)

    @contextmanager
    def _errors(self, what: str) -> Iterator[None]:
        """Say in one sentence what a library underneath has raised."""
        try:
            yield
        except LineageError:
            raise
        except Exception as error:
            hint = "`dvc remote list` has its address, `dvc remote modify` its keys"
            message = f"{self} ({self.url}) {what}: {reason(error)}"
            raise StoreError(message, hint=hint) from error


def _says_missing(error: Exception) -> bool:
    """Whether a server has said that something is not there.

    fsspec says so of web servers too that could not be asked, or would not answer.
    """
    cause = error.__cause__
    refused = isinstance(cause, OSError) and not isinstance(cause, FileNotFoundError)
    missing = isinstance(error, FileNotFoundError | NotADirectoryError)
    return missing and not refused and getattr(cause, "status", 404) in (404, 410)


def _trust_our_own_digests(fs: Any) -> None:
    """Take no checksum that a server gives with a part of an object for its own.

    Some (rclone's) give that of the whole with each part, and botocore would refuse
    them. We compare the whole with its MD5 and SHA-256.
    """
    settings = fs.fs_args.setdefault("config_kwargs", {})
    settings.setdefault("response_checksum_validation", "when_required")


def pack_entry(name: str, size: int) -> FileEntry:
    """A pack, as objects are sent and received."""
    return FileEntry(f"{name}{SUFFIX}", FILE, size, name)


def reason(error: BaseException) -> str:
    """What an exception says, in the words of the system where it has some."""
    return str(getattr(error, "strerror", None) or first_line(error))


def _callback(progress: Progress) -> Any:
    """What fsspec tells how far it is; raising in it ends the transfer."""
    from fsspec.callbacks import Callback

    told = 0

    def hook(_size: int | None, value: int, **_: Any) -> None:
        nonlocal told
        progress(value - told)
        told = value

    return Callback(hooks={"progress": hook})

"""The files of a payload: one line each in files.jsonl, summed up in the manifest."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import md5, sha256
from itertools import pairwise
from typing import Any, NamedTuple, Self

from lineage.errors import VerificationError
from lineage.store.canonical import SAFE_INTEGER, Json, digest, malformed
from lineage.store.fields import known_fields

DIRECTORY, FILE, EXECUTABLE = "040000", "100644", "100755"
_quoted, _ascii = json.JSONEncoder(ensure_ascii=False).encode, json.JSONEncoder().encode
_NOWHERE = {"", ".", ".."}  # no parts of a path inside a payload
_DIGESTS = re.compile(r"[0-9a-f]{32} [0-9a-f]{64}")  # MD5, SHA-256


class FileEntry(NamedTuple):
    """One file of a payload; an empty directory has mode 040000 and no digests."""

    path: str
    mode: str
    size: int = 0
    sha256: str = ""
    md5: str = ""

    @property
    def is_directory(self) -> bool:
        return self.mode == DIRECTORY

    def line(self) -> bytes:
        """This entry's line of files.jsonl: what `canonical` writes, but faster."""
        path = _quoted(self.path)
        if self.is_directory:
            return f'{{"mode":"{self.mode}","path":{path}}}\n'.encode()
        return (
            f'{{"md5":"{self.md5}","mode":"{self.mode}","path":{path},'
            f'"sha256":"{self.sha256}","size":{self.size}}}\n'
        ).encode()


def file_list(entries: Iterable[FileEntry]) -> bytes:
    """The bytes of files.jsonl: one canonical line per file, sorted by path."""
    return b"".join(entry.line() for entry in sorted(entries))


def parse_file_list(data: bytes) -> list[FileEntry]:
    """Read files.jsonl back.

    Raises:
        VerificationError: when it is malformed, out of order or not in its canonical
            form, or a path or digest in it leads out of the payload or the cache.
    """
    with malformed("files.jsonl"):
        listed = b"[%b]" % data.removesuffix(b"\n").replace(b"\n", b",")
        entries: list[FileEntry] = json.loads(listed, object_hook=_entry)
        if not all(map(_is_sound, entries)):
            message = "files.jsonl has a path, mode, size or digest of no payload"
            raise VerificationError(message)
        if any(a.path >= b.path for a, b in pairwise(entries)):
            raise VerificationError("files.jsonl is not sorted by path")
        if file_list(entries) != data:
            raise VerificationError("files.jsonl is not in its canonical form")
    return entries


def _entry(fields: dict[str, Any]) -> FileEntry:
    return FileEntry(**fields)


def _is_sound(entry: FileEntry) -> bool:
    if "\0" in entry.path or _NOWHERE & set(entry.path.split("/")):
        return False
    if entry.mode not in (FILE, EXECUTABLE):
        return entry == FileEntry(entry.path, DIRECTORY)
    sized = type(entry.size) is int and 0 <= entry.size <= SAFE_INTEGER
    return sized and _DIGESTS.fullmatch(f"{entry.md5} {entry.sha256}") is not None


def in_root_order(entries: Iterable[FileEntry]) -> list[FileEntry]:
    """The files, without directories, in the order in which `root` takes them."""
    files = (entry for entry in entries if not entry.is_directory)
    return sorted(files, key=lambda entry: entry.path.split("/"))


@dataclass(frozen=True, slots=True)
class Payload:
    """The bytes of a commit, summed up.

    `files` is the SHA-256 of files.jsonl (names and modes count); `root` is the
    SHA-256 over the files' raw SHA-256 digests, sorted by the parts of their paths:
    the root of an OpenSSF model-signing manifest. `stored` is False for
    ``--reference``.
    """

    count: int
    size: int
    files: str
    root: str
    type: str
    stored: bool = True

    @classmethod
    def of(cls, entries: list[FileEntry], kind: str, *, stored: bool = True) -> Self:
        files = in_root_order(entries)
        root = sha256(b"".join(bytes.fromhex(entry.sha256) for entry in files))
        return cls(
            count=len(files),
            size=sum(entry.size for entry in files),
            files=digest(file_list(entries)),
            root=root.hexdigest(),
            type=kind,
            stored=stored,
        )

    def sums_up(self, entries: list[FileEntry]) -> bool:
        """Whether it says of these files what is so."""
        return self == Payload.of(entries, self.type, stored=self.stored)

    def to_json(self) -> dict[str, Json]:
        data: dict[str, Json] = {key: getattr(self, key) for key in self.__slots__}
        return {key: data[key] for key in data if key != "stored" or not self.stored}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        return cls(**known_fields(cls, data))

    def entries(self, data: bytes) -> list[FileEntry]:
        """Read the files.jsonl of this payload.

        Raises:
            VerificationError: when it is another payload's, or malformed.
        """
        if digest(data) != self.files:
            raise VerificationError(
                "files.jsonl is not the one that the manifest names"
            )
        entries = parse_file_list(data)
        single = len(entries) == 1 and not entries[0].is_directory
        if self.type != "directory" and not (self.type == "file" and single):
            raise VerificationError(f"files.jsonl is not that of a {self.type}")
        return entries


def dvc_address(kind: str, entries: list[FileEntry]) -> tuple[str, int]:
    """What DVC calls a payload of type `kind`: its MD5 address and size in bytes."""
    files = [entry for entry in entries if not entry.is_directory]
    if kind == "file":
        return files[0].md5, files[0].size
    data = dvc_directory(entries)
    oid = md5(data, usedforsecurity=False).hexdigest()
    return f"{oid}.dir", sum(entry.size for entry in files)


def dvc_directory(entries: list[FileEntry]) -> bytes:
    """The ``.dir`` object that DVC would write for these files, byte for byte."""
    rows = (
        f'{{"md5": "{entry.md5}", "relpath": {_ascii(entry.path)}}}'
        for entry in sorted(entries)
        if not entry.is_directory
    )
    return f"[{', '.join(rows)}]".encode()


def dvc_list(entries: list[FileEntry]) -> FileEntry:
    """The object by which DVC knows a folder, as if it were a file of it."""
    data = dvc_directory(entries)
    oid, _ = dvc_address("directory", entries)
    return FileEntry(oid, FILE, len(data), digest(data), oid)

"""A bag (RFC 8493) in one zip file, written front to back in one pass.

Whatever is added is hashed on its way. The same members give the same bytes: dates,
modes and names are fixed, and nothing of this machine is in them.
"""

from collections.abc import Iterable
from contextlib import suppress
from hashlib import sha256
from typing import IO
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

_DATE = (1980, 1, 1, 0, 0, 0)  # the first day that a zip file knows
_PLAIN = 0o100644 << 16


class Bag:
    """The bag `folder` in the zip file `file`, which is open for writing."""

    def __init__(self, file: IO[bytes], folder: str) -> None:
        self._zip = ZipFile(file, "w")
        self._folder = folder
        self._payload: list[str] = []
        self._tags: list[str] = []
        self._size = 0
        self.entries = 0

    def add(self, path: str, data: bytes) -> None:
        """Add a member, and its line to the manifest that is to list it."""
        self._put(path, [data], len(data), ZIP_DEFLATED)

    def store(self, path: str, chunks: Iterable[bytes], size: int) -> None:
        """Add a member of `size` bytes that does not get smaller, piece by piece."""
        self._put(path, chunks, size, ZIP_STORED)

    def oxum(self) -> str:
        """The size of the payload and the number of its files (RFC 8493, 2.2.2)."""
        return f"{self._size}.{len(self._payload)}"

    def manifest(self) -> bytes:
        """What is in ``data/`` so far, as ``sha256sum -c`` reads it."""
        return "".join(sorted(self._payload, key=_path)).encode()

    def tag_manifest(self) -> bytes:
        """The other members so far."""
        return "".join(sorted(self._tags, key=_path)).encode()

    def close(self, signature: bytes | None) -> None:
        """Add the list of tag files, which lists itself least, and end the file."""
        self.add("tagmanifest-sha256.txt", self.tag_manifest())
        if signature is not None:
            self.add("tagmanifest-sha256.txt.sig", signature)
        self._zip.close()

    def drop(self) -> None:
        """Let go of a file that is not to be."""
        with suppress(OSError, ValueError):
            self._zip.close()

    def _put(self, path: str, chunks: Iterable[bytes], size: int, how: int) -> None:
        info = ZipInfo(f"{self._folder}/{path}", _DATE)
        info.create_system, info.external_attr = 3, _PLAIN
        info.compress_type, info.file_size = how, size
        found = sha256()
        with self._zip.open(info, "w") as out:
            for chunk in chunks:
                found.update(chunk)
                out.write(chunk)
        payload = path.startswith("data/")
        self._size += size if payload else 0
        lines = self._payload if payload else self._tags
        lines.append(f"{found.hexdigest()}  {path}\n")
        self.entries += 1


def _path(line: str) -> bytes:
    return line[66:].encode()

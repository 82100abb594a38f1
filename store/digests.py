"""Both digests of bytes: the MD5 that DVC calls them by, the SHA-256 that we do."""

import hashlib
from collections.abc import Callable
from io import BufferedIOBase
from pathlib import Path
from typing import Any, BinaryIO, Self

_CHUNK = 1 << 20


class Digests:
    """MD5 and SHA-256 of what comes."""

    def __init__(self) -> None:
        self._md5, self._sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()

    @classmethod
    def of(cls, read: Callable[[int], Any]) -> Self:
        """Those of all that a reader gives, a chunk at a time."""
        made = cls()
        while data := read(_CHUNK):
            made.update(data)
        return made

    def update(self, data: bytes) -> None:
        self._md5.update(data)
        self._sha256.update(data)

    @property
    def md5(self) -> str:
        return self._md5.hexdigest()

    @property
    def sha256(self) -> str:
        return self._sha256.hexdigest()


def sha256_of(file: BinaryIO | BufferedIOBase) -> str:
    """The SHA-256 of what is left to read of an open file, plain or packed."""
    found = hashlib.sha256()
    while data := file.read(_CHUNK):
        found.update(data)
    return found.hexdigest()


def sha256_at(path: str | Path) -> str:
    """The SHA-256 of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def md5_at(path: str | Path) -> str:
    """The MD5 of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()

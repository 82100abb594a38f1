"""Derived files that begin with the SHA-256 of the rest; damaged ones count as none."""

from contextlib import suppress
from pathlib import Path

from lineage.store.canonical import digest
from lineage.store.disk import locked, write_atomically


def read(path: Path) -> bytes | None:
    """What was written; None where it is missing or damaged."""
    with suppress(OSError, UnicodeDecodeError):
        sum_, _, data = path.read_bytes().partition(b"\n")
        if sum_.decode() == digest(data):
            return data
    return None


def write(path: Path, data: bytes) -> None:
    """Write `data`, where that can be done and nobody else is doing it."""
    with suppress(OSError), locked(path.with_name(f"{path.name}.lock"), wait=False):
        write_atomically(path, f"{digest(data)}\n".encode() + data)

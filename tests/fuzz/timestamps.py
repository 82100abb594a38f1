"""Time stamps of RFC 3161, and the certificates that they are checked with."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from lineage.errors import LineageError
from lineage.store import rfc3161
from tests import tsa

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

RUNS: Sequence[str] = ()
TRIES = 60
KEPT: Sequence[bytes] = ()
DIGEST = "ab" * 32


def seeds(folder: Path) -> Sequence[bytes]:
    there = folder / "tsa"
    authority = tsa.Tsa(there) if there.exists() else tsa.make(there)
    return [authority.stamp(DIGEST), authority.root.read_bytes()]


def attack(data: bytes, folder: Path) -> None:
    roots = (folder / "tsa" / "ca.pem").read_bytes()
    with suppress(LineageError):
        rfc3161.certificates(data)
    with suppress(LineageError):
        rfc3161.check(data, DIGEST, roots)
    if not data.startswith(b"-----"):
        found = rfc3161.read(data)
        assert found.tsa.isprintable()

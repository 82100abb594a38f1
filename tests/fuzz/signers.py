"""Lists of keys that an auditor holds: allowed signers, revoked keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lineage.bundle_check.signers import Signers
from tests.fuzz.event import KEY, TIME

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

RUNS: Sequence[str] = ()
TRIES = 100
DATES = ("99999999", "00010101", "20261399Z", "999912312359", "\u0661" * 8)
KEPT = [f'a valid-after="{date}" {KEY.line}\n'.encode() for date in DATES]


def seeds(folder: Path) -> Sequence[bytes]:
    del folder
    options = 'namespaces="git,lineage-report",valid-after="20261103",valid-before='
    some = f"""# a comment
ada@example.com {options}"20271103100001Z" {KEY.line} Ada
"bob carol" {KEY.line}

*@example.com valid-after="202611031000" {KEY.line}
"""
    return [some.encode(), f"{KEY.line} comment\n".encode()]


def attack(data: bytes, folder: Path) -> None:
    path = folder / "signers"
    path.write_bytes(data)
    if data.startswith(b"ssh-"):
        path, other = folder / "none", path
        path.write_bytes(b"")
        Signers.read(path, other)
        return
    found = Signers.read(path, None)
    for line in found.allowed:
        found.fault(line.fingerprint, "git", TIME)

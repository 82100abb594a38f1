"""A zip file that claims to be a bundle: opened, and every file in it read."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from lineage.bundle_check.archive import Refused, opened
from tests.fuzz.world import small_bundle

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

RUNS: Sequence[str] = ()
TRIES = 60
KEPT: Sequence[bytes] = ()


def seeds(folder: Path) -> Sequence[bytes]:
    return [small_bundle(folder).data()]


def attack(data: bytes, folder: Path) -> None:
    path = folder / "b.zip"
    path.write_bytes(data)
    with suppress(Refused), opened(path) as bundle:
        for name in bundle.sizes:
            with suppress(Refused):
                bundle.hash(name)
                assert len(bundle.read(name)) == bundle.sizes[name]

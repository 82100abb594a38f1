"""loop.yaml: read, checked, and turned into the config that a loop records."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lineage.loop import spec
from lineage.store.canonical import canonical, normalise

if TYPE_CHECKING:
    from collections.abc import Sequence

RUNS: Sequence[str] = ()
TRIES = 6
KEPT: Sequence[bytes] = ()
TEMPLATES = Path(spec.__file__).parents[1] / "templates"


def seeds(folder: Path) -> Sequence[bytes]:
    del folder
    found = sorted(TEMPLATES.glob("*/loop.yaml"))
    assert found
    return [path.read_bytes() for path in found]


def attack(data: bytes, folder: Path) -> None:
    path = folder / "loop.yaml"
    path.write_bytes(data)
    found = spec.load(path)
    canonical(normalise(found.model_dump(mode="json")))

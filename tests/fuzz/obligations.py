"""Templates of obligations, which somebody may hand over for a report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from lineage.audit import templates
from lineage.audit.obligations.reading import parse

if TYPE_CHECKING:
    from collections.abc import Sequence

RUNS: Sequence[str] = ()
TRIES = 8
KEPT: Sequence[bytes] = ()


def seeds(folder: Path) -> Sequence[bytes]:
    del folder
    found = sorted(
        Path(templates.__path__[0]).glob("*.yaml"), key=lambda p: p.stat().st_size
    )
    return [path.read_bytes() for path in found[:2]]


def attack(data: bytes, folder: Path) -> None:
    parse(data, folder / "template.yaml")

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from lineage.store.packed.packs import Packs

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def packs(tmp_path: Path) -> Packs:
    """The packs of a registry, none yet."""
    return Packs(tmp_path / "cache", "registry")

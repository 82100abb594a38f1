"""The script in a bundle, on a bundle one file of which somebody has changed."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from lineage.bundle import SCRIPT
from tests.fuzz import bundle_files

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


RUNS = ("sh",)
TRIES = 0
KEPT: Sequence[bytes] = ()


def seeds(folder: Path) -> Sequence[bytes]:
    return bundle_files.seeds(folder)


def attack(data: bytes, folder: Path) -> None:
    bag, is_other = bundle_files.changed(data, folder)
    path, inside = folder / "b.zip", folder / "inside"
    inside.mkdir(exist_ok=True)
    path.write_bytes(bag.data())
    before = {each.name for each in folder.iterdir()}
    done = subprocess.run(
        ["sh", SCRIPT, path],
        cwd=inside,
        env={"PATH": "/usr/bin:/bin", "TMPDIR": str(inside)},
        capture_output=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == (3 if is_other else 0), done.stdout + done.stderr
    assert {each.name for each in folder.iterdir()} == before
    assert not list(inside.iterdir())

"""`.lineage/policy.yaml`, which comes with a checkout."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lineage.policy.spec import read

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

RUNS: Sequence[str] = ()
TRIES = 50
KEPT = (b'commits: tagged()\n"\\ud800": true\n',)


def seeds(folder: Path) -> Sequence[bytes]:
    del folder
    return [
        b"commits: tagged()\nsigned: true\nuntainted: heads()\nreviewed: false\n",
        b"signed: released()\nbudgets:\n  generations_without_review: 3\n",
        b"# nothing\n",
    ]


def attack(data: bytes, folder: Path) -> None:
    path = folder / "policy.yaml"
    path.write_bytes(data)
    read(path)

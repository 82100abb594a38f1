"""Files that `--params` and `--metrics` name: YAML, JSON, TOML, Python."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lineage.cli.values import mapping, metrics
from lineage.store.objects import Commit

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

RUNS: Sequence[str] = ()
TRIES = 40
KEPT: Sequence[bytes] = ()
KINDS = (b".yaml", b".json", b".toml", b".py")


def seeds(folder: Path) -> Sequence[bytes]:
    del folder
    return [
        b".yaml\nlr: 2e-5\ndeep: &x {value: 1}\nsame: *x\n",
        b'.json\n{"lr": 2e-5, "loss": {"value": 1, "n": 3}, "b": [1, 2.5]}',
        b".toml\nlr = 2e-5\n[deep]\nvalue = 1\ninterval = [0, 2.5]\n",
        b'.py\nLR = 2e-5\nDEEP = {"value": -2, "definition": "x" "y"}\n',
    ]


def attack(data: bytes, folder: Path) -> None:
    kind, _, rest = data.partition(b"\n")
    ending = kind if kind in KINDS else KINDS[len(data) % len(KINDS)]
    path = folder / f"given{ending.decode()}"
    path.write_bytes(rest)
    found = mapping(path, "parameters")
    made = Commit("config", "c", params=found)
    assert Commit.parse(made.manifest).params == made.params
    metrics(found)

"""Weights in safetensors: the header, and every tensor that it names."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from lineage.diff.tensors.safe import read
from lineage.store.safetensors import read_header

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

RUNS: Sequence[str] = ()
TRIES = 150
KEPT: Sequence[bytes] = ()


def file(header: bytes, size: int = 0) -> bytes:
    return len(header).to_bytes(8, "little") + header + bytes(size)


def seeds(folder: Path) -> Sequence[bytes]:
    del folder
    one = {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}
    other = {"dtype": "BF16", "shape": [], "data_offsets": [24, 26]}
    whole = {"__metadata__": {"format": "pt"}, "a.weight": one, "b": other}
    return [file(json.dumps(whole).encode(), 26), file(b"{}")]


def attack(data: bytes, folder: Path) -> None:
    path = folder / "model.safetensors"
    path.write_bytes(data)
    header = read_header(path)
    assert sum(entry.stop - entry.start for entry in header.entries) == (
        len(data) - header.begin
    )
    for tensor in read(path, "1" * 64).tensors:
        assert len(tensor.read(0, tensor.size)) == tensor.size

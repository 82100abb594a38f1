"""Weights in GGUF: facts, names, forms, and where each tensor lies."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from lineage.diff.tensors.gguf import read

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

RUNS: Sequence[str] = ()
TRIES = 200
KEPT: Sequence[bytes] = ()


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value)) + value.encode()


def seeds(folder: Path) -> Sequence[bytes]:
    del folder
    facts = [
        text("general.architecture") + struct.pack("<I", 8) + text("llama"),
        text("general.alignment") + struct.pack("<II", 4, 32),
        text("list") + struct.pack("<IIQ3f", 9, 6, 3, 1, 2, 3),
        text("names") + struct.pack("<IIQ", 9, 8, 20) + text("x") * 20,
        text("deep") + struct.pack("<IIQIQB", 9, 9, 1, 0, 1, 7),
    ]
    tensors = [
        text("a") + struct.pack("<IQQIQ", 2, 3, 2, 0, 0),
        text("b") + struct.pack("<IQIQ", 1, 32, 8, 32),
    ]
    head = struct.pack("<4sIQQ", b"GGUF", 3, len(tensors), len(facts))
    front = b"".join([head, *facts, *tensors])
    whole = front.ljust(-(-len(front) // 32) * 32, b"\0") + bytes(32 + 34)
    return [whole, struct.pack("<4sIQQ", b"GGUF", 2, 0, 0)]


def attack(data: bytes, folder: Path) -> None:
    path = folder / "model.gguf"
    path.write_bytes(data)
    found = read(path, "1" * 64)
    for tensor in found.tensors:
        assert len(tensor.read(0, tensor.size)) == tensor.size

"""Models that drift, and packs of them as the writer of packs makes them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from lineage.store.packed.reading_back import read_back
from lineage.store.packed.writer import Writer
from lineage.store.pins import Pins
from tests.packs import pieces

if TYPE_CHECKING:
    from pathlib import Path

    from lineage.registry import Registry

BLOCK = 1 << 16  # bytes


def models(folder: Path, count: int, size: int = 4 * BLOCK) -> list[Path]:
    """Write `count` files of `size` bytes of floats, each a little off the last one."""
    import numpy as np

    rng = np.random.default_rng(0)
    weights = rng.standard_normal(size // 4, dtype=np.float32)
    made = []
    for number in range(count):
        path = folder / f"model{number}.bin"
        path.write_bytes(weights.tobytes())
        weights *= 1 + 1e-6 * rng.standard_normal(size // 4, dtype=np.float32)
        made.append(path)
    return made


def pack(registry: Registry, *ids: str, base: str | None = None) -> str:
    """Pack the files of commits into one pack, and let go of the plain ones.

    Each builds on the one before it, the first on the first file of the commit `base`.
    """
    payloads = registry.payloads
    before = _ids(registry, base) if base else []
    with payloads.workspace() as work:
        copy = work / "pack"
        files = [entry for id_ in ids for entry in registry.files(id_)]
        with Writer(payloads.packs, copy) as writer:
            for entry in files:
                with payloads.open(entry.md5) as file:
                    data = file.read()
                writer.add(entry.md5, entry.sha256, pieces(data, before, BLOCK))
                before = _blocks(data)
            name = writer.finish()
        read_back(copy, payloads.packs)
        payloads.packs.publish(copy, name)
    for entry in files:
        for path in (Pins(payloads).pin(entry.md5), Pins(payloads).place(entry.md5)):
            path.unlink()
    return name


def _blocks(data: bytes) -> list[bytes]:
    parts = (data[start : start + BLOCK] for start in range(0, len(data), BLOCK))
    return [hashlib.sha256(part).digest() for part in parts]


def _ids(registry: Registry, id_: str) -> list[bytes]:
    with registry.payloads.open(registry.files(id_)[0].md5) as file:
        return _blocks(file.read())

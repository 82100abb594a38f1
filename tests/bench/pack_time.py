"""Where the processor's time goes when a chain of models is packed and made plain.

    python tests/bench/pack_time.py FOLDER FOLDER [FOLDER ...]

Each folder is a generation, trained on from the one before. Milliseconds of one
processor for each MB of the files; what the two floors would take is beside them.
"""

from __future__ import annotations

import hashlib
import os
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import lineage
from lineage.packing.packer import pack
from lineage.packing.unpacking import unpack
from lineage.store.memory import keep_freed_memory
from lineage.store.objects import Edge
from lineage.store.packed import codec

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

Clocks = dict[str, float]
_FLOOR = 64 << 20  # bytes


def main() -> None:
    folders = [Path(name).resolve() for name in sys.argv[1:]]
    if len(folders) < 2:
        sys.exit(__doc__)
    keep_freed_memory()
    with TemporaryDirectory(dir=Path.cwd(), prefix=".pack-time-") as place:
        whole = _committed(Path(place), folders) / 1e6
        packing = _spent(Path(place), lambda registry: pack(registry, "all()"))
        unpacking = _spent(Path(place), unpack)
    sha256, md5 = (_floor(name) for name in ("sha256", "md5"))
    print("| ms of one processor for each MB | pack | unpack |\n|---|--:|--:|")
    for name in ("encode", "decode", "all the rest", "all", "wall"):
        there, back = packing.get(name, 0.0), unpacking.get(name, 0.0)
        print(f"| {name} | {1e3 * there / whole:.2f} | {1e3 * back / whole:.2f} |")
    print(f"| of the rest, SHA-256 | {3 * sha256:.2f} | {sha256:.2f} |")
    print(f"\n{whole:,.0f} MB; MD5 of them would take {md5:.2f} ms.")


def _committed(place: Path, folders: Sequence[Path]) -> int:
    """The bytes of all generations, recorded one after the other."""
    with lineage.init(place) as registry:
        edges: list[Edge] = []
        for folder in folders:
            made = registry.commit("model", "m", folder, edges=edges)
            edges = [Edge(role="fine_tuned_from", id=made.id)]
        ids = registry.select("all()")
        return sum(entry.size for id_ in ids for entry in registry.files(id_))


def _spent(place: Path, run: Callable[[Any], object]) -> Clocks:
    """Seconds of coding, summed over threads, and of the processor in all."""
    clocks: Clocks = {}
    with lineage.open(place) as registry, ExitStack() as stack:
        for name in ("encode", "decode"):
            stack.enter_context(_clocked(codec, name, clocks))
        wall, begun = time.perf_counter(), time.process_time()
        run(registry)
        clocks["all"] = time.process_time() - begun
        clocks["wall"] = time.perf_counter() - wall
    coding = clocks.get("encode", 0.0) + clocks.get("decode", 0.0)
    return clocks | {"all the rest": clocks["all"] - coding}


@contextmanager
def _clocked(module: Any, name: str, clocks: Clocks) -> Iterator[None]:
    real = getattr(module, name)

    def timed(*args: Any, **more: Any) -> Any:
        begun = time.thread_time()
        try:
            return real(*args, **more)
        finally:
            clocks[name] = clocks.get(name, 0.0) + time.thread_time() - begun

    setattr(module, name, timed)
    try:
        yield
    finally:
        setattr(module, name, real)


def _floor(name: str) -> float:
    """Milliseconds for each MB."""
    data = os.urandom(_FLOOR)
    begun = time.process_time()
    hashlib.new(name, data, usedforsecurity=False).digest()
    return (time.process_time() - begun) * 1e3 / (_FLOOR / 1e6)


if __name__ == "__main__":
    main()

"""What coding a file of weights takes and gives, by itself and against its parent.

    python tests/bench/codec.py PARENT CHILD [PARENT CHILD ...] [--rounds 3]

Sizes are per cent of CHILD, ours with what a pack's tables take; speeds are MB of it
per second of CPU time, the best of the rounds, in one thread, from memory to memory.
ZipNN, blosc2 and pcodec are measured where the Python that runs this has them.
"""

from __future__ import annotations

import argparse
import sys
import time
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np  # noqa: TID253
import zstandard  # noqa: TID253

from lineage.store.packed import codec, split
from lineage.store.packed.format import BLOCK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_METHODS = {
    "plain": codec.PLAIN, "xor": codec.XOR, "sub": codec.SUB, "sorted": codec.SORTED,
}  # fmt: skip
_ROW = 128  # bytes that a pack's tables have for a block


class Coder(NamedTuple):
    """`pack` returns how many bytes it made, and what `unpack` needs to undo it."""

    name: str
    pack: Callable[[], tuple[int, Any]]
    unpack: Callable[[Any], Sequence[bytes | memoryview]]


class Cut(NamedTuple):
    """A block of the child, and the one at the same place of the parent's tensor."""

    block: bytes
    width: int
    base: bytes | None


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure the coding of weights.")
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    for parent, child in zip(args.files[::2], args.files[1::2], strict=True):
        data = child.read_bytes()
        print(f"\n{parent.name} to {child.name}, {len(data):,} bytes\n")
        print("| | % of whole | pack, MB/s | unpack, MB/s |\n|---|--:|--:|--:|")
        cuts = list(cut(parent, child))
        for coder in (*ours(cuts), *peers(data, parent.read_bytes(), cuts)):
            print(measured(coder, data, args.rounds), flush=True)


def measured(coder: Coder, data: bytes, rounds: int) -> str:
    """The coder's row; what it unpacks is compared."""
    there = back = float("inf")
    for _ in range(rounds):
        begun = time.process_time()
        size, packed = coder.pack()
        there = min(there, time.process_time() - begun)
        begun = time.process_time()
        found = coder.unpack(packed)
        back = min(back, time.process_time() - begun)
    assert b"".join(found) == data, f"{coder.name} lost something"
    figures = (100 * size / len(data), len(data) / there / 1e6, len(data) / back / 1e6)
    return (
        f"| {coder.name} | {figures[0]:.1f} | {figures[1]:,.0f} | {figures[2]:,.0f} |"
    )


def cut(parent: Path, child: Path) -> Iterator[Cut]:
    """The child as a pack cuts it."""
    before, after = parent.read_bytes(), child.read_bytes()
    places = {extent.name: extent for extent in split.extents(BytesIO(before))}
    for extent in split.extents(BytesIO(after)):
        base = places.get(extent.name)
        for start in range(0, extent.size, BLOCK):
            size = min(BLOCK, extent.size - start)
            block = after[extent.start + start :][:size]
            like = before[base.start + start :][:size] if base else None
            yield Cut(block, extent.width, like)


def ours(cuts: Sequence[Cut]) -> Iterator[Coder]:
    """Each method for all blocks, then the one that is chosen for each."""
    for name, method in _METHODS.items():
        yield Coder(name, lambda method=method: forced(cuts, method), unpacked)  # type: ignore[misc]
    alone = [one._replace(base=None) for one in cuts]
    yield Coder("**ours, no parent**", lambda: chosen(alone), unpacked)
    yield Coder("**ours**", lambda: chosen(cuts), unpacked)


_Packed = list[tuple[codec.Coded, Cut]]


def chosen(cuts: Sequence[Cut]) -> tuple[int, _Packed]:
    packed = [(codec.encode(*one), one) for one in cuts]
    return sum(len(coded.data) + _ROW for coded, _ in packed), packed


def forced(cuts: Sequence[Cut], method: int) -> tuple[int, _Packed]:
    packed = []
    for one in cuts:
        elements = codec._elements(one.block, one.width)
        others = codec._elements(one.base or one.block, one.width)
        tail = one.block[elements.nbytes :]
        data = codec._packed(method if one.base else codec.PLAIN, elements, others)
        packed.append((codec.Coded(method, one.width, data + tail), one))
    return sum(len(coded.data) + _ROW for coded, _ in packed), packed


def unpacked(packed: _Packed) -> list[bytes | memoryview]:
    return [
        codec.decode(coded.data, coded.method, coded.width, len(one.block), one.base)
        for coded, one in packed
    ]


def peers(data: bytes, parent: bytes, cuts: Sequence[Cut]) -> Iterator[Coder]:
    for level in (1, 3):
        yield Coder(
            f"zstd -{level}",
            lambda level=level: whole(zstandard.ZstdCompressor(level).compress(data)),  # type: ignore[misc]
            lambda packed: [zstandard.ZstdDecompressor().decompress(packed)],
        )
    width = max(cuts, key=lambda one: len(one.block)).width
    for peer in (blosc, pcodec, zipnn):
        try:
            yield from peer(data, parent, width)
        except ImportError as missing:
            print(f"| {missing.name}: not here | | | |")


def whole(packed: bytes) -> tuple[int, bytes]:
    return len(packed), packed


def blosc(data: bytes, parent: bytes, width: int) -> Iterator[Coder]:
    import blosc2

    del parent
    blosc2.set_nthreads(1)
    for level in (1, 5):
        how = {
            "clevel": level, "typesize": width, "codec": blosc2.Codec.ZSTD,
            "filter": blosc2.Filter.SHUFFLE,
        }  # fmt: skip
        yield Coder(
            f"blosc2, shuffle and zstd, level {level}",
            lambda how=how: whole(blosc2.compress(data, **how)),  # type: ignore[misc]
            lambda packed: [blosc2.decompress(packed)],
        )


def pcodec(data: bytes, parent: bytes, width: int) -> Iterator[Coder]:
    from pcodec import ChunkConfig, standalone

    del parent
    end = len(data) // width * width
    numbers = np.frombuffer(data[:end], {2: np.uint16, 4: np.float32}[width])
    yield Coder(
        "pcodec",
        lambda: whole(standalone.simple_compress(numbers, ChunkConfig())),
        lambda packed: [standalone.simple_decompress(packed).tobytes(), data[end:]],
    )


def zipnn(data: bytes, parent: bytes, width: int) -> Iterator[Coder]:
    import zipnn as library

    kind = {2: "bfloat16", 4: "float32"}[width]

    def made() -> Any:
        return library.ZipNN(bytearray_dtype=kind, input_format="byte", threads=1)

    def xor(one: bytes) -> bytes:
        size = min(len(one), len(parent))
        pair = (np.frombuffer(side, np.uint8, size) for side in (one, parent))
        return np.bitwise_xor(*pair).tobytes() + one[size:]

    yield Coder(
        "ZipNN",
        lambda: whole(made().compress(bytearray(data))),
        lambda packed: [bytes(made().decompress(packed))],
    )
    yield Coder(
        "ZipNN of the xor delta",
        lambda: whole(made().compress(bytearray(xor(data)))),
        lambda packed: [xor(bytes(made().decompress(packed)))],
    )


if __name__ == "__main__":
    main()

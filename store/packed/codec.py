"""Blocks of bytes made smaller, and back, bit for bit.

Nothing here knows of numbers: an element is `width` bytes (1, 2, 4 or 8) and is seen
as an unsigned number, its lowest byte first. A block of n bytes has n // width
elements, and n % width bytes at its end that are none. A coded block is told by its
method, its width, its data, and the size that it has when decoded:

======  ======  ====================================================================
method  name    data
======  ======  ====================================================================
0       raw     the block
1       zstd    one zstd frame of the block; its base, if it has one, is the (raw)
                dictionary
2       plain   planes of the elements, each rotated left by one bit
3       xor     planes of element XOR base's element
4       sub     planes of element - base's element, zigzag
5       sorted  as sub, each run of elements sorted
======  ======  ====================================================================

Methods 3 to 5 need a *base*, a block of the same size. The difference is taken modulo
2^(8 * width) and read as two's complement; *zigzag* makes of it 2 * d, or -2 * d - 1
where d is negative. A *run* is 2^19 elements, the last one what is left. A run of
differences is sorted by the base's element at the same place, of which the eight bits
after the highest count (of one byte: the seven, then a zero); where they are the same,
the order stays.

*Planes*: plane i has byte i of each element so made. The data is, of each plane from
plane 0 on, one byte that says how it is coded, and the length of that as 32 bits, the
lowest byte first; then the coded planes, one after the other; then the bytes at the
block's end, as they are. A plane is coded as

- 0, its bytes, *small*;
- 1, where most of them are zero: the length of what comes next, as 32 bits; a map,
  small, in which bit i % 8 of byte i // 8 (1 is the lowest bit) is set where byte i is
  not zero; those bytes that are not, small.

*Small*: a zstd frame or, where the length is that of the bytes themselves, the bytes.
A zstd frame states the size of its content.
"""

from collections.abc import Iterator
from typing import NamedTuple

from lineage.errors import StoreError, VerificationError

try:
    import numpy as np
    import zstandard  # noqa: F401
except ImportError as error:
    raise StoreError(
        f"packs need {error.name}", hint="install it: pip install 'lineage-vcs[pack]'"
    ) from None

from lineage.store.packed.elements import (
    PLAIN,
    RUN,
    SORTED,
    SUB,
    UNSIGNED,
    XOR,
    Elements,
    joined,
    prepared,
    restored,
    split,
)
from lineage.store.packed.format import BLOCK
from lineage.store.packed.frames import Data, deflated, inflated
from lineage.store.packed.planes import HEAD, Plane, coded, decoded

__all__ = [
    "DELTAS", "PLAIN", "RAW", "SORTED", "SUB", "XOR", "ZSTD",
    "Coded", "Data", "decode", "encode", "encode_text",
]  # fmt: skip

RAW, ZSTD = 0, 1
DELTAS = frozenset({XOR, SUB, SORTED})  # what cannot be decoded without the base

_PIECES = 4  # of a block, on which the ways are tried
_PRICE = 1 / 8  # bytes of each element: sorting takes as long as all the rest
_LEVEL = 3  # of zstd, for bytes that are no weights


class Coded(NamedTuple):
    """A block as it is kept; `data` is what `decode` needs beside the rest."""

    method: int
    width: int
    data: bytes


def encode(block: Data, width: int, base: Data | None = None) -> Coded:
    """Code a block of elements of `width` bytes in the way that makes it smallest.

    The ways are tried on a sample. `base` is a block that may be like it; one of
    another size is of no use.
    """
    like = base if base is not None and len(base) == len(block) else None
    elements = _elements(block, width)
    others = elements if like is None else _elements(like, width)
    method = _best(_sample(elements), None if like is None else _sample(others))
    if method == ZSTD:
        return encode_text(block)
    tail = memoryview(block)[elements.nbytes :]
    data = _packed(method, elements, others) + tail
    if len(data) >= len(block):
        return Coded(RAW, width, bytes(block))
    return Coded(method, width, data)


def encode_text(
    block: Data, dictionary: bytes | None = None, level: int = _LEVEL
) -> Coded:
    """Code a block of text, or of anything that repeats itself."""
    data = deflated(block, level, dictionary or b"")
    if len(data) >= len(block):
        return Coded(RAW, 1, bytes(block))
    return Coded(ZSTD, 1, data)


def decode(
    data: Data, method: int, width: int, size: int, base: Data | None = None
) -> bytes | memoryview:
    """The block of `size` bytes that was coded so.

    Raises:
        VerificationError: when nothing that `encode` makes is like that.
    """
    if not 0 <= size <= BLOCK:
        raise VerificationError(f"a block of a pack claims {size:,} bytes")
    if method == RAW:
        return bytes(_sized(data, size))
    if method == ZSTD:
        return inflated(data, size, bytes(base or b""))
    if not PLAIN <= method <= SORTED or width not in UNSIGNED:
        raise VerificationError(f"a block of a pack is coded by no method: {method}")
    if method != PLAIN and (base is None or len(base) != size):
        raise VerificationError("a block of a pack lacks what it is coded against")
    return _unpacked(memoryview(data), method, width, size, base or b"")


def _elements(block: Data, width: int) -> Elements:
    return np.frombuffer(block, dtype=UNSIGNED[width], count=len(block) // width)


def _sample(elements: Elements) -> Elements:
    """Some of the elements, from all over; those of a base lie at the same places."""
    piece = _piece(elements.size)
    if elements.size <= _PIECES * piece:
        return elements
    step = (elements.size - piece) // (_PIECES - 1)
    starts = range(0, step * _PIECES, step)
    return np.concatenate([elements[start : start + piece] for start in starts])


def _piece(count: int) -> int:
    return min(max(count // 128, 1 << 11), 1 << 13)


def _best(elements: Elements, others: Elements | None) -> int:
    """The method that makes least of these."""
    ways = (PLAIN,) if others is None else (PLAIN, XOR, SUB, SORTED)
    base = elements if others is None else others
    lengths = {way: _length(prepared(way, elements, base)) for way in ways}
    if others is not None:
        lengths[SORTED] += _PRICE * elements.size
    if elements.itemsize == 1:
        lengths[ZSTD] = len(deflated(elements.data, _LEVEL))
    return min(lengths, key=lambda way: lengths[way])


def _length(sample: Elements) -> float:
    """How long its planes are, coded in pieces: as the parts of a block will be."""
    planes = split(iter([sample]), sample.size, sample.itemsize)
    piece = max(1, sample.size // _PIECES)
    starts = range(0, sample.size, piece)
    pieces = [coded(plane[i : i + piece]) for plane in planes for i in starts]
    return float(sum(len(part) for _, parts in pieces for part in parts))


def _runs(count: int) -> Iterator[slice]:
    for start in range(0, count, RUN):
        yield slice(start, min(start + RUN, count))


def _packed(method: int, elements: Elements, others: Elements) -> bytes:
    """The planes, behind their heads."""
    count = elements.size
    runs = (prepared(method, elements[run], others[run]) for run in _runs(count))
    planes = [coded(plane) for plane in split(runs, count, elements.itemsize)]
    heads = [head for head, _ in planes]
    return b"".join([*heads, *(part for _, parts in planes for part in parts)])


def _unpacked(
    data: memoryview, method: int, width: int, size: int, base: Data
) -> memoryview:
    count = size // width
    planes, tail = _planes(data, width, count)
    block = np.empty(size, dtype=np.uint8)
    elements = block[: count * width].view(UNSIGNED[width])
    others = elements if method == PLAIN else _elements(base, width)
    for run in _runs(count):
        changed = joined([plane[run] for plane in planes])
        elements[run] = restored(method, changed, others[run])
    block[count * width :] = np.frombuffer(_sized(tail, size % width), dtype=np.uint8)
    return block.data


def _planes(data: memoryview, width: int, count: int) -> tuple[list[Plane], memoryview]:
    """The planes, `count` bytes each, and what follows them."""
    start = HEAD.size * width
    if len(data) < start:
        raise VerificationError("a block of a pack is cut off")
    planes = []
    for how, length in HEAD.iter_unpack(data[:start]):
        planes.append(decoded(how, data[start : start + length], count))
        start += length
    if start > len(data):
        raise VerificationError("a block of a pack is cut off")
    return planes, data[start:]


def _sized(data: Data, size: int) -> Data:
    if len(data) != size:
        raise VerificationError(
            f"a block of a pack has {len(data):,} bytes in place of {size:,}"
        )
    return data

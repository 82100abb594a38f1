"""Blocks of bytes made smaller, and back, bit for bit.

Nothing here knows of numbers: an element is `width` bytes (1, 2, 4 or 8, the lowest
first), and any bytes come out as they went in. A coded block is told by its *method*,
its width, and the size it has when decoded:

======  =====  =====================================================================
method  name   data
======  =====  =====================================================================
0       raw    the block
1       zstd   one zstd frame of the block, with the base as dictionary if there is one
2       plain  planes of the block's elements
3       xor    planes of element XOR base's element
4       sub    planes of element - base's element, as a signed number, zigzag
======  =====  =====================================================================

Methods 3 and 4 need a *base*, a block of the same size. The difference is taken modulo
2^(8 * width) and read as two's complement; zigzag makes d of it 2 * d, or -2 * d - 1
where d is negative, so small numbers stay small.

*Planes*: a block of n bytes has n // width elements. Plane i has byte i of each. First
comes, for each plane from 0 on, one byte that says how it is coded and its length in
the data as 32 bits, the lowest byte first; then the planes one after the other; then
the n % width bytes at the block's end that are no element, as they are. A plane is
coded as 0, its bytes; 1, one zstd frame; 2, the one byte that all of it repeats.

A zstd frame states its content's size, and is the only one.
"""

import struct
from functools import lru_cache
from typing import NamedTuple

from lineage.errors import StoreError, VerificationError

try:
    import numpy as np
    import zstandard
except ImportError as error:
    raise StoreError(
        f"packing needs {error.name}", hint="pip install 'lineage-vcs[pack]'"
    ) from None

Data = bytes | bytearray | memoryview
Elements = np.ndarray[tuple[int], np.dtype[np.unsignedinteger]]
Plane = np.ndarray[tuple[int], np.dtype[np.uint8]]

BLOCK = 4 << 20  # bytes of a block, at most

RAW, ZSTD, PLAIN, XOR, SUB = range(5)
_AS_IS, _FRAME, _REPEATED = range(3)

_SIGNED = {1: np.int8, 2: np.int16, 4: np.int32, 8: np.int64}
_UNSIGNED = {1: np.uint8, 2: np.uint16, 4: np.uint32, 8: np.uint64}
_ENTRY = struct.Struct("<BI")
_SAMPLE = 1 << 16  # bytes of a plane


class Coded(NamedTuple):
    """A block as it is kept; `data` is what `decode` needs beside the rest."""

    method: int
    width: int
    data: bytes


def encode(block: Data, width: int, base: Data | None = None) -> Coded:
    """Code a block of elements of `width` bytes in the smallest way.

    `base` is a block that is like it; one of another size is of no use.
    """
    elements, tail = _elements(block, width)
    ways = {PLAIN: elements}
    if base is not None and len(base) == len(block):
        others, _ = _elements(base, width)
        ways |= {XOR: elements ^ others, SUB: _zigzag(elements - others, width)}
    method = min(ways, key=lambda way: _estimate(ways[way], width))
    data = _planes(ways[method], width) + tail
    if len(data) >= len(block):
        return Coded(RAW, width, bytes(block))
    return Coded(method, width, data)


def encode_text(block: Data, dictionary: bytes | None = None, level: int = 3) -> Coded:
    """Code a block of text, or of anything that repeats itself."""
    held = _dictionary(dictionary) if dictionary else None
    data = zstandard.ZstdCompressor(level, dict_data=held).compress(block)
    if len(data) >= len(block):
        return Coded(RAW, 1, bytes(block))
    return Coded(ZSTD, 1, data)


def decode(
    data: Data, method: int, width: int, size: int, base: Data | None = None
) -> Data:
    """The block of `size` bytes that was coded so.

    Raises:
        VerificationError: when `data` is not what `encode` makes, or does not fit
            the rest.
    """
    if method == RAW:
        return _sized(data, size)
    if method == ZSTD:
        return _inflate(data, size, bytes(base) if base else None)
    if method not in (PLAIN, XOR, SUB) or width not in _UNSIGNED:
        raise VerificationError(f"a block is coded in an unknown way ({method})")
    elements, tail = _joined(memoryview(data), width, size)
    if method != PLAIN:
        if base is None or len(base) != size:
            raise VerificationError("a block has not the base that it is coded against")
        others, _ = _elements(base, width)
        if method == XOR:
            elements ^= others
        else:
            elements = _unzigzag(elements) + others
    return memoryview(elements.tobytes() + tail)


def _elements(block: Data, width: int) -> tuple[Elements, bytes]:
    """The block as unsigned numbers, and what is left at its end."""
    count = len(block) // width
    elements = np.frombuffer(block, dtype=_UNSIGNED[width], count=count)
    return elements, bytes(memoryview(block)[count * width :])


def _zigzag(differences: Elements, width: int) -> Elements:
    signed = differences.view(_SIGNED[width])
    return ((signed << 1) ^ (signed >> (8 * width - 1))).view(_UNSIGNED[width])


def _unzigzag(elements: Elements) -> Elements:
    halves: Elements = elements >> 1
    halves ^= -(elements & 1)
    return halves


def _estimate(elements: Elements, width: int) -> int:
    """How long the planes of the elements are likely to be."""
    first = max(0, (elements.size - _SAMPLE) // 2)
    return len(_planes(elements[first : first + _SAMPLE], width))


def _planes(elements: Elements, width: int) -> bytes:
    """The planes, coded, after what says where each is."""
    columns = elements.view(np.uint8).reshape(-1, width)
    coded = [_coded(np.ascontiguousarray(columns[:, i])) for i in range(width)]
    heads = [_ENTRY.pack(how, len(data)) for how, data in coded]
    return b"".join([*heads, *(data for _, data in coded)])


def _coded(plane: Plane) -> tuple[int, bytes]:
    if not plane.size:
        return _AS_IS, b""
    if not (plane != plane[0]).any():
        return _REPEATED, plane[:1].tobytes()
    data = zstandard.ZstdCompressor(1).compress(plane.data)
    return (_FRAME, data) if len(data) < plane.size else (_AS_IS, plane.tobytes())


def _joined(data: memoryview, width: int, size: int) -> tuple[Elements, bytes]:
    """The elements whose planes `data` has, and what is left at the end."""
    count, rest = divmod(size, width)
    start = _ENTRY.size * width
    if len(data) < start:
        raise VerificationError("a coded block is cut off")
    columns = np.empty((count, width), dtype=np.uint8)
    for i, (how, length) in enumerate(_ENTRY.iter_unpack(data[:start])):
        columns[:, i] = _plane(how, data[start : start + length], count)
        start += length
    tail = bytes(_sized(data[start:], rest))
    return columns.reshape(-1).view(_UNSIGNED[width]), tail


def _plane(how: int, data: memoryview, count: int) -> Plane:
    if how == _REPEATED and count:
        return np.frombuffer(_sized(data, 1), dtype=np.uint8)
    if how == _FRAME:
        return np.frombuffer(_inflate(data, count), dtype=np.uint8)
    if how != _AS_IS:
        raise VerificationError(f"a plane is coded in an unknown way ({how})")
    return np.frombuffer(_sized(data, count), dtype=np.uint8)


def _sized(data: Data, size: int) -> Data:
    if len(data) != size:
        raise VerificationError(
            f"a coded block has {len(data)} bytes in place of {size}"
        )
    return data


def _inflate(data: Data, size: int, dictionary: bytes | None = None) -> bytes:
    """The content of a zstd frame, which is `size` bytes long and says so."""
    held = _dictionary(dictionary) if dictionary else None
    try:
        if zstandard.frame_content_size(data) != size:
            raise VerificationError("a coded block does not have the size it should")
        made = zstandard.ZstdDecompressor(dict_data=held)
        return made.decompress(data, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise VerificationError(f"a coded block cannot be read: {error}") from None


@lru_cache(maxsize=8)
def _dictionary(data: bytes) -> zstandard.ZstdCompressionDict:
    return zstandard.ZstdCompressionDict(data)

"""One plane of a block: a byte of each of its elements, coded."""

import struct

import numpy as np

from lineage.errors import VerificationError
from lineage.store.packed.frames import Data, counted, inflated

Plane = np.ndarray[tuple[int], np.dtype[np.uint8]]

HEAD = struct.Struct("<BI")  # how a plane is coded, and the length of that
_DENSE, _SPARSE = range(2)
_MAP = struct.Struct("<I")  # the length of a coded map

# Huffman's code spends a bit on a zero, however many there are. A map of them, eight
# to the byte, takes less from here on.
_FEW = 0.35


def coded(plane: Plane) -> tuple[bytes, list[Data]]:
    """The head of a plane, and its bytes in parts."""
    few = np.count_nonzero(plane) < _FEW * plane.size
    how, parts = (_SPARSE, _sparse(plane)) if few else (_DENSE, [_small(plane)])
    return HEAD.pack(how, sum(map(len, parts))), parts


def _sparse(plane: Plane) -> list[Data]:
    filled = plane != 0
    zeros = _small(np.packbits(filled, bitorder="little"))
    values = _small(plane.take(np.flatnonzero(filled)))
    return [_MAP.pack(len(zeros)), zeros, values]


def decoded(how: int, data: memoryview, count: int) -> Plane:
    """A plane of `count` bytes.

    Raises:
        VerificationError: when `data` is not one.
    """
    if how == _DENSE:
        return _whole(data, count)
    if how != _SPARSE or len(data) < _MAP.size:
        raise VerificationError(f"a plane in a pack is coded by no method: {how}")
    end = _MAP.size + _MAP.unpack_from(data)[0]
    if end > len(data):
        raise VerificationError("a plane in a pack is cut off")
    bits = np.unpackbits(
        _whole(data[_MAP.size : end], -(-count // 8)), count=count, bitorder="little"
    )
    places = np.flatnonzero(bits.view(np.bool_))
    plane = np.zeros(count, dtype=np.uint8)
    plane[places] = _whole(data[end:], places.size)
    return plane


def _small(plane: Plane) -> Data:
    """A frame, or the bytes as they are where that is not smaller."""
    frame = counted(plane.data)
    return frame if len(frame) < plane.size else plane.data


def _whole(data: memoryview, count: int) -> Plane:
    found = data if len(data) == count else inflated(data, count)
    return np.frombuffer(found, dtype=np.uint8)

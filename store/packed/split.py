"""Where the tensors of a file lie, so that each can be coded by itself.

Files are told apart by what is in them: in the cache they have no names. Nothing is
unpickled, and what is not as it should be is no error: such a file is one piece.
"""

import os
import struct
import zipfile
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import BinaryIO, NamedTuple

from lineage.store.packed.codec import encode
from lineage.store.packed.format import BLOCK
from lineage.store.safetensors import BITS, Malformed, header_of

_SMALL = 1 << 16  # bytes; a piece of its own costs a hundred, and time
_PIECES, _PIECE = 8, 1 << 12  # what is tried: so many times so many bytes
_WIDTHS = (1, 2, 4, 8)
_UNKNOWN = 0
_COMPLEX = {"C64": 4, "C128": 8}  # two numbers each
_LOCAL = struct.Struct("<4s22xHH")  # of a zip's member: magic, lengths of two fields
_BROKEN = (
    zipfile.BadZipFile, struct.error, NotImplementedError, ValueError, OSError,
    EOFError, RecursionError,
)  # fmt: skip


class Extent(NamedTuple):
    """`size` bytes from `start`, elements of `width` bytes; `name` is its only one."""

    name: str
    start: int
    size: int
    width: int


def extents(file: BinaryIO) -> list[Extent]:
    """The parts of a file that may be sought in, in order, none empty: all of it.

    A name means the same part in a later file of the same kind: a tensor's own in
    safetensors, a member's in the zip files of torch.
    """
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    head = file.read(16)
    found = _members(file) if head[:2] == b"PK" else _tensors(file, head)
    parts = _tiled(found, size) or [Extent("", 0, size, _UNKNOWN)] * bool(size)
    return [_known(part, file) for part in _gathered(parts)]


def _tensors(file: BinaryIO, head: bytes) -> list[Extent]:
    """The tensors of a safetensors file; none when it is no such file."""
    if head[8:9] != b"{":
        return []
    try:
        begin, entries, _ = header_of(file)
    except Malformed:
        return []
    return [
        Extent(name, begin + start, stop - start, _width(dtype))
        for name, dtype, _, start, stop in entries
    ]


def _width(dtype: str) -> int:
    return _COMPLEX.get(dtype) or max(1, BITS[dtype] // 8)


def _members(file: BinaryIO) -> list[Extent]:
    """The members of a zip file; none when it is no such file, or a strange one."""
    try:
        with zipfile.ZipFile(file) as archive:
            return [_member(info, file) for info in archive.infolist()]
    except _BROKEN:
        return []


def _member(info: zipfile.ZipInfo, file: BinaryIO) -> Extent:
    file.seek(info.header_offset)
    magic, name, extra = _LOCAL.unpack(file.read(_LOCAL.size))
    if magic != b"PK\3\4":
        raise zipfile.BadZipFile
    start = info.header_offset + _LOCAL.size + name + extra
    width = _UNKNOWN if info.compress_type == zipfile.ZIP_STORED else 1
    return Extent(info.filename, start, info.compress_size, width)


def _tiled(found: Sequence[Extent], size: int) -> list[Extent]:
    """These and what lies between them; none when they overlap or share a name."""
    parts: list[Extent] = []
    end = 0
    ordered = sorted((part for part in found if part.size), key=lambda part: part.start)
    for part in [*ordered, Extent("", size, 0, 1)]:
        if part.start < end:
            return []
        if part.start > end:
            parts.append(Extent(f"before {part.name}", end, part.start - end, 1))
        parts.append(part)
        end = part.start + part.size
    parts.pop()
    names = {part.name for part in parts}
    return parts if ordered and end == size and len(names) == len(parts) else []


def _gathered(parts: Sequence[Extent]) -> Iterator[Extent]:
    """Small neighbours become one part of at most one block."""
    for is_small, group in groupby(parts, lambda part: part.size < _SMALL):
        if not is_small:
            yield from group
            continue
        held: list[Extent] = []
        for part in group:
            if held and part.start + part.size - held[0].start > BLOCK:
                yield _one(held)
                held = []
            held.append(part)
        yield _one(held)


def _one(parts: Sequence[Extent]) -> Extent:
    first, last = parts[0], parts[-1]
    widths = {part.width for part in parts}
    width = widths.pop() if len(widths) == 1 else _UNKNOWN
    return Extent(first.name, first.start, last.start + last.size - first.start, width)


def _known(part: Extent, file: BinaryIO) -> Extent:
    """The part with the width that makes a sample of it smallest."""
    if part.width != _UNKNOWN:
        return part
    sample = b"".join(_pieces(part, file))
    width, least = 1, float("inf")
    for candidate in _WIDTHS:
        length = len(encode(sample, candidate).data)
        if length < 0.99 * least:  # a wider one has to be worth it
            width, least = candidate, length
    return part._replace(width=width)


def _pieces(part: Extent, file: BinaryIO) -> Iterator[bytes]:
    """Bytes from all over, each where an element may begin."""
    step = max(_PIECE, part.size // _PIECES // 8 * 8)
    for start in range(0, part.size, step):
        file.seek(part.start + start)
        yield file.read(min(_PIECE, part.size - start))

"""The header of a GGUF file: its facts, and its tensors' names, shapes and types.

The format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md, versions 2
and 3, little-endian. Counts and lengths are checked against the file before
anything is read by them.
"""

import hashlib
import struct
from math import prod
from operator import itemgetter
from pathlib import Path
from typing import Any

from lineage.diff.tensors.stored import Contents, Mapped, Stored
from lineage.store.safetensors import Malformed

_SCALARS = {  # value types by number: struct's letter
    0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?",
    10: "Q", 11: "q", 12: "d",
}  # fmt: skip
_STRING, _ARRAY = 8, 9
_SHOWN = 16  # items of an array that are given one by one
_DEPTH = 4  # of arrays in arrays
_ALIGNMENT = 32
_LONGEST = 1 << 24  # bytes of a text
# Tensor types by number: name, elements and bytes of a block (ggml.h, ggml-common.h).
_TYPES = {
    0: ("F32", 1, 4), 1: ("F16", 1, 2), 2: ("Q4_0", 32, 18), 3: ("Q4_1", 32, 20),
    6: ("Q5_0", 32, 22), 7: ("Q5_1", 32, 24), 8: ("Q8_0", 32, 34),
    9: ("Q8_1", 32, 36), 10: ("Q2_K", 256, 84), 11: ("Q3_K", 256, 110),
    12: ("Q4_K", 256, 144), 13: ("Q5_K", 256, 176), 14: ("Q6_K", 256, 210),
    15: ("Q8_K", 256, 292), 16: ("IQ2_XXS", 256, 66), 17: ("IQ2_XS", 256, 74),
    18: ("IQ3_XXS", 256, 98), 19: ("IQ1_S", 256, 50), 20: ("IQ4_NL", 32, 18),
    21: ("IQ3_S", 256, 110), 22: ("IQ2_S", 256, 82), 23: ("IQ4_XS", 256, 136),
    24: ("I8", 1, 1), 25: ("I16", 1, 2), 26: ("I32", 1, 4), 27: ("I64", 1, 8),
    28: ("F64", 1, 8), 29: ("IQ1_M", 256, 56), 30: ("BF16", 1, 2),
    34: ("TQ1_0", 256, 54), 35: ("TQ2_0", 256, 66), 39: ("MXFP4", 32, 17),
}  # fmt: skip


def read(path: Path, sha256: str) -> Contents:
    """The tensors and the facts of the file at `path`.

    Raises:
        Malformed: when it is cut off, claims more than it has, or is of a type or
            version that is not known here.
    """
    if path.stat().st_size < 24:
        raise Malformed("it is cut off before its header")
    source = Mapped(path)
    cursor = _Cursor(source)
    if cursor.take(4) != b"GGUF":
        raise Malformed("it does not begin with GGUF")
    version, tensors, facts = cursor.unpack("IQQ")
    if version not in (2, 3):
        raise Malformed(f"version {version} of GGUF is not known here")
    cursor.has(13 * facts + 24 * tensors, "facts and tensors")
    found = dict(_fact(cursor) for _ in range(facts))
    heads = [_tensor(cursor) for _ in range(tensors)]
    alignment = found.get("general.alignment", _ALIGNMENT)
    if type(alignment) is not int or alignment < 1:
        raise Malformed("its alignment is no number")
    begin = -(-cursor.at // alignment) * alignment
    _check(heads, len(source) - begin)
    return Contents(
        [
            Stored(name, dtype, shape, source, begin + start, size,
                   (sha256, begin + start))
            for name, dtype, shape, start, size in heads
        ],
        found,
    )  # fmt: skip


_Head = tuple[str, str, tuple[int, ...], int, int]


def _check(heads: list[_Head], size: int) -> None:
    """Refuse tensors that share a name or bytes, or are not all there."""
    names, end = set(), 0
    for name, _, _, start, length in sorted(heads, key=itemgetter(3)):
        if name in names:
            raise Malformed(f"tensor {name!r} is given twice")
        if start < end:
            raise Malformed(f"tensor {name!r} overlaps the one before it")
        names.add(name)
        end = start + length
        if end > size:
            raise Malformed(f"it is cut off: tensor {name!r} is not all here")


class _Cursor:
    """A place in the header, which moves on as it is read."""

    def __init__(self, source: Mapped) -> None:
        self._source = source
        self.at = 0

    def has(self, size: int, what: str) -> None:
        """Refuse a claim of more bytes than are left."""
        if size > len(self._source) - self.at:
            raise Malformed(f"its header claims more {what} than the file has bytes")

    def take(self, size: int, what: str = "") -> bytes:
        self.has(size, what or "values")
        self.at += size
        return self._source.read(self.at - size, self.at).tobytes()

    def unpack(self, letters: str) -> tuple[Any, ...]:
        layout = struct.Struct(f"<{letters}")
        return layout.unpack(self.take(layout.size))

    def string(self) -> str:
        [length] = self.unpack("Q")
        if length > _LONGEST:
            raise Malformed(f"its header claims a text of {length:,} bytes")
        return self.take(length, "text").decode(errors="backslashreplace")


def _fact(cursor: _Cursor) -> tuple[str, Any]:
    key = cursor.string()
    [type_] = cursor.unpack("I")
    return key, _value(cursor, type_, 0)


def _value(cursor: _Cursor, type_: int, depth: int) -> Any:
    """A value; of a long array how long it is, and the start of its SHA-256."""
    if type_ == _STRING:
        return cursor.string()
    if type_ in _SCALARS:
        return cursor.unpack(_SCALARS[type_])[0]
    if type_ != _ARRAY or depth == _DEPTH:
        raise Malformed(f"its header has a value of the unknown type {type_}")
    item, count = cursor.unpack("IQ")
    size = struct.calcsize(f"<{_SCALARS[item]}") if item in _SCALARS else 8
    cursor.has(size * count, "items")
    if count <= _SHOWN:
        return [_value(cursor, item, depth + 1) for _ in range(count)]
    return f"{count:,} values, SHA-256 {_digest(cursor, item, size, count, depth)[:12]}"


def _digest(cursor: _Cursor, item: int, size: int, count: int, depth: int) -> str:
    """The SHA-256 of an array's items as they are stored."""
    digest = hashlib.sha256()
    if item in _SCALARS:
        for start in range(0, size * count, _LONGEST):
            digest.update(cursor.take(min(_LONGEST, size * count - start)))
        return digest.hexdigest()
    for _ in range(count):
        value = repr(_value(cursor, item, depth + 1))
        digest.update(f"{len(value)}:{value}".encode(errors="backslashreplace"))
    return digest.hexdigest()


def _tensor(cursor: _Cursor) -> _Head:
    """One tensor: its shape as numpy has it, the last axis along memory."""
    name = cursor.string()
    [axes] = cursor.unpack("I")
    cursor.has(8 * axes, "axes")
    shape = tuple(reversed(cursor.unpack(f"{axes}Q")))
    type_, start = cursor.unpack("IQ")
    if type_ not in _TYPES:
        raise Malformed(f"tensor {name!r} has the unknown type {type_}")
    dtype, elements, size = _TYPES[type_]
    count = prod(shape)
    if (shape[-1] if shape else 1) % elements:
        raise Malformed(f"tensor {name!r} does not fill the blocks of {dtype}")
    return name, dtype, shape, start, count // elements * size

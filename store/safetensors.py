"""The header of a safetensors file, read with every check.

The format: https://github.com/huggingface/safetensors#format. Eight bytes give the
length of a JSON header; what follows it is tensors and nothing else, without a gap.
"""

import json
import os
from itertools import pairwise
from math import prod
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from lineage.errors import LineageError

# Bits of an element, by the names that safetensors gives them.
BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "I16": 16, "U16": 16, "I32": 32, "U32": 32,
    "I64": 64, "U64": 64, "F16": 16, "BF16": 16, "F32": 32, "F64": 64,
    "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
    "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "C64": 64, "C128": 128,
}  # fmt: skip

_LENGTH = 8  # bytes that say how long the header is
_LONGEST = 100_000_000  # bytes of a header, as the reference reader has it
_FIELDS = {"dtype", "shape", "data_offsets"}


class Malformed(LineageError):
    """A file is not what its name says, or not all of it; the message says how."""


class Entry(NamedTuple):
    """A tensor: its bytes are those from `start` up to `stop` after the header."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    start: int
    stop: int


class Header(NamedTuple):
    """The tensors lie behind the first `begin` bytes; `facts` is its __metadata__."""

    begin: int
    entries: list[Entry]
    facts: dict[str, Any]


def read_header(path: Path) -> Header:
    """The header of the file at `path`, whose tensors tile all that is behind it.

    Raises:
        Malformed: when any of the format's rules is broken.
    """
    with path.open("rb") as file:
        return header_of(file)


def header_of(file: BinaryIO) -> Header:
    """The same of a file that is open, and may be sought in."""
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    if size < _LENGTH:
        raise Malformed("it is cut off before its header")
    length = int.from_bytes(file.read(_LENGTH), "little")
    if length > _LONGEST:
        raise Malformed(f"its header claims {length:,} bytes, more than 100 MB")
    if length > size - _LENGTH:
        raise Malformed(f"its header claims {length:,} bytes, the file has {size:,}")
    header = _header(file.read(length))
    facts = header.pop("__metadata__", {})
    if not isinstance(facts, dict):
        raise Malformed("its __metadata__ is no object")
    entries = [_tensor(name, entry) for name, entry in header.items()]
    begin = _LENGTH + length
    _tile(entries, size - begin)
    return Header(begin, entries, facts)


def _header(data: bytes) -> dict[str, Any]:
    try:
        found = json.loads(data, object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"its header is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise Malformed("its header is not a JSON object")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise Malformed(f"its header gives {name!r} twice")
        found[name] = value
    return found


def _tensor(name: str, entry: object) -> Entry:
    """One entry of the header; its offsets fit its dtype and shape."""
    if not isinstance(entry, dict) or not entry.keys() >= _FIELDS:
        raise Malformed(f"tensor {name!r} lacks its dtype, shape or offsets")
    dtype, shape, offsets = (entry[key] for key in ("dtype", "shape", "data_offsets"))
    if not isinstance(dtype, str) or dtype not in BITS:
        raise Malformed(f"tensor {name!r} has the unknown dtype {dtype!r}")
    if not _counts(shape) or not _counts(offsets) or len(offsets) != 2:
        raise Malformed(f"tensor {name!r} has a shape or offsets that are no numbers")
    start, stop = offsets
    bits = prod(shape) * BITS[dtype]
    if bits % 8 or start > stop or stop - start != bits // 8:
        wanted = f"{dtype} of shape {shape} takes {-(-bits // 8):,}"
        raise Malformed(
            f"tensor {name!r} claims bytes {start:,} to {stop:,}, but {wanted}"
        )
    return Entry(name, dtype, tuple(shape), start, stop)


def _counts(value: object) -> bool:
    return isinstance(value, list) and all(type(n) is int and n >= 0 for n in value)


def _tile(tensors: list[Entry], size: int) -> None:
    """Refuse tensors that overlap, leave a gap, or are not all there.

    Raises:
        Malformed: naming the first that does not follow on the one before.
    """
    ordered = sorted(tensors, key=lambda entry: (entry.start, entry.stop))
    for before, entry in pairwise([Entry("", "", (), 0, 0), *ordered]):
        if entry.start != before.stop:
            late = entry.start > before.stop
            how = "comes after a gap" if late else "overlaps the one before it"
            raise Malformed(f"tensor {entry.name!r} {how}")
    end = ordered[-1].stop if ordered else 0
    if end > size:
        raise Malformed(f"it is cut off: {size:,} of {end:,} bytes of tensors are here")
    if end < size:
        raise Malformed(f"{size - end:,} bytes after its tensors belong to none")
